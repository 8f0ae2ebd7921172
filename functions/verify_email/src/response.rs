//! That it is done.

use serde::Serialize;
use utoipa::ToSchema;

/// That it is done.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailVerified)]
pub(crate) struct VerifiedBody {
    #[schema(example = true)]
    pub(crate) is_verified: bool,
}
