//! Action in, what stands afterwards out.

use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use shared::{
    config::DatabaseConfig,
    domain::{Role, Username},
    store::postgres::{
        migrations::{Direction, Status, migrate},
        roles::grant_role,
    },
};

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
}

pub(crate) async fn handle(config: &DatabaseConfig, command: Command) -> Result<State, Error> {
    match command {
        Command::Up {} => schema(config, Direction::Up).await,
        Command::Down {} => schema(config, Direction::Down).await,
        Command::Status {} => schema(config, Direction::Stay).await,
        Command::GrantRole(grant) => grant.give(config).await,
    }
}

async fn schema(config: &DatabaseConfig, direction: Direction) -> Result<State, Error> {
    let Status { version, pending } = migrate(config, direction).await?;
    Ok(State::Schema { version, pending })
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
