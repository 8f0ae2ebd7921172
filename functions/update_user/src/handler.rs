//! Request, use case, reply, for each route.

use std::sync::Arc;

use shared::{
    bank::{self, BankError, Prover},
    clock::Clock,
    http::{Reply, Request, wire::UserBody},
    store::Store,
    tasks::TaskQueue,
};

use crate::request::user_update;

/// What users are seen and changed with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Box<dyn TaskQueue>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) prover: Prover,
}

pub(crate) async fn route(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    match request.route() {
        "GET /users/{username}" => get(&app, &request).await,
        "PATCH /users/{username}" => patch(&app, &request).await,
        _ => Err(BankError::NotFound),
    }
}

async fn get(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    let user = bank::get_user(&*app.store, &caller, &request.path_username()?).await?;
    Reply::ok(&UserBody::from(user))
}

async fn patch(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let username = request.path_username()?;
    let update = user_update(request, &username)?;
    let App { store, queue, prover, .. } = app;
    let user = bank::update_user(&**store, &**queue, prover, &caller, &username, update).await?;
    Reply::ok(&UserBody::from(user))
}
