//! What no client sends on purpose, at the gateway and at the native server: each is refused in the words
//! of its protocol, and the next call is served.

use std::{convert::Infallible, process::Stdio};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Request},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use http_body_util::Full;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use super::wire::{
    CONNECT, CONNECT_JSON, Door, GRPC, Line, MAX_BYTES,
    Outcome::{self, Connect, Grpc, Http},
    WEB, WEB_JSON, WEB_TEXT, by, bytes, flagged, frame, number, padded, post, request, with,
};
use crate::bank::people::{Bank, PASSWORD, key, sign_up, transfer};

const INVALID: Outcome = Connect(400, "invalid_argument");

type Case = (String, Request<Full<Bytes>>, Outcome);

/// Sends each case, and a good call after it.
async fn assert_outcomes(door: &impl Door, token: &str, id: i64, cases: Vec<Case>) {
    for (name, request, expected) in cases {
        let what = format!("{name} as {:?}", request.headers()["content-type"]);
        let reply = door.deliver(by(token, request)).await;
        assert_eq!(reply.outcome(), expected, "{what}: {reply:?}");
        let next = door.deliver(by(token, post("GetAccount", CONNECT, number(1, id)))).await;
        assert_eq!(next.outcome(), Outcome::Ok, "after {what}: {next:?}");
    }
}

/// Nothing went wrong on our side.
fn assert_calm(log: &str) {
    let is_alarm = |line: &&str| line.contains("panicked") || line.contains(r#""level":"ERROR""#);
    assert_eq!(log.lines().find(is_alarm), None);
}

/// Sixteen million zeros, as a message of the size that is allowed.
async fn bomb() -> Vec<u8> {
    let script = "head -c 16000000 /dev/zero | gzip -9";
    let bomb = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).output().await;
    let bomb = bomb.unwrap().stdout;
    assert!((1..=MAX_BYTES).contains(&bomb.len()), "{} bytes", bomb.len());
    bomb
}

/// Bodies made of frames, for a method that wants a number.
fn framed(content_type: &str, id: i64, bomb: &[u8]) -> Vec<Case> {
    let good = number(1, id);
    let prefixed = |length: [u8; 4]| [&[0][..], &length, &good].concat();
    let bodies = [
        ("a message", frame(&good), 0),
        ("an empty message", frame(&[]), 3),
        ("no message", vec![], 12),
        ("half a head", vec![0, 0, 0], 3),
        ("half a message", frame(&good)[..6].to_vec(), 3),
        ("two messages", [frame(&good), frame(&good)].concat(), 12),
        ("a byte after it", [frame(&good), vec![0]].concat(), 12),
        ("a length that is too long", prefixed([0, 0, 0, 99]), 3),
        ("a length that is too short", prefixed([0, 0, 0, 1]), 12),
        ("the longest length", prefixed([255; 4]), 8),
        ("a message that is compressed by nothing", flagged(1, &good), 13),
        ("trailers", flagged(0x80, b"grpc-status:0\r\n"), 3),
        ("no protobuf", frame(&[0xff; 20]), 3),
        ("another type of field", frame(&bytes(1, b"abc")), 3),
        ("a number without an end", frame(&[&[8][..], &[0xff; 11]].concat()), 3),
        ("groups in groups", frame(&[[0x7b; 8_000], [0x7c; 8_000]].concat()), 3),
        ("groups without an end", frame(&[0x7b; MAX_BYTES]), 3),
        ("the largest message", frame(&padded(&good, MAX_BYTES)), 0),
        ("one byte more", frame(&padded(&good, MAX_BYTES + 1)), 8),
        ("a mebibyte", frame(&padded(&good, 1 << 20)), 8),
    ];
    let get = |body| post("GetAccount", content_type, body);
    let mut cases: Vec<Case> = bodies
        .into_iter()
        .map(|(name, body, code)| (name.to_owned(), get(body), Grpc(code)))
        .collect();
    let encoded = |encoding, body| with(get(body), "grpc-encoding", encoding);
    let text = |value| post("GetUser", content_type, frame(&bytes(1, value)));
    let more = [
        ("as it is", encoded("identity", frame(&good)), 0),
        ("a bomb", encoded("gzip", flagged(1, bomb)), 12),
        ("what could have been compressed", encoded("gzip", frame(&good)), 12),
        ("an unknown compression", encoded("nonsense", flagged(1, &good)), 12),
        ("no UTF-8", text(&[0xff, 0xfe]), 3),
        ("a surrogate", text(&[0xed, 0xa0, 0x80]), 3),
        ("a zero", text(b"a\0b"), 3),
        ("an unknown method", post("Nothing", content_type, frame(&good)), 12),
    ];
    cases.extend(more.map(|(name, request, code)| (name.to_owned(), request, Grpc(code))));
    cases
}

