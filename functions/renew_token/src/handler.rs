//! Request, use case, reply.

use std::sync::Arc;

use shared::{
    bank::{self, BankError, RenewalTools},
    http::{Reply, Request},
};

use crate::{request::refresh_token, response::RenewedBody};

pub(crate) async fn handle(tools: Arc<RenewalTools>, request: Request) -> Result<Reply, BankError> {
    let presented = refresh_token(&request)?;
    let renewed = bank::renew_session(&tools, &presented).await?;
    Reply::ok(&RenewedBody::from(renewed))
}
