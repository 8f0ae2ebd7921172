//! Makes new keys, a pair for access tokens and one for cursors, and prints them as parameters of
//! template.yaml.

use shared::auth::{KeyError, generate_cursor_key, generate_keys};

#[expect(clippy::print_stdout, reason = "printing the keys is what it is for")]
fn main() -> Result<(), KeyError> {
    let (secret, public) = generate_keys()?;
    println!("TokenSecretKey={secret}");
    println!("TokenPublicKeys={public}");
    println!("CursorKey={}", generate_cursor_key()?);
    Ok(())
}