/// Bodies that are a message each.
fn bare(id: i64, bomb: &[u8]) -> Vec<Case> {
    let good = number(1, id);
    let get = |body| post("GetAccount", CONNECT, body);
    let too_large = Connect(429, "resource_exhausted");
    let unimplemented = Connect(501, "unimplemented");
    let encoded = |encoding, body| with(get(body), "content-encoding", encoding);
    let cases = [
        ("no message", get(vec![]), INVALID),
        ("a frame", get(frame(&good)), INVALID),
        ("no protobuf", get(vec![0xff; 20]), INVALID),
        ("no UTF-8", post("GetUser", CONNECT, bytes(1, &[0xff, 0xfe])), INVALID),
        ("a zero", post("GetUser", CONNECT, bytes(1, b"a\0b")), INVALID),
        ("groups in groups", get([[0x7b; 8_000], [0x7c; 8_000]].concat()), INVALID),
        ("the largest message", get(padded(&good, MAX_BYTES)), Outcome::Ok),
        ("one byte more", get(padded(&good, MAX_BYTES + 1)), too_large),
        ("a mebibyte", get(padded(&good, 1 << 20)), too_large),
        ("as it is", encoded("identity", good.clone()), Outcome::Ok),
        ("a bomb", encoded("gzip", bomb.to_vec()), unimplemented),
        ("another version", with(get(good.clone()), "connect-protocol-version", "2"), INVALID),
        ("an unknown method", post("Nothing", CONNECT, good), Connect(404, "unimplemented")),
    ];
    cases.map(|(name, request, outcome)| (name.to_owned(), request, outcome)).to_vec()
}

/// Texts that are not a message in JSON.
fn texts() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "{",
        "[]",
        "[\"1\"]",
        "null",
        "1",
        "\"a\"",
        "{\"id\": null}",
        "{\"id\": \"1\", \"id\": \"1\"}",
        "{\"id\": 1, \"id\": 1}",
        "{\"id\": 9223372036854775808}",
        "{\"id\": \"9223372036854775808\"}",
        "{\"id\": -9223372036854775809}",
        "{\"id\": 1e400}",
        "{\"id\": 1.5}",
        "{\"id\": \"1\\u0000\"}",
        "{\"id\": true}",
        "{\"id\": [1]}",
        "{\"id\": {\"id\": 1}}",
        "{\"id\": 1} {}",
        "{\"id\": 1, }",
        "{'id': 1}",
        "\u{feff}{\"id\": 1}",
        "{\"id\": NaN}",
    ];
    let mut texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    texts.push(b"{\"id\": \"\xff\"}".to_vec());
    texts.push("{\"id\":".repeat(2_000).into_bytes());
    texts.push(format!("{{\"id\":{}{}}}", "[".repeat(2_000), "]".repeat(2_000)).into_bytes());
    texts.push(vec![b'['; MAX_BYTES]);
    texts
}

/// The same in JSON, alone and in frames.
fn in_json(id: i64) -> Vec<Case> {
    let mut cases = Vec::new();
    for text in texts() {
        let name = String::from_utf8_lossy(&text).chars().take(40).collect::<String>();
        let framed = post("GetAccount", WEB_JSON, frame(&text));
        cases.push((name.clone(), post("GetAccount", CONNECT_JSON, text), INVALID));
        cases.push((name, framed, Grpc(3)));
    }
    let deep = format!("{{\"id\": {id}, \"x\": {}{}}}", "[".repeat(2_000), "]".repeat(2_000));
    let fill = |size| format!("{:size$}", format!("{{\"id\": \"{id}\"}}"));
    for (text, code) in [(deep, 0), (fill(MAX_BYTES), 0), (fill(MAX_BYTES + 1), 8)] {
        let name = text.chars().take(40).collect::<String>();
        let text = text.into_bytes();
        let framed = post("GetAccount", WEB_JSON, frame(&text));
        let outcome = if code == 0 { Outcome::Ok } else { Connect(429, "resource_exhausted") };
        cases.push((name.clone(), post("GetAccount", CONNECT_JSON, text), outcome));
        cases.push((name, framed, Grpc(code)));
    }
    cases
}

