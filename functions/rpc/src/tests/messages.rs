//! Messages as they should not be, and how they are framed.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use shared::{
    http::MAX_BODY_BYTES,
    testing::{Event, MockStore},
};

use super::{Bank, connect};

const WEB: &str = "application/grpc-web+proto";

/// A message of gRPC-Web: a flag, its length, itself.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

/// The status that the trailers in the body tell.
fn web_status(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let status = text.split("grpc-status:").nth(1).unwrap_or("none");
    status.trim_start().chars().take_while(char::is_ascii_digit).collect()
}

#[tokio::test]
async fn a_log_in_of_nobody_fails_in_every_protocol_alike() {
    // Field 1 is `A`, which is nobody's name.
    let message = [0x0a, 0x01, b'A'];
    let bank = || Bank::new(MockStore::new());
    let answer = bank().send(connect("LoginUser").bytes(WEB, &framed(&message)), None).await;
    assert_eq!((answer.status, web_status(&answer.bytes).as_str()), (200, "3"));
    assert_eq!(answer.headers["content-type"], WEB);

    let text = STANDARD.encode(framed(&message));
    let event = connect("LoginUser").bytes("application/grpc-web-text+proto", text.as_bytes());
    let answer = bank().send(event, None).await;
    assert_eq!(answer.headers["content-type"], "application/grpc-web-text+proto");
    assert_eq!(web_status(&STANDARD.decode(&answer.bytes).unwrap()), "3");

    let answer = bank().send(connect("LoginUser").bytes("application/proto", &message), None).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_argument"));
    assert_eq!(answer.details(), ["google.rpc.BadRequest", "google.rpc.ErrorInfo"]);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let nested = "[".repeat(5_000);
    let nested = format!("{{\"x\":{nested}");
    let web: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "12"),
        ("half a frame", framed(b"\x0a\x05alice")[..7].to_vec(), "3"),
        ("a frame that is longer than it says", [framed(b""), vec![9, 9]].concat(), "12"),
        ("two frames", [framed(b""), framed(b"")].concat(), "12"),
        ("a message cut short", framed(b"\x0a\x7fa"), "3"),
        ("a text that is no UTF-8", framed(b"\x0a\x02\xff\xfe"), "3"),
        ("a group without an end", framed(&[0x0b; 2_000]), "3"),
    ];
    for (name, body, status) in web {
        let bank = Bank::new(MockStore::new());
        let answer = bank.send(connect("LoginUser").bytes(WEB, &body), None).await;
        assert_eq!((answer.status, web_status(&answer.bytes).as_str()), (200, status), "{name}");
    }
    let text = connect("LoginUser").bytes("application/grpc-web-text", b"no base64!");
    let answer = Bank::new(MockStore::new()).send(text, None).await;
    assert_eq!(answer.status, 200);

    let json: Vec<(&str, &[u8])> = vec![
        ("nothing", b""),
        ("half an object", b"{\"username\":"),
        ("an array", b"[\"alice\",\"correct horse\"]"),
        ("a text", b"\"alice\""),
        ("null", b"null"),
        ("the same name twice", b"{\"username\":\"alice\",\"username\":\"bob\"}"),
        ("another type", b"{\"username\":7}"),
        ("no UTF-8", b"{\"username\":\"\xff\"}"),
        ("half a pair", br#"{"username":"\ud800"}"#),
        ("nesting without end", nested.as_bytes()),
        ("two objects", b"{}{}"),
        ("a mark of byte order", b"\xef\xbb\xbf{}"),
    ];
    for (name, body) in json {
        let events = [connect("LoginUser"), Event::new("POST /v1/login_user")];
        for (event, is_v1) in events.into_iter().zip([false, true]) {
            // An empty message is one, to the original's gateway; what is in it is wrong all the same.
            let answer =
                Bank::new(MockStore::new()).send(event.bytes("application/json", body), None).await;
            assert_eq!(answer.status, 400, "{name}: {}", answer.body);
            let code = if is_v1 { json!(3) } else { json!("invalid_argument") };
            assert_eq!(answer.body["code"], code, "{name}");
        }
    }

    for (content_type, status) in [("text/plain", 415), ("application/x-www-form-urlencoded", 415)]
    {
        let event = connect("LoginUser").bytes(content_type, b"{}");
        assert_eq!(Bank::new(MockStore::new()).send(event, None).await.status, status);
    }
    let packed = connect("LoginUser").bytes("application/json", &gzip);
    let packed = packed.header("content-encoding", "gzip");
    let answer = Bank::new(MockStore::new()).send(packed, None).await;
    assert_eq!((answer.status, answer.code()), (501, "unimplemented"));
    let unknown = connect("DropTables").json(&json!({}));
    let answer = Bank::new(MockStore::new()).send(unknown, None).await;
    assert_eq!((answer.status, answer.code()), (404, "unimplemented"));
}

/// Control characters have no place in any text, whichever way they came.
#[tokio::test]
async fn texts_hold_no_control_characters() {
    let bank = Bank::new(MockStore::new());
    let message = json!({ "username": "alice\u{0}", "password": "correct\u{0}horse" });
    let answer = bank.call("LoginUser", &message, None).await;
    assert_eq!(answer.code(), "invalid_argument");
    let message = b"\x0a\x05al\x00ce\x12\x0ccorrect\x00hors";
    let answer = bank.send(connect("LoginUser").bytes(WEB, &framed(message)), None).await;
    assert_eq!(web_status(&answer.bytes), "3");
}

#[tokio::test]
async fn messages_have_a_largest_size() {
    // An unknown field that fills a message up to such a size: a key and the length, then bytes.
    let filled = |size: usize| {
        let length = size - 4;
        let low = u8::try_from(length & 0x7f).unwrap() | 0x80;
        let middle = u8::try_from((length >> 7) & 0x7f).unwrap();
        let mut message = vec![0x7a, low, middle | 0x80, u8::try_from(length >> 14).unwrap()];
        message.extend((0..=255).cycle().take(length));
        assert_eq!(message.len(), size);
        message
    };
    for (size, code, status) in
        [(MAX_BODY_BYTES, "invalid_argument", "3"), (MAX_BODY_BYTES + 1, "resource_exhausted", "8")]
    {
        let bank = Bank::new(MockStore::new());
        let event = connect("LoginUser").bytes("application/proto", &filled(size));
        assert_eq!(bank.send(event, None).await.code(), code, "{size}");
        let event = connect("LoginUser").bytes(WEB, &framed(&filled(size)));
        assert_eq!(web_status(&bank.send(event, None).await.bytes), status, "{size}");
        let text = STANDARD.encode(framed(&filled(size)));
        let event = connect("LoginUser").bytes("application/grpc-web-text", text.as_bytes());
        let answer = bank.send(event, None).await;
        assert_eq!(web_status(&STANDARD.decode(&answer.bytes).unwrap()), status, "{size}");
        let spaces = " ".repeat(size - 2);
        let event = Event::new("POST /v1/login_user");
        let answer = bank.send(event.text(&format!("{{{spaces}}}")), None).await;
        let expected = if size > MAX_BODY_BYTES { 413 } else { 400 };
        assert_eq!(answer.status, expected, "{size}");
    }
}
