//! The server of native gRPC as a process.

use crate::{bank::people::Bank, support::until};

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let bank = Bank::start().await;
    for name in ["TERM", "INT"] {
        let mut native = bank.native().await;
        native.signal(name);
        assert!(native.ended().await.success(), "{name}");
        // Its last line may be read only now.
        until(|| native.log().contains("gRPC is served no more")).await;
    }
}
