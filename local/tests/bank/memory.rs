//! What processes hold of the machine's memory.

use std::fs;

use futures_util::{StreamExt, stream};
use reqwest::Method;

use super::{failures::processes, people::Bank};

/// The memory of a process, in KiB.
pub(super) fn resident(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

/// A number in what Linux says of a process.
pub(super) fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// An environment lives for hours and hundreds of thousands of invocations. The runtime puts each one's
/// trace into a variable, and what C's library keeps of that must not spoil what answers are made in: by
/// its own allocator a page of entries grew the process by 1.7 KiB.
#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
async fn a_thousand_lists_leave_little_behind() {
    const LISTS: u64 = 1_000;
    /// Of each list: some three times what is left.
    const BYTES: u64 = 256;

    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let account = alice.account("USD", 20).await;
    let to = bob.account("USD", 0).await;
    for _ in 0..20 {
        assert_eq!(alice.transfer(account, to, 1).await.status, 201);
    }
    let list = async |_| {
        let path = format!("/accounts/{account}/entries?limit=20");
        let request = bank.gateway.request(Method::GET, &path).bearer_auth(&alice.access_token);
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    // One at a time, so that one process answers them all.
    let lists = async || stream::iter(0..LISTS).for_each(list).await;
    let held = || {
        let [pid] = &processes(&bank.gateway, "accounts")[..] else { panic!("not one process") };
        resident(pid.parse().unwrap())
    };

    lists().await;
    let before = held();
    lists().await;
    let after = held();
    println!("{before} KiB before, {after} KiB after");
    assert!(after < before + LISTS * BYTES / 1_024, "{before} KiB before, {after} KiB after");
}
