//! Request, use case, reply.

use std::sync::Arc;

use shared::{
    bank::{self, BankError, RenewalTools},
    http::{Reply, Request},
    store::Store,
};

use crate::{request::refresh_token, response::RenewedBody};

/// What renewing works with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) tools: RenewalTools,
}

pub(crate) async fn handle(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    let presented = refresh_token(&request)?;
    let renewed = bank::renew_session(&*app.store, &app.tools, &presented).await?;
    Reply::ok(&RenewedBody::from(renewed))
}
