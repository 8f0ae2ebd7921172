//! What is done: action in, what stands afterwards out.

use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use shared::{
    config::{DatabaseConfig, MigrationConfig},
    domain::{Role, Username},
    store::postgres::{
        migrations::{Direction, Status, migrate},
        roles::{ApplicationPassword, grant_role, restore_application},
    },
};

use crate::resource::Verdict;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    Up {},
    Down {},
    Status {},
    GrantRole(Grant),
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    username: String,
    role: String,
    /// Who does it: it is written down.
    operator: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum State {
    Schema { version: i64, pending: Vec<i64> },
    Granted { username: String, role: String },
    Answered { status: Verdict },
}

pub(crate) async fn handle(config: &MigrationConfig, command: Command) -> Result<State, Error> {
    match command {
        Command::Up {} => make_ready(config, Direction::Up).await,
        Command::Down {} => Ok(migrate(&config.owner, Direction::Down).await?.into()),
        Command::Status {} => Ok(migrate(&config.owner, Direction::Stay).await?.into()),
        Command::GrantRole(grant) => grant.give(&config.owner).await,
    }
}

/// Moves the schema and restores the application's role, with its password where that comes from a secret.
pub(crate) async fn make_ready(
    config: &MigrationConfig,
    direction: Direction,
) -> Result<State, Error> {
    // A secret that is of no use is found out before anything changes.
    let password = match &config.application_secret {
        Some(secret) => Some(ApplicationPassword::read(secret).await?),
        None => None,
    };
    let status = migrate(&config.owner, direction).await?;
    restore_application(&config.owner, password).await?;
    Ok(status.into())
}

impl From<Status> for State {
    fn from(Status { version, pending }: Status) -> Self {
        Self::Schema { version, pending }
    }
}

impl Grant {
    async fn give(self, config: &DatabaseConfig) -> Result<State, Error> {
        let username = Username::parse(&self.username).map_err(|_| "username: there is no such")?;
        let role: Role = self.role.parse().map_err(|_| "role: depositor or banker")?;
        let operator = self.operator.trim();
        if operator.is_empty() || operator.len() > 200 || operator.contains(char::is_control) {
            return Err("operator: 1 to 200 bytes of plain text".into());
        }
        grant_role(config, &username, role, operator).await?;
        // Who did it stands in audit_events: it may be an address, which no log holds.
        tracing::info!(%username, role = role.name(), "a role was given");
        Ok(State::Granted { username: self.username, role: self.role })
    }
}
