//! Makes a new pair of keys for access tokens and prints it as parameters of template.yaml.

use shared::auth::{KeyError, generate_keys};

#[expect(clippy::print_stdout, reason = "printing the keys is what it is for")]
fn main() -> Result<(), KeyError> {
    let (secret, public) = generate_keys()?;
    println!("TokenSecretKey={secret}");
    println!("TokenPublicKeys={public}");
    Ok(())
}
