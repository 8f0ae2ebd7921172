//! Numbers in paths.

use super::Request;
use crate::bank::BankError;

impl Request {
    /// The number in the path's parameter `id`, in the one way to write it: `[1-9][0-9]{0,18}`.
    /// Rust's own parser would take `+1` and `01` for 1.
    ///
    /// # Errors
    /// [`BankError::NotFound`]: nothing has such an address.
    pub fn path_id(&self) -> Result<i64, BankError> {
        let text = self.path_parameters.first("id").unwrap_or_default();
        let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_canonical).ok_or(BankError::NotFound)
    }
}
