//! The tool that makes keys, as an operator uses it: text in, text out.
#![expect(clippy::unwrap_used, reason = "a test may fail in this way")]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use shared::auth::CursorSealer;

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_token_keys"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that does not read has closed its end.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn answer(command: &str, input: &str) -> String {
    let output = run(&[command], input);
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_rotation_from_beginning_to_end() {
    let first = answer("new", "");
    let old = answer("public", &first);
    assert!(old.starts_with("k4.public."));

    let second = answer("rotate", &first);
    let both = answer("public", &second);
    let both: Vec<&str> = both.trim().split(',').collect();
    assert_eq!((both.len(), both[1]), (2, old.trim()), "the current key is first");

    let third = answer("retire", &second);
    assert_eq!(answer("public", &third).trim(), both[0]);
    assert_ne!(answer("new", ""), first);
}

#[test]
fn every_key_for_cursors_is_another() {
    let key = answer("cursor", "");
    CursorSealer::new("dev", key.trim()).unwrap();
    assert_ne!(answer("cursor", ""), key);
}

#[test]
fn what_is_no_keyring_is_refused_and_not_repeated() {
    let cut = answer("new", "").replacen("k4.local.", "k4.local.A", 1);
    for (arguments, input) in [
        (vec!["rotate"], "hunter2"),
        (vec!["retire"], ""),
        (vec!["public"], cut.as_str()),
        (vec!["new", "keyring"], ""),
        (vec!["destroy"], ""),
        (vec![], ""),
    ] {
        let output = run(&arguments, input);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.contains("hunter2") && !error.contains("k4.secret."), "{error}");
    }
}
