//! Every setting, one struct a concern. The only module that reads the environment.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    num::NonZero,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use crate::{
    auth::TokenFormat,
    domain::{AttemptLimits, Payers, SessionLimits},
};

/// A setting that is absent or cannot be used: the function must not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set.
    #[error("{name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// The variable's value is of no use. The value may be a secret, so it is not repeated.
    #[error("{name} {reason}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it must be.
        reason: String,
    },
}

/// What to log, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `AWS_LAMBDA_LOG_FORMAT` is `JSON`.
    pub json: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG`, else `info`.
    pub level: String,
}

impl LogConfig {
    /// Reads the settings; none is required.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            json: read("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format == "JSON"),
            level: read("AWS_LAMBDA_LOG_LEVEL")
                .or_else(|| read("RUST_LOG"))
                .map_or_else(|| "info".to_owned(), |level| level.to_lowercase()),
        }
    }
}

/// Who it is whose metrics are written down.
#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// `STAGE`.
    pub stage: String,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function: String,
}

impl MetricsConfig {
    /// Reads the settings; `None` where it is not Lambda.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        Some(Self { stage: read("STAGE")?, function: read("AWS_LAMBDA_FUNCTION_NAME")? })
    }
}

/// Where the data is. `Debug` does not show the password.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`, or `OWNER_DATABASE_URL`: `postgres://host/database`, and the user, unless a secret
    /// has it.
    pub url: String,
    /// `DATABASE_SECRET`, or `OWNER_DATABASE_SECRET`: the ARN, or the name, of the secret that has
    /// `username` and `password`, in JSON. They win over the URL's.
    pub secret: Option<String>,
    /// `DATABASE_CA_FILE`: certificates to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// `ALLOW_UNSAFE_DATABASE` is `true`: work with a server that may lose acknowledged commits.
    /// For tests.
    pub allow_unsafe: bool,
    /// `DATABASE_CONNECTIONS`: the most connections of this process. Unless set, one for a process that
    /// serves one request at a time.
    pub connections: Option<NonZero<u16>>,
}

impl DatabaseConfig {
    /// Reads the settings of the role that the application connects as, which owns nothing.
    ///
    /// # Errors
    /// When `DATABASE_URL` is not set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read("DATABASE_URL", "DATABASE_SECRET")
    }

    fn read(url: &'static str, secret: &'static str) -> Result<Self, ConfigError> {
        Ok(Self {
            url: required(url)?,
            secret: read(secret),
            ca_file: read("DATABASE_CA_FILE").map(PathBuf::from),
            allow_unsafe: parsed("ALLOW_UNSAFE_DATABASE")?.unwrap_or(false),
            connections: parsed("DATABASE_CONNECTIONS")?,
        })
    }
}

/// What whoever moves the schema works with.
#[derive(Debug, Clone)]
pub struct MigrationConfig {
    /// The database, as the role that owns the schema.
    pub owner: DatabaseConfig,
    /// `DATABASE_SECRET`: the secret of the application's role, which gets its password from there.
    pub application_secret: Option<String>,
}

impl MigrationConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When `OWNER_DATABASE_URL` is not set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            owner: DatabaseConfig::read("OWNER_DATABASE_URL", "OWNER_DATABASE_SECRET")?,
            application_secret: read("DATABASE_SECRET"),
        })
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseConfig")
            .field("secret", &self.secret)
            .field("ca_file", &self.ca_file)
            .field("allow_unsafe", &self.allow_unsafe)
            .finish_non_exhaustive()
    }
}

/// Where a secret is. `Debug` does not show it.
#[derive(Clone)]
pub enum SecretSource {
    /// In a setting.
    Given {
        /// The variable.
        setting: &'static str,
        /// Its value: the secret.
        text: String,
    },
    /// In Secrets Manager.
    Named {
        /// The secret's ARN, or its name.
        name: String,
        /// The id of one version; the current one, if there is none.
        version: Option<String>,
    },
}

