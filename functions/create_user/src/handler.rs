//! Request, use case, reply.

use std::sync::Arc;

use shared::{
    auth::PasswordHasher,
    bank::{self, BankError},
    http::{Reply, Request, wire::UserBody},
    store::Store,
    tasks::TaskQueue,
};

use crate::request::sign_up_request;

/// What signing up works with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Box<dyn TaskQueue>,
    pub(crate) passwords: PasswordHasher,
}

pub(crate) async fn handle(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    let sign_up = sign_up_request(&request)?;
    let user = bank::sign_up(&*app.store, &*app.queue, &app.passwords, sign_up).await?;
    Reply::created(&UserBody::from(user))
}
