//! Numbers and names in paths. What could not be one names nothing.

use super::{Request, fields::canonical_integer};
use crate::{
    bank::BankError,
    domain::{SessionId, Username},
};

impl Request {
    /// The number in the path's parameter `id`, in the one way to write it: `[1-9][0-9]{0,18}`.
    ///
    /// # Errors
    /// [`BankError::NotFound`]: nothing has such an address.
    pub fn path_id(&self) -> Result<i64, BankError> {
        let text = self.path_parameters.first("id").unwrap_or_default();
        canonical_integer(text).filter(|number| *number > 0).ok_or(BankError::NotFound)
    }

    /// The session's number in the path's parameter `id`, in the one way to write it.
    ///
    /// # Errors
    /// [`BankError::NotFound`]: nothing has such an address.
    pub fn path_session(&self) -> Result<SessionId, BankError> {
        let text = self.path_parameters.first("id").unwrap_or_default();
        SessionId::parse(text).map_err(|_| BankError::NotFound)
    }

    /// The name in the path's parameter `username`.
    ///
    /// # Errors
    /// [`BankError::NotFound`]: nobody has such a name.
    pub fn path_username(&self) -> Result<Username, BankError> {
        let text = self.path_parameters.first("username").unwrap_or_default();
        Username::parse(text).map_err(|_| BankError::NotFound)
    }

    /// The name of a file in the path's parameter `asset`; whoever has files knows whether there is one.
    #[must_use]
    pub fn path_asset(&self) -> &str {
        self.path_parameters.first("asset").unwrap_or_default()
    }
}
