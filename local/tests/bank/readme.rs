//! The README's scenario, as a reader pastes it.

use std::fs;

use tokio::process::Command;

use super::{mail::MailingBank, people::ROOT};

#[tokio::test]
async fn the_readmes_commands_work_as_pasted() {
    let MailingBank { bank, emulator: _emulator } = MailingBank::start().await;
    let said = paste("/transfers", &bank.gateway.url).await;
    let balances: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(balances[0].contains("\"owner\":\"bob\",\"balance\":2500,"), "{said}");
    assert!(balances[1].contains("\"owner\":\"alice\",\"balance\":7500,"), "{said}");

    let said = paste("/LoginUser", &bank.gateway.url).await;
    let answers: Vec<&str> = said.lines().collect();
    assert!(answers[0].starts_with("{\"user\":{\"username\":\"carol\""), "{said}");
    assert!(answers[1].contains("\"accessToken\":\"v4.public."), "{said}");
}

/// What the README's block with this text says, run against this bank.
async fn paste(text: &str, url: &str) -> String {
    let readme = fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let mut blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(text)).unwrap();
    let script = block.replace("http://127.0.0.1:8080", url);
    assert_ne!(script, block);
    let output = Command::new("bash").args(["-c", &script]).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    said
}