/// What is no type of a message.
fn types(id: i64) -> Vec<Case> {
    let body = format!("{{\"id\": {id}}}").into_bytes();
    let unsupported = Http(415);
    let types = [
        ("", unsupported),
        ("text/plain", unsupported),
        ("application/xml", unsupported),
        ("application/x-www-form-urlencoded", unsupported),
        ("application/jsonp", unsupported),
        ("application/grpc+thrift", Grpc(12)),
        ("application/grpc-web+thrift", Grpc(12)),
        ("application/json; charset=utf-8", Outcome::Ok),
    ];
    let case = |(name, outcome): (&str, Outcome)| {
        (name.to_owned(), post("GetAccount", name, body.clone()), outcome)
    };
    types.into_iter().map(case).collect()
}

fn all(id: i64, bomb: &[u8]) -> Vec<Case> {
    let framed = [WEB, "application/grpc-web", GRPC].map(|it| framed(it, id, bomb)).concat();
    [framed, bare(id, bomb), in_json(id), types(id)].concat()
}

#[tokio::test]
async fn the_function_refuses_what_is_no_call() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let id = alice.account("USD", 0).await;
    let mut cases = all(id, &bomb().await);

    // For those who can read and write nothing but text.
    let text = |bytes: &[u8]| STANDARD.encode(bytes).into_bytes();
    let good = frame(&number(1, id));
    let texts = [
        ("a message", text(&good), 0),
        ("no number", text(&frame(&number(1, 0))), 3),
        ("no base64", b"@@@@".to_vec(), 3),
        ("bytes", good.clone(), 3),
        ("no message", vec![], 12),
        ("half a message", text(&good[..6]), 3),
    ];
    for (name, body, code) in texts {
        for content_type in [WEB_TEXT, "application/grpc-web-text"] {
            let request = post("GetAccount", content_type, body.clone());
            cases.push((name.to_owned(), request, Grpc(code)));
        }
    }
    // What has no route does not get as far as to the function.
    for verb in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let name = verb.to_string();
        cases.push((name, request(verb, "GetAccount", CONNECT_JSON, vec![]), Http(404)));
    }
    let elsewhere = [
        "/simplebank.v1.Other/GetAccount",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/simplebank.v1.SimpleBank/",
        "/simplebank.v1.SimpleBank/GetAccount/",
        "/v1/get_account",
    ];
    for path in elsewhere {
        cases.push((path.to_owned(), post(path, WEB, good.clone()), Http(404)));
    }
    assert_outcomes(&bank, &alice.access_token, id, cases).await;

    // One process did it all.
    let log = bank.gateway.log();
    assert_calm(&log);
    let is_start = |line: &&str| line.starts_with("[rpc]") && line.contains(r#""cold_start":true"#);
    assert_eq!(log.lines().filter(is_start).count(), 1);
}

#[tokio::test]
async fn the_native_server_refuses_what_is_no_call() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    native.keep_secret(&alice.access_token);
    let id = alice.account("USD", 0).await;
    let mut cases = all(id, &bomb().await);
    for verb in [Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let name = verb.to_string();
        cases.push((name, request(verb, "GetAccount", CONNECT_JSON, vec![]), Http(405)));
    }
    for path in ["/simplebank.v1.Other/GetAccount", "/simplebank.v1.SimpleBank/", "/"] {
        cases.push((path.to_owned(), post(path, GRPC, frame(&number(1, id))), Grpc(12)));
    }
    assert_outcomes(&native, &alice.access_token, id, cases).await;
    assert_calm(&native.log());
}

#[tokio::test]
async fn every_byte_passes_both_ways() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let token = &alice.access_token;
    let id = alice.account("USD", 9_007_199_254_740_991).await;
    let all: Vec<u8> = (0..=255).collect();
    // What a later contract might have.
    let message = [bytes(15, &all), number(1, id), bytes(14, &all)].concat();

    let bare = bank.deliver(by(token, post("GetAccount", CONNECT, message.clone()))).await;
    assert_eq!(bare.outcome(), Outcome::Ok, "{bare:?}");
    assert!(std::str::from_utf8(&bare.body).is_err(), "{bare:?}");
    let account = &bare.body[2..];
    let owner = bytes(2, alice.username.as_bytes());
    let expected = [number(1, id), owner, number(3, 9_007_199_254_740_991), bytes(4, b"USD")];
    assert!(account.starts_with(&expected.concat()), "{bare:?}");

    let text = STANDARD.encode(frame(&message)).into_bytes();
    let replies = [
        bank.deliver(by(token, post("GetAccount", WEB, frame(&message)))).await,
        bank.deliver(by(token, post("GetAccount", WEB_TEXT, text))).await,
        bank.deliver(by(token, post("GetAccount", GRPC, frame(&message)))).await,
        native.deliver(by(token, post("GetAccount", WEB, frame(&message)))).await,
        native.deliver(by(token, post("GetAccount", GRPC, frame(&message)))).await,
    ];
    for reply in replies {
        assert_eq!(reply.outcome(), Grpc(0), "{reply:?}");
        assert_eq!(reply.frames()[0], (0, &bare.body[..]), "{reply:?}");
    }
}