impl SecretSource {
    /// By the first of these settings that is there: one that names the secret, one that holds it.
    fn read(
        name: &'static str,
        setting: &'static str,
        version: Option<String>,
    ) -> Result<Self, ConfigError> {
        match read(name) {
            Some(name) => Ok(Self::Named { name, version }),
            None => Ok(Self::Given { setting, text: required(setting)? }),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { setting, .. } => formatter.debug_tuple("Given").field(setting).finish(),
            Self::Named { name, .. } => formatter.debug_tuple("Named").field(name).finish(),
        }
    }
}

/// How to sign access tokens, and to renew them.
#[derive(Debug, Clone)]
pub struct SigningConfig {
    /// `STAGE`: tokens of one stage are refused by every other.
    pub stage: String,
    /// `TOKEN_FORMAT`: `paseto`, which it is unless set, or `jwt`.
    pub token_format: TokenFormat,
    /// The [`Keyring`](crate::auth::Keyring): `SIGNING_KEYRING_SECRET` names a secret, of which
    /// `SIGNING_KEYRING_VERSION` may name a version; without a name, `SIGNING_KEYRING` is its text.
    pub keyring: SecretSource,
    /// `ACCESS_TOKEN_TTL_SECS`, 600 unless set.
    pub access_token_ttl: Duration,
}

impl SigningConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            stage: required("STAGE")?,
            token_format: parsed("TOKEN_FORMAT")?.unwrap_or_default(),
            keyring: SecretSource::read(
                "SIGNING_KEYRING_SECRET",
                "SIGNING_KEYRING",
                read("SIGNING_KEYRING_VERSION"),
            )?,
            access_token_ttl: seconds("ACCESS_TOKEN_TTL_SECS", 600)?,
        })
    }
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionConfig {
    /// `REFRESH_TOKEN_TTL_SECS`, 86,400 unless set, and `SESSION_TTL_SECS`, 2,592,000 unless set.
    pub limits: SessionLimits,
}

impl SessionConfig {
    /// Reads the settings; none is required.
    ///
    /// # Errors
    /// When one is of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            limits: SessionLimits {
                idle: seconds("REFRESH_TOKEN_TTL_SECS", 86_400)?,
                life: seconds("SESSION_TTL_SECS", 2_592_000)?,
            },
        })
    }
}

/// How many wrong passwords there may be.
#[derive(Debug, Clone, Copy)]
pub struct AttemptConfig {
    /// `LOGIN_FAILURES_BY_NAME`, 5 unless set, and `LOGIN_FAILURES_BY_ADDRESS`, 20 unless set.
    pub limits: AttemptLimits,
}

impl AttemptConfig {
    /// Reads the settings; none is required.
    ///
    /// # Errors
    /// When one is of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            limits: AttemptLimits {
                by_name: count("LOGIN_FAILURES_BY_NAME", 5)?,
                by_address: count("LOGIN_FAILURES_BY_ADDRESS", 20)?,
            },
        })
    }
}

/// How to verify access tokens.
#[derive(Debug, Clone)]
pub struct VerifyingConfig {
    /// `STAGE`: tokens of one stage are refused by every other.
    pub stage: String,
    /// `TOKEN_FORMAT`: `paseto`, which it is unless set, or `jwt`.
    pub token_format: TokenFormat,
    /// `TOKEN_PUBLIC_KEYS`: PASERK `k4.public`, separated by commas.
    pub public_keys: Vec<String>,
}

impl VerifyingConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        let keys = required("TOKEN_PUBLIC_KEYS")?;
        Ok(Self {
            stage: required("STAGE")?,
            token_format: parsed("TOKEN_FORMAT")?.unwrap_or_default(),
            public_keys: keys.split(',').map(|key| key.trim().to_owned()).collect(),
        })
    }
}

