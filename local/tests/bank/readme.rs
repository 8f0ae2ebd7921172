//! The README's scenario, as a reader pastes it.

use std::fs;

use tokio::process::Command;

use super::{mail::MailingBank, people::ROOT};

#[tokio::test]
async fn the_readmes_commands_work_as_pasted() {
    let readme = fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let block = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains("/transfers"))
        .unwrap();
    let MailingBank { bank, emulator: _emulator } = MailingBank::start().await;
    let script = block.replace("http://127.0.0.1:8080", &bank.gateway.url);
    assert_ne!(script, block);

    let output = Command::new("bash").args(["-c", &script]).output().await.unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let balances: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(balances[0].contains("\"owner\":\"bob\",\"balance\":2500,"), "{said}");
    assert!(balances[1].contains("\"owner\":\"alice\",\"balance\":7500,"), "{said}");
}
