//! Users look at themselves and change themselves.

use super::{BankError, Prover, publish::publish_at_once};
use crate::{
    domain::{
        Attempt, Caller, Email, FullName, Invalid, Password, User, UserChanges, Username, Violation,
    },
    store::Store,
    tasks::TaskQueue,
};

/// What is to be changed; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct UserUpdate {
    /// What they are called.
    pub full_name: Option<FullName>,
    /// A new address, not verified yet.
    pub email: Option<Email>,
    /// A new password.
    pub password: Option<Password>,
    /// The present password, which a new address or password needs.
    pub current_password: Option<Password>,
    /// Where the gateway saw the caller.
    pub client_ip: String,
}

/// A user: the caller, or anybody if the caller is a banker.
///
/// # Errors
/// [`BankError::NotFound`] when there is nobody of that name, or the caller may not know.
pub async fn get_user(
    store: &dyn Store,
    caller: &Caller,
    username: &Username,
) -> Result<User, BankError> {
    Ok(store.get_user(caller, username).await?)
}

/// Changes a user: the caller, or the full name of anybody if the caller is a banker. A new password
/// ends the user's other sessions, a new address is sent a mail to verify it with.
///
/// # Errors
/// [`BankError::NotFound`] as for reading; [`BankError::PermissionDenied`] when a banker would change
/// more than a name; for one's own address and password those of a log-in, and
/// [`BankError::InvalidArgument`] without the present password, and [`BankError::TooManyMails`] when the
/// address has been changed often enough today.
pub async fn update_user(
    store: &dyn Store,
    queue: &dyn TaskQueue,
    prover: &Prover,
    caller: &Caller,
    username: &Username,
    update: UserUpdate,
) -> Result<User, BankError> {
    let needs_proof = update.email.is_some() || update.password.is_some();
    if needs_proof && caller.username != *username {
        // Who may not even know of the user is not told more.
        store.get_user(caller, username).await?;
        return Err(BankError::PermissionDenied);
    }
    let changes = if needs_proof {
        proven_changes(store, prover, caller, update).await?
    } else {
        UserChanges { full_name: update.full_name, ..UserChanges::default() }
    };
    let (user, verification) = store.change_user(caller, username, changes).await?;
    if let Some(id) = verification {
        publish_at_once(store, queue, id).await;
    }
    Ok(user)
}

async fn proven_changes(
    store: &dyn Store,
    prover: &Prover,
    caller: &Caller,
    update: UserUpdate,
) -> Result<UserChanges, BankError> {
    let current_password =
        update.current_password.ok_or_else(|| violation("current_password", "is required"))?;
    let attempt = Attempt::new(caller.username.clone(), &update.client_ip);
    let proof = store.find_own_proof(caller, &attempt).await?;
    let own = prover.prove(store, &attempt, proof, current_password.clone()).await?.user;

    // Whichever of the two stays, they are not the same.
    let email = update.email.as_ref().map_or(own.email.as_str(), Email::as_str);
    let (field, password) = match &update.password {
        Some(password) => ("password", password),
        None => ("email", &current_password),
    };
    password.refuse_own(email).map_err(|reason| violation(field, reason))?;
    let hashed_password = match update.password {
        Some(password) => Some(prover.passwords.hash(password).await?),
        None => None,
    };
    Ok(UserChanges {
        full_name: update.full_name,
        email: update.email,
        hashed_password,
        proven_changed_at: Some(own.password_changed_at),
    })
}

fn violation(field: &str, reason: impl Into<Invalid>) -> BankError {
    BankError::InvalidArgument(vec![Violation::new(field, reason)])
}
