//! A password is checked, and a wrong one is counted: the same for a log-in and for a change that needs
//! the present password.

use super::BankError;
use crate::{
    auth::PasswordHasher,
    domain::{Attempt, AttemptLimits, Credentials, Password, Proof},
    store::Store,
    telemetry::metrics,
};

/// What passwords are checked with.
pub struct Prover {
    /// Compares them.
    pub passwords: PasswordHasher,
    /// How many may be wrong.
    pub limits: AttemptLimits,
}

impl Prover {
    /// Whoever offers this password, if it is theirs.
    ///
    /// # Errors
    /// [`BankError::TooManyFailures`] while the name or the address is locked, before anything is
    /// hashed; [`BankError::InvalidCredentials`] for a wrong password and, after the same work, for a
    /// name that nobody has.
    pub(super) async fn prove(
        &self,
        store: &dyn Store,
        attempt: &Attempt,
        proof: Proof,
        password: Password,
    ) -> Result<Credentials, BankError> {
        if let Some(duration) = proof.locked_for {
            return Err(BankError::TooManyFailures(duration));
        }
        let stored = proof.credentials.as_ref().map(|found| found.hashed_password.as_str());
        let is_right = self.passwords.verify(password, stored).await?;
        if let Some(credentials) = proof.credentials.filter(|_| is_right) {
            return Ok(credentials);
        }
        metrics::login_failed();
        store.count_failure(attempt, self.limits).await?;
        Err(BankError::InvalidCredentials)
    }
}
