//! Request, use case, reply.

use std::sync::Arc;

use shared::{
    bank::{self, BankError, LogInTools},
    http::{Reply, Request},
};

use crate::{request::log_in_request, response::LoggedInBody};

pub(crate) async fn handle(tools: Arc<LogInTools>, request: Request) -> Result<Reply, BankError> {
    let log_in = log_in_request(&request)?;
    let logged_in = bank::log_in(&tools, log_in).await?;
    Reply::ok(&LoggedInBody::from(logged_in))
}