/// The original's paths have a status of their own for what is too large.
#[tokio::test]
async fn the_originals_paths_refuse_what_is_no_message() {
    let bank = Bank::start().await;
    let send = async |body: Vec<u8>| {
        let answer = bank.send(Method::POST, "/v1/verify_email", |request| request.body(body));
        let answer = answer.await;
        assert_eq!(answer.headers["content-type"], "application/json");
        (answer.status.as_u16(), answer.body["code"].as_u64())
    };
    let code = "0".repeat(32);
    let good = format!("{{\"email_id\": 7, \"secret_code\": \"{code}\"}}");
    let fill = |size: usize| (good.clone() + &" ".repeat(size - good.len())).into_bytes();
    assert_eq!(send(fill(MAX_BYTES)).await, (404, Some(5)));
    assert_eq!(send(fill(MAX_BYTES + 1)).await, (413, Some(8)));
    assert_eq!(send(fill(1 << 20)).await, (413, Some(8)));
    let mut bodies = texts();
    bodies.extend([frame(good.as_bytes()), vec![0xff; 20], (0..=255).collect(), bomb().await]);
    bodies.push(format!("{{\"email_id\": 7, \"secret_code\": \"{code}\\u0000\"}}").into_bytes());
    for body in bodies {
        let name = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
        assert_eq!(send(body).await, (400, Some(3)), "{name}");
        assert_eq!(send(good.clone().into_bytes()).await, (404, Some(5)), "after {name}");
    }
    let deep = format!("{{\"x\": {}{}, {}", "[".repeat(2_000), "]".repeat(2_000), &good[1..]);
    assert_eq!(send(deep.into_bytes()).await, (404, Some(5)));
    assert_calm(&bank.gateway.log());
}

/// Postgres knows no zero in a text, and whoever reads one as an end knows another text.
#[tokio::test]
async fn no_text_is_cut_at_a_zero() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let id = alice.account("USD", 0).await;
    let call = async |method: &str, body: &Value| {
        let request = post(method, CONNECT_JSON, body.to_string().into_bytes());
        let request = with(request, "idempotency-key", &key());
        bank.deliver(by(&alice.access_token, request)).await
    };
    let changed = |mut body: Value, field: &str, value: &str| {
        body[field] = json!(value);
        body
    };
    let new = sign_up("zero_knowledge");
    let update = json!({ "username": alice.username, "currentPassword": PASSWORD });
    let cases = [
        ("CreateUser", changed(new.clone(), "username", "zero\0knowledge")),
        ("CreateUser", changed(new.clone(), "full_name", "Zero\0Knowledge")),
        ("CreateUser", changed(new.clone(), "email", "zero\0@example.com")),
        ("CreateUser", changed(new, "password", "seven tall cranes\0over a lake")),
        ("GetUser", json!({ "username": "zero\0knowledge" })),
        ("UpdateUser", changed(update.clone(), "username", "zero\0knowledge")),
        ("UpdateUser", changed(update.clone(), "fullName", "Zero\0Knowledge")),
        ("UpdateUser", changed(update, "email", "zero\0@example.com")),
        ("VerifyEmail", json!({ "emailId": 7, "secretCode": format!("{}\0", "0".repeat(31)) })),
        ("LoginUser", json!({ "username": "zero\0knowledge", "password": PASSWORD })),
        ("LoginUser", json!({ "username": alice.username, "password": format!("{PASSWORD}\0") })),
        ("RevokeSession", json!({ "id": format!("{}\0", alice.session_id) })),
        ("CreateAccount", json!({ "currency": "EU\0" })),
        ("ListEntries", json!({ "accountId": id, "cursor": "\0" })),
        ("ListTransfers", json!({ "cursor": "\0" })),
        ("CreateTransfer", changed(transfer(id, 1, 1), "currency", "USD\0")),
    ];
    for (method, body) in cases {
        let reply = call(method, &body).await;
        assert_eq!(reply.outcome(), INVALID, "{method} {body}: {reply:?}");
    }
    let renewal = json!({ "refreshToken": format!("{}\0", alice.refresh_token) });
    let reply = call("RenewAccess", &renewal).await;
    assert_eq!(reply.outcome(), Connect(401, "unauthenticated"), "{reply:?}");
    assert_calm(&bank.gateway.log());
}

