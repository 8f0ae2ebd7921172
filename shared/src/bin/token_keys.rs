//! Makes keys and moves keyrings on. Keyrings come in by the standard input and go out by the
//! standard output, so that none is ever an argument that others can see in a list of processes.

use std::{
    error::Error,
    io::{Read, stdin},
    process::ExitCode,
};

use shared::auth::{Keyring, generate_cursor_key};

const USAGE: &str = "\
usage: token_keys COMMAND

  new      print a new keyring
  rotate   read a keyring, print the next one: new keys, and the current ones as the previous
  retire   read a keyring, print it without the previous keys
  public   read a keyring, print its public keys, as TokenPublicKeys wants them
  cursor   print a new key for cursors

A keyring is one secret, whatever it is read from or printed to, and so is a key for cursors.";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let [command] = arguments else { return Err(USAGE.into()) };
    match command.as_str() {
        "new" => Ok(Keyring::generate()?.expose()?),
        "rotate" => Ok(given()?.rotated()?.expose()?),
        "retire" => Ok(given()?.retired().expose()?),
        "public" => Ok(given()?.public_keys()?.join(",")),
        "cursor" => Ok(generate_cursor_key()?),
        _ => Err(USAGE.into()),
    }
}

/// The keyring on the standard input.
fn given() -> Result<Keyring, Box<dyn Error>> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    Ok(Keyring::parse(&text)?)
}