/// How to seal cursors.
#[derive(Debug, Clone)]
pub struct CursorConfig {
    /// `STAGE`: cursors of one stage are refused by every other.
    pub stage: String,
    /// PASERK `k4.local`: `CURSOR_KEY_SECRET` names a secret; without a name, `CURSOR_KEY` is its text.
    pub key: SecretSource,
}

impl CursorConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        let key = SecretSource::read("CURSOR_KEY_SECRET", "CURSOR_KEY", None)?;
        Ok(Self { stage: required("STAGE")?, key })
    }
}

/// Who may move money out.
#[derive(Debug, Clone, Copy)]
pub struct PaymentConfig {
    /// `REQUIRE_VERIFIED_EMAIL`: `true`, which it is unless set, or `false`.
    pub payers: Payers,
}

impl PaymentConfig {
    /// Reads the settings; none is required.
    ///
    /// # Errors
    /// When one is of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        let requires_verified = parsed("REQUIRE_VERIFIED_EMAIL")?.unwrap_or(true);
        Ok(Self { payers: if requires_verified { Payers::Verified } else { Payers::Anyone } })
    }
}

/// Where a function serves by itself.
#[derive(Debug, Clone, Copy)]
pub struct GrpcConfig {
    /// `GRPC_SERVER_ADDRESS`, 127.0.0.1:9090 unless set; `None` on Lambda, where
    /// `AWS_LAMBDA_RUNTIME_API` is set and there is nothing to listen at.
    pub address: Option<SocketAddr>,
}

impl GrpcConfig {
    /// Reads the settings; none is required.
    ///
    /// # Errors
    /// When one is of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        if read("AWS_LAMBDA_RUNTIME_API").is_some() {
            return Ok(Self { address: None });
        }
        let name = "GRPC_SERVER_ADDRESS";
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 9090));
        let address = read(name).map_or(Ok(default), |text| text.parse());
        let reason = "must be an address and a port in numbers, as in 127.0.0.1:9090".to_owned();
        Ok(Self { address: Some(address.map_err(|_| ConfigError::Invalid { name, reason })?) })
    }
}

/// Where tasks go.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// `VERIFY_EMAIL_QUEUE_URL`: the URL of the queue of SQS.
    pub url: String,
}

impl QueueConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { url: required("VERIFY_EMAIL_QUEUE_URL")? })
    }
}

/// What mail says of us.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `MAIL_SENDER`: the address that mail comes from.
    pub sender: String,
    /// `PUBLIC_URL`: where people reach the API, without a slash at its end.
    pub public_url: String,
}

impl MailConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or of no use.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (name, public_url) = ("PUBLIC_URL", required("PUBLIC_URL")?);
        if !public_url.starts_with("https://") && !public_url.starts_with("http://") {
            let reason = "must begin with https:// or http://".to_owned();
            return Err(ConfigError::Invalid { name, reason });
        }
        let public_url = public_url.trim_end_matches('/').to_owned();
        Ok(Self { sender: required("MAIL_SENDER")?, public_url })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where settings are read")]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    read(name).ok_or(ConfigError::Missing { name })
}

fn parsed<T: FromStr<Err: fmt::Display>>(name: &'static str) -> Result<Option<T>, ConfigError> {
    read(name)
        .map(|text| {
            text.parse()
                .map_err(|error: T::Err| ConfigError::Invalid { name, reason: error.to_string() })
        })
        .transpose()
}

fn seconds(name: &'static str, default: u64) -> Result<Duration, ConfigError> {
    match parsed(name)?.unwrap_or(default) {
        0 => Err(ConfigError::Invalid { name, reason: "must be at least 1".to_owned() }),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

fn count(name: &'static str, default: i32) -> Result<i32, ConfigError> {
    match parsed(name)?.unwrap_or(default) {
        count if count >= 1 => Ok(count),
        _ => Err(ConfigError::Invalid { name, reason: "must be at least 1".to_owned() }),
    }
}
