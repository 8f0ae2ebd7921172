//! Numbers and names: each has one way to be written, so that what was read is written as it was sent.
#![no_main]

use std::sync::Arc;

use fuzz::block_on;
use libfuzzer_sys::fuzz_target;
use shared::{
    auth::{RefreshToken, VerificationCode},
    bank::BankError,
    domain::{Currency, Email, IdempotencyKey, SessionId},
    http::{Reply, Request},
    testing::{Event, send_to},
};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let same = |read: Option<String>| read.inspect(|read| assert_eq!(read, text)).is_some();
    same(SessionId::parse(text).ok().map(|id| id.0.to_string()));
    same(IdempotencyKey::parse(text).ok().map(|key| key.as_str().to_owned()));
    same(Currency::parse(text).ok().map(|currency| currency.code().to_owned()));
    same(Email::parse(text).ok().map(|email| email.as_str().to_owned()));
    same(VerificationCode::parse(text).ok().map(|code| code.expose().to_owned()));
    same(RefreshToken::parse(text).ok().map(|token| token.expose().to_owned()));

    let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    let event = Event::new("GET /accounts/{id}").path("id", text).path("username", text);
    let read = async |_: Arc<()>, request: Request| -> Result<Reply, BankError> {
        assert_eq!(request.path_id().ok(), number.filter(|number| *number > 0));
        same(request.path_session().ok().map(|id| id.0.to_string()));
        same(request.path_username().ok().map(|name| name.as_str().to_owned()));
        let mut fields = request.query_fields();
        assert_eq!(fields.peek("limit"), text);
        assert_eq!(fields.integer("limit", Ok), number);
        fields.finish(|| number)?;
        Ok(Reply::no_content())
    };
    let answer = block_on(send_to(Arc::new(()), read, event.query("limit", text)));
    assert_eq!(answer.status, if number.is_some() { 204 } else { 400 });
});
