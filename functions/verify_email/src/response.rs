//! That it is done.

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct VerifiedBody {
    pub(crate) is_verified: bool,
}
