//! Request, use case, reply.

use std::sync::Arc;

use shared::{
    bank::{self, BankError, LogInTools},
    http::{Reply, Request},
    store::Store,
};

use crate::{request::log_in_request, response::LoggedInBody};

/// What logging in works with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) tools: LogInTools,
}

pub(crate) async fn handle(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    let log_in = log_in_request(&request)?;
    let logged_in = bank::log_in(&*app.store, &app.tools, log_in).await?;
    Reply::ok(&LoggedInBody::from(logged_in))
}
