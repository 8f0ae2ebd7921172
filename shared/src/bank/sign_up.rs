//! Somebody becomes a user.

use super::{BankError, publish::publish_at_once};
use crate::{
    auth::PasswordHasher,
    domain::{Email, FullName, NewUser, Password, User, Username},
    store::Store,
    tasks::TaskQueue,
};

/// What somebody signs up with.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The name they want.
    pub username: Username,
    /// The password they want.
    pub password: Password,
    /// What to call them.
    pub full_name: FullName,
    /// Where to write to them; not verified yet.
    pub email: Email,
}

/// Creates a user, who is sent a mail to verify their address with.
///
/// # Errors
/// [`BankError::Taken`] when the name or the address belongs to somebody.
pub async fn sign_up(
    store: &dyn Store,
    queue: &dyn TaskQueue,
    passwords: &PasswordHasher,
    input: SignUp,
) -> Result<User, BankError> {
    let hashed_password = passwords.hash(input.password).await?;
    let user = NewUser {
        username: input.username,
        full_name: input.full_name,
        email: input.email,
        hashed_password,
    };
    let (user, verification) = store.create_user(user).await?;
    publish_at_once(store, queue, verification).await;
    Ok(user)
}
