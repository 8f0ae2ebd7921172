//! Request, use case, reply, for each route.

use std::sync::Arc;

use shared::{
    bank::{self, BankError},
    clock::Clock,
    http::{Reply, Request},
    store::Store,
};

use crate::response::SessionBody;

/// What sessions are seen and ended with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) clock: Box<dyn Clock>,
}

pub(crate) async fn route(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    match request.route() {
        "POST /users/logout" => log_out(&app, &request).await,
        "GET /sessions" => list(&app, &request).await,
        "DELETE /sessions/{id}" => end(&app, &request).await,
        _ => Err(BankError::NotFound),
    }
}

async fn log_out(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    bank::log_out(&*app.store, &caller).await?;
    Ok(Reply::no_content())
}

async fn list(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    let sessions = bank::list_sessions(&*app.store, &caller).await?;
    let bodies: Vec<_> =
        sessions.into_iter().map(|session| SessionBody::new(session, &caller)).collect();
    Reply::ok(&bodies)
}

async fn end(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    bank::end_session(&*app.store, &caller, request.path_session()?).await?;
    Ok(Reply::no_content())
}
