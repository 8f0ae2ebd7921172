//! Somebody becomes a user.

use super::BankError;
use crate::{
    auth::PasswordHasher,
    domain::{Email, FullName, NewUser, Password, User, Username},
    store::Store,
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

/// Creates a user.
///
/// # Errors
/// [`BankError::Taken`] when the name or the address belongs to somebody.
pub async fn sign_up(
    store: &dyn Store,
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
    Ok(store.create_user(user).await?)
}
