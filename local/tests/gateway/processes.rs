//! The functions' processes: how many there are, and what becomes of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use reqwest::{RequestBuilder, StatusCode};
use tokio::task::JoinSet;

use super::start;
use crate::support::{Gateway, runs, signal, until};

/// An empty folder in which processes can meet.
fn meeting_place() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::new_v4().to_string());
    fs::create_dir_all(&place).unwrap();
    place
}

/// A request that is answered once as many as expected have come to the place.
fn meet(gateway: &Gateway, place: &Path, expected: usize) -> RequestBuilder {
    gateway.get(&format!("/open/meet?place={}&expected={expected}", place.display()))
}

/// Who is at the place.
fn present(place: &Path) -> Vec<String> {
    let entries = fs::read_dir(place).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

async fn body(request: RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn requests_at_a_time_get_a_process_each_and_later_ones_the_same() {
    let gateway = start(&[]).await;
    let place = meeting_place();
    let mut requests: JoinSet<String> = (0..3).map(|_| body(meet(&gateway, &place, 3))).collect();
    let mut pids = BTreeSet::new();
    while let Some(pid) = requests.join_next().await {
        pids.insert(pid.unwrap());
    }
    assert_eq!(pids.len(), 3);
    let first = body(gateway.get("/open/pid")).await;
    assert!(pids.contains(&first));
    assert_eq!(body(gateway.get("/open/pid")).await, first, "the last one used goes first");
}

#[tokio::test]
async fn more_requests_than_processes_wait_in_line() {
    let gateway = start(&["--max-processes", "1"]).await;
    let mut requests: JoinSet<String> = (0..5).map(|_| body(gateway.get("/open/pid"))).collect();
    let mut pids = BTreeSet::new();
    while let Some(pid) = requests.join_next().await {
        pids.insert(pid.unwrap());
    }
    assert_eq!(pids.len(), 1);
}

#[tokio::test]
async fn a_time_out_ends_the_process_and_the_next_request_gets_another() {
    let gateway = start(&[]).await;
    let pid = body(gateway.get("/open/pid")).await;
    let response = gateway.get("/open/hang").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    gateway.logged("Task timed out after 2.00 seconds").await;
    gateway.logged("Status: timeout").await;
    assert!(!runs(&pid));
    assert_ne!(body(gateway.get("/open/pid")).await, pid);
}

#[tokio::test]
async fn a_process_that_was_killed_while_idle_is_never_noticed() {
    let gateway = start(&[]).await;
    let pid = body(gateway.get("/open/pid")).await;
    signal(&pid, "KILL");
    until(|| !runs(&pid)).await;
    let response = gateway.get("/open/pid").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_ne!(response.text().await.unwrap(), pid);
}

#[tokio::test]
async fn a_process_that_is_killed_at_work_fails_its_request_at_once() {
    let gateway = start(&[]).await;
    let place = meeting_place();
    let request = tokio::spawn(meet(&gateway, &place, 2).send());
    until(|| !present(&place).is_empty()).await;
    signal(&present(&place)[0], "KILL");
    assert_eq!(request.await.unwrap().unwrap().status(), StatusCode::BAD_GATEWAY);
    assert_eq!(gateway.get("/open/pid").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_invocation_is_finished_when_its_client_has_left() {
    let gateway = start(&["--max-processes", "1"]).await;
    let place = meeting_place();
    let request = tokio::spawn(meet(&gateway, &place, 2).send());
    until(|| !present(&place).is_empty()).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    let pid = present(&place)[0].clone();
    fs::write(place.join("somebody"), "").unwrap();
    assert_eq!(body(gateway.get("/open/pid")).await, pid);
}

#[tokio::test]
async fn a_process_without_work_is_ended() {
    let gateway = start(&["--idle-secs", "1"]).await;
    let pid = body(gateway.get("/open/pid")).await;
    until(|| !runs(&pid)).await;
    assert_ne!(body(gateway.get("/open/pid")).await, pid);
}

#[tokio::test]
async fn an_invocation_is_reported() {
    let gateway = start(&[]).await;
    body(gateway.get("/open/pid")).await;
    let report = gateway.logged("REPORT RequestId: ").await;
    for part in [" Function: fault Duration: ", " ms Init Duration: ", " Status: ok"] {
        assert!(report.contains(part), "{report}");
    }
}

#[tokio::test]
async fn ctrl_c_waits_for_a_request_in_flight_and_leaves_no_process() {
    for name in ["INT", "TERM"] {
        let mut gateway = start(&[]).await;
        let place = meeting_place();
        let request = tokio::spawn(meet(&gateway, &place, 2).send());
        until(|| !present(&place).is_empty()).await;
        let pid = present(&place)[0].clone();
        gateway.signal(name);
        let closed = gateway.url.trim_start_matches("http://").to_owned();
        until(|| std::net::TcpStream::connect(&closed).is_err()).await;
        fs::write(place.join("somebody"), "").unwrap();
        assert_eq!(request.await.unwrap().unwrap().status(), StatusCode::OK);
        assert!(gateway.ended().await.success());
        until(|| !runs(&pid)).await;
    }
}

#[tokio::test]
async fn ctrl_c_does_not_wait_for_long() {
    let mut gateway = start(&[]).await;
    let place = meeting_place();
    let request = tokio::spawn(meet(&gateway, &place, 2).send());
    until(|| !present(&place).is_empty()).await;
    let pid = present(&place)[0].clone();
    gateway.signal("INT");
    assert!(gateway.ended().await.success());
    assert_ne!(request.await.unwrap().map(|response| response.status()).ok(), Some(StatusCode::OK));
    until(|| !runs(&pid)).await;
}

#[tokio::test]
async fn functions_end_by_themselves_when_the_gateway_is_killed() {
    let mut gateway = start(&[]).await;
    let pid = body(gateway.get("/open/pid")).await;
    gateway.signal("KILL");
    assert!(!gateway.ended().await.success());
    until(|| !runs(&pid)).await;
}
