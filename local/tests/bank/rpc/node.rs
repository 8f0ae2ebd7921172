//! The clients that browsers use, run by Node, at the gateway.

use std::{fs, path::Path};

use futures_util::future::join_all;

use crate::bank::{
    clients::run,
    people::{Bank, PASSWORD, WRONG_PASSWORD, own_database},
};

#[tokio::test]
async fn the_clients_of_browsers_live_a_customers_life() {
    // Wrong passwords count against the address, which is everybody's.
    let limit = ["--parameter", "LoginFailuresByAddress=1000"];
    let bank = &Bank::start_on(&own_database().await, &limit).await;
    let contract = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract.bin");
    fs::write(&contract, proto::DESCRIPTOR_SET).unwrap();
    let contract = contract.to_str().unwrap();
    let bob = bank.customer().await;
    let to = bob.account("USD", 0).await;
    let clients =
        [("connect", "json"), ("connect", "proto"), ("grpc-web", "json"), ("grpc-web", "proto")];
    let lives = clients.map(async |(protocol, format)| {
        let (name, to) = (bank.customer().await.username, to.to_string());
        let names = ["scenario.mjs", &bank.gateway.url, contract, protocol, format, &name];
        let arguments = [&names[..], &[PASSWORD, WRONG_PASSWORD, &to]].concat();
        run("node", "node", &arguments).await
    });
    for tokens in join_all(lives).await {
        assert_eq!(tokens.lines().count(), 4, "{tokens}");
        for token in tokens.lines() {
            bank.gateway.keep_secret(token);
        }
    }
    assert_eq!(bob.balance(to).await, 4 * 240);
    bank.assert_books_are_right().await;
}
