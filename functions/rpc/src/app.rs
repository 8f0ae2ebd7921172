//! What the methods work with: all that the bank has.

use std::{num::NonZero, time::Duration};

use shared::{
    auth::{CursorSealer, Keyring, PasswordHasher, TokenVerifier, VerificationKeys},
    bank::{AccessTokens, LogInTools, Prover, RenewalTools},
    clock::{Clock, SystemClock},
    config::{
        AttemptConfig, CursorConfig, DatabaseConfig, PaymentConfig, QueueConfig, SessionConfig,
        SigningConfig, VerifyingConfig,
    },
    http::Error,
    secrets,
    store::{PostgresStore, Store},
    tasks::{SqsQueue, TaskQueue},
};

/// How many requests a process works on at a time.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    /// The most connections to the database, unless the settings say something else.
    connections: NonZero<u16>,
    /// How long a request waits for one of them.
    patience: Duration,
}

impl Traffic {
    /// On Lambda, one.
    pub(crate) const LAMBDA: Self =
        Self { connections: NonZero::<u16>::MIN, patience: Duration::from_secs(2) };
    /// As many as come. Whoever waits for longer than this would hear no sooner from another try.
    #[cfg(feature = "server")]
    pub(crate) const SERVER: Self =
        Self { connections: NonZero::new(10).unwrap(), patience: Duration::from_secs(5) };
}

/// The store, and whatever a use case wants besides.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Box<dyn TaskQueue>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) verifier: TokenVerifier,
    pub(crate) log_in: LogInTools,
    pub(crate) renewal: RenewalTools,
    pub(crate) cursors: CursorSealer,
}

impl App {
    /// Reads the settings and connects.
    pub(crate) async fn from_env(traffic: Traffic) -> Result<Self, Error> {
        let mut database = DatabaseConfig::from_env()?;
        database.connections.get_or_insert(traffic.connections);
        let (signing, verifying) = (SigningConfig::from_env()?, VerifyingConfig::from_env()?);
        let cursor = CursorConfig::from_env()?;
        let (store, keyring, cursors, queue) = tokio::join!(
            PostgresStore::open(&database),
            secrets::load(&signing.keyring, Keyring::parse),
            secrets::load(&cursor.key, |key| CursorSealer::new(&cursor.stage, key)),
            SqsQueue::open(QueueConfig::from_env()?),
        );
        let keyring = keyring?;
        let access_tokens = || AccessTokens {
            signer: keyring.signer(signing.token_format, &signing.stage),
            clock: Box::new(SystemClock),
            ttl: signing.access_token_ttl,
        };
        let public_keys = VerificationKeys::parse(&verifying.public_keys)?;
        let sessions = SessionConfig::from_env()?.limits;
        Ok(Self {
            store: Box::new(
                store?.taking_turns(traffic.patience).paying(PaymentConfig::from_env()?.payers),
            ),
            queue: Box::new(queue),
            clock: Box::new(SystemClock),
            verifier: TokenVerifier::new(verifying.token_format, &verifying.stage, public_keys),
            log_in: LogInTools {
                prover: Prover {
                    passwords: PasswordHasher::new()?,
                    limits: AttemptConfig::from_env()?.limits,
                },
                access_tokens: access_tokens(),
                session_limits: sessions,
            },
            renewal: RenewalTools {
                renewal_keys: keyring.renewal_keys()?,
                access_tokens: access_tokens(),
                idle: sessions.idle,
            },
            cursors: cursors?,
        })
    }
}
