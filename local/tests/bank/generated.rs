//! The clients that `make clients` generates from the published document, at the gateway.

use super::{
    clients::run,
    mail::MailingBank,
    people::{PASSWORD, ROOT},
};

#[tokio::test]
async fn the_client_in_typescript_lives_a_customers_life() {
    let MailingBank { bank, emulator: _emulator } = MailingBank::start().await;
    // Its types are checked first: whatever the document does not promise is an error there.
    let npm = ["run", "--silent", "scenario", "--", &bank.gateway.url, "alice", "bob", PASSWORD];
    assert_eq!(run("npm", "generated/typescript", &npm).await, "done\n");
    bank.assert_books_are_right().await;
}

#[tokio::test]
async fn the_client_in_python_lives_a_customers_life() {
    let MailingBank { bank, emulator: _emulator } = MailingBank::start().await;
    let python = format!("{ROOT}/.local/venv-contract/bin/python");
    let client = format!("{ROOT}/target/clients/python");
    let arguments = ["scenario.py", &client, &bank.gateway.url, "alice", "bob", PASSWORD];
    assert_eq!(run(&python, "generated/python", &arguments).await, "done\n");
    bank.assert_books_are_right().await;
}
