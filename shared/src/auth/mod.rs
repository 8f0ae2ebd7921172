//! What proves who somebody is: access tokens, refresh tokens, passwords. And what proves that a
//! cursor was given out by the bank.

mod claims;
mod cursor;
mod keys;
mod paseto;
mod password;
mod refresh;

pub use claims::{ACCESS_TOKEN_AUDIENCE, Claims, ISSUER, TokenError, TokenSigner, TokenVerifier};
pub use cursor::{CursorSealer, SealError};
pub use keys::{KeyError, generate_cursor_key, generate_keys};
pub use paseto::{PasetoSigner, PasetoVerifier};
pub use password::{HashError, PasswordHasher};
pub use refresh::{RefreshToken, RenewalKeys};
