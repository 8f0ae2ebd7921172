//! Passwords: argon2id, off the request's thread.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::domain::Password;

/// 19 MiB, two passes, one lane: one of the equal choices of OWASP's password storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How long a password waits for its turn. Nothing has been done by then, so that there is nothing to doubt.
const TURN_PATIENCE: Duration = Duration::from_secs(4);

/// A hash that could not be made or read: a defect, unless too many wait.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The parameters or the stored hash are of no use.
    #[error("argon2 failed")]
    Argon2(#[source] argon2::password_hash::Error),
    /// Others' passwords are being hashed, and will be for a while.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hashing thread ended early.
    #[error("the hashing thread ended early")]
    Thread(#[from] tokio::task::JoinError),
}

/// Makes and checks password hashes (PHC strings).
#[derive(Debug, Clone)]
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    /// One for each processor: more at a time would take no less time, and memory that nobody counted.
    turns: Arc<Semaphore>,
    /// Checked in place of a user's own when nobody has that name, so that both answers take the
    /// same time.
    dummy_hash: String,
}

impl PasswordHasher {
    /// A hasher with the bank's parameters.
    ///
    /// # Errors
    /// When argon2 does not know the parameters, which is a defect.
    pub fn new() -> Result<Self, HashError> {
        Self::with_cost(MEMORY_KIB, PASSES)
    }

    /// A hasher with other parameters than the bank's.
    ///
    /// # Errors
    /// When argon2 does not know them.
    pub fn with_cost(memory_kib: u32, passes: u32) -> Result<Self, HashError> {
        let params = Params::new(memory_kib, passes, LANES, None)
            .map_err(|error| HashError::Argon2(error.into()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_hash = format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={LANES}$bm9ib2R5J3Mgc2FsdA${}",
            "A".repeat(43)
        );
        let turns = available_parallelism().map_or(1, NonZero::get);
        Ok(Self { argon2, turns: Arc::new(Semaphore::new(turns)), dummy_hash })
    }

    /// Whether a stored hash is weaker than the ones that are made now.
    ///
    /// # Errors
    /// When the stored hash cannot be read, which is a defect.
    pub fn is_outdated(&self, stored: &str) -> Result<bool, HashError> {
        let stored = PasswordHash::new(stored).map_err(|error| HashError::Argon2(error.into()))?;
        let params = Params::try_from(&stored).map_err(HashError::Argon2)?;
        let present = self.argon2.params();
        Ok(stored.algorithm != Algorithm::Argon2id.ident()
            || params.m_cost() < present.m_cost()
            || params.t_cost() < present.t_cost())
    }

    /// A PHC string with a salt of its own.
    ///
    /// # Errors
    /// [`HashError::Busy`]; and when hashing fails, which is a defect.
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let argon2 = self.argon2.clone();
        self.in_turn(move || hash(&argon2, password.expose())).await
    }

    /// Whether the password is the one that was hashed; without a hash, `false` after the same
    /// work.
    ///
    /// # Errors
    /// [`HashError::Busy`]; and when the stored hash cannot be read, which is a defect.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<&str>,
    ) -> Result<bool, HashError> {
        let is_known = stored.is_some();
        let argon2 = self.argon2.clone();
        let stored = stored.unwrap_or(&self.dummy_hash).to_owned();
        let work = move || {
            let stored =
                PasswordHash::new(&stored).map_err(|error| HashError::Argon2(error.into()))?;
            match argon2.verify_password(password.expose().as_bytes(), &stored) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(HashError::Argon2(error)),
            }
        };
        Ok(self.in_turn(work).await? && is_known)
    }

    /// The turn lasts as long as the work does, be its caller gone.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = timeout(TURN_PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| HashError::Busy)?.ok();
        let work = move || {
            let _turn = turn;
            work()
        };
        spawn_blocking(work).await?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, HashError> {
    Ok(argon2.hash_password(password.as_bytes()).map_err(HashError::Argon2)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn round_trip() {
        let hasher = PasswordHasher::new().unwrap();
        let password = Password::offer("correct horse").unwrap();
        let other = Password::offer("battery staple").unwrap();
        let first = hasher.hash(password.clone()).await.unwrap();
        let second = hasher.hash(password.clone()).await.unwrap();

        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(first, second, "each hash has a salt of its own");
        assert!(hasher.verify(password.clone(), Some(&first)).await.unwrap());
        assert!(!hasher.verify(other, Some(&first)).await.unwrap());
        assert!(!hasher.verify(password, None).await.unwrap());
    }

    #[tokio::test]
    async fn hashes_of_less_work_are_outdated() {
        let password = Password::offer("correct horse").unwrap();
        let hasher = PasswordHasher::new().unwrap();
        for (memory_kib, passes, is_outdated) in [
            (MEMORY_KIB, PASSES, false),
            (MEMORY_KIB + 1, PASSES + 1, false),
            (MEMORY_KIB - 1, PASSES, true),
            (MEMORY_KIB, PASSES - 1, true),
        ] {
            let other = PasswordHasher::with_cost(memory_kib, passes).unwrap();
            let hash = other.hash(password.clone()).await.unwrap();
            assert_eq!(hasher.is_outdated(&hash).unwrap(), is_outdated, "{hash}");
            assert!(hasher.verify(password.clone(), Some(&hash)).await.unwrap());
        }
    }

    /// There is one thread, and it is free for others while a password is hashed.
    #[tokio::test]
    async fn hashing_blocks_nobody() {
        let hasher = PasswordHasher::new().unwrap();
        let mut hashing = std::pin::pin!(hasher.hash(Password::offer("correct horse").unwrap()));
        let mut turns = 0_u32;
        loop {
            tokio::select! {
                biased;
                hash = &mut hashing => break assert!(hash.is_ok()),
                () = tokio::task::yield_now() => turns = turns.saturating_add(1),
            }
        }
        assert!(turns > 100, "others had {turns} turns");
    }
}
