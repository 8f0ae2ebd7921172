//! What proves who somebody is: access tokens, refresh tokens, passwords.

mod claims;
mod keys;
mod paseto;
mod password;
mod refresh;

pub use claims::{ACCESS_TOKEN_AUDIENCE, Claims, ISSUER, TokenError, TokenSigner, TokenVerifier};
pub use keys::{KeyError, generate_keys};
pub use paseto::{PasetoSigner, PasetoVerifier};
pub use password::{HashError, PasswordHasher};
pub use refresh::RefreshToken;
