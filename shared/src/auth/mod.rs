//! What proves who somebody is: access tokens, refresh tokens, passwords. And what proves that a
//! cursor was given out by the bank.

mod claims;
mod cursor;
mod eddsa;
mod jwt;
mod keyring;
mod keys;
mod maker;
mod object;
mod paseto;
mod password;
mod refresh;
mod token;
mod verification;

pub use claims::{ACCESS_TOKEN_AUDIENCE, Claims, ISSUER, TokenError};
pub use cursor::{CursorSealer, SealError};
pub use keyring::Keyring;
pub use keys::{KeyError, SigningKey, VerificationKeys, generate_cursor_key, generate_keys};
pub use maker::TokenMaker;
pub use password::{HashError, PasswordHasher};
pub use refresh::{RefreshToken, RenewalKeys};
pub use token::{TokenFormat, TokenSigner, TokenVerifier, UnknownFormat, bearer};
pub use verification::VerificationCode;
