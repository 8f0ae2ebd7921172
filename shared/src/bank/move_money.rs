//! What every movement of money has in common.

use super::BankError;
use crate::{
    domain::{Caller, IdempotencyKey, Keyed, Movement, Posting},
    store::Store,
    telemetry::metrics,
};

/// Has the store move it, and counts what has moved; not what is only told again.
pub(super) async fn move_money(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    movement: Movement,
) -> Result<Keyed<Posting>, BankError> {
    let moved = store.move_money(caller, key, movement).await?;
    if let Keyed { outcome: Ok(posting), is_replay: false } = &moved {
        metrics::moved(&movement, &posting.account);
    }
    Ok(moved)
}