#[tokio::test]
async fn metadata_are_read_strictly() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let id = alice.account("USD", 0).await;
    let deposit = [number(1, id), number(2, 1)].concat();
    let keyed = |key: &[u8]| {
        let mut request = post("Deposit", WEB, frame(&deposit));
        let key = HeaderValue::from_bytes(key).unwrap();
        request.headers_mut().insert("idempotency-key", key);
        by(&alice.access_token, request)
    };
    let long = "k".repeat(65);
    for key in
        [&b""[..], b"short", b"sixteen\xff\xfecharacters", b"with a space in it", long.as_bytes()]
    {
        let name = String::from_utf8_lossy(key);
        assert_eq!(bank.deliver(keyed(key)).await.outcome(), Grpc(3), "{name}");
        assert_eq!(native.deliver(keyed(key)).await.outcome(), Grpc(3), "{name}");
    }
    let huge = format!("Bearer {}", "a".repeat(8_000));
    let basic = format!("Basic {}", alice.access_token);
    let bare = alice.access_token.clone();
    let twice = format!("Bearer {0} {0}", alice.access_token);
    for header in ["", "Bearer", "Bearer ", &huge, &basic, &bare, &twice] {
        let request =
            || with(post("GetAccount", WEB, frame(&number(1, id))), "authorization", header);
        assert_eq!(bank.deliver(request()).await.outcome(), Grpc(16), "{header}");
        assert_eq!(native.deliver(request()).await.outcome(), Grpc(16), "{header}");
    }
    assert_eq!(alice.balance(id).await, 0);
    assert_calm(&bank.gateway.log());
    assert_calm(&native.log());
}

/// A client that gave up may ask again under its key, wherever its call was when it did.
#[tokio::test]
async fn a_time_limit_of_any_length_leaves_the_next_call_alone() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let id = alice.account("USD", 0).await;
    let deposit = [number(1, id), number(2, 1)].concat();
    let limits = [
        "0m",
        "1n",
        "300u",
        "1m",
        "2m",
        "3m",
        "5m",
        "8m",
        "99999999H",
        "999999999H",
        "-1S",
        "soon",
    ];
    for limit in limits {
        let key = key();
        let request = |content_type| {
            let request = post("Deposit", content_type, frame(&deposit));
            by(&alice.access_token, with(request, "idempotency-key", &key))
        };
        let hurried = |content_type| with(request(content_type), "grpc-timeout", limit);
        for reply in [bank.deliver(hurried(WEB)).await, native.deliver(hurried(GRPC)).await] {
            // Done, or given up, or done by the first at this moment.
            let outcome = reply.outcome();
            assert!([Grpc(0), Grpc(4), Grpc(10)].contains(&outcome), "{limit}: {reply:?}");
        }
        for door in 0..2 {
            let again = async || match door {
                0 => bank.deliver(request(WEB)).await,
                _ => native.deliver(request(GRPC)).await,
            };
            let mut reply = again().await;
            while reply.outcome() == Grpc(10) {
                reply = again().await;
            }
            assert_eq!(reply.outcome(), Grpc(0), "{limit}: {reply:?}");
        }
    }
    assert_eq!(alice.balance(id).await, i64::try_from(limits.len()).unwrap());
    assert_calm(&bank.gateway.log());
    assert_calm(&native.log());
    bank.assert_books_are_right().await;
}

/// Nobody holds a call for ever who sends its message drop by drop.
#[tokio::test]
async fn a_message_that_never_ends_is_not_waited_for() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    native.keep_secret(&alice.access_token);
    let id = alice.account("USD", 0).await;
    let line = Line::to(&native);
    let drops = stream::iter([Ok::<_, Infallible>(Bytes::from_static(&[0, 0]))]);
    let body = Body::from_stream(drops.chain(stream::pending()));
    let endless = line.stream(post("GetAccount", GRPC, vec![]).map(|_| body));
    let others = async {
        let good = by(&alice.access_token, post("GetAccount", GRPC, frame(&number(1, id))));
        line.send(good).await.unwrap().outcome()
    };
    let (endless, others) = tokio::join!(endless, others);
    assert_eq!((endless.unwrap().outcome(), others), (Grpc(4), Grpc(0)));
}
