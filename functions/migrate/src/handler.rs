//! Action in, the schema's state out.

use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use shared::{
    config::DatabaseConfig,
    store::postgres::migrations::{Direction, Status, migrate},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Up,
    Down,
    Status,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct State {
    version: i64,
    pending: Vec<i64>,
}

pub(crate) async fn handle(config: &DatabaseConfig, command: Command) -> Result<State, Error> {
    let direction = match command.action {
        Action::Up => Direction::Up,
        Action::Down => Direction::Down,
        Action::Status => Direction::Stay,
    };
    let Status { version, pending } = migrate(config, direction).await?;
    Ok(State { version, pending })
}
