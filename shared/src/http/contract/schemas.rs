//! How the domain's types are written in JSON and in addresses. A test holds each pattern against the
//! parser of its type.

use utoipa::{
    Number, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use crate::{
    auth::{RefreshToken, VerificationCode},
    domain::{
        AccountId, Amount, Balance, Currency, Email, EntryId, EntryKind, FullName, IdempotencyKey,
        Limit, MAX_MINOR_UNITS, MAX_PAGE_NUMBER, Page, Role, SessionId, TransferId, Username,
        VerificationId,
    },
};

/// A password that is to be set.
pub enum NewPassword {}
/// A password that is to be checked.
pub enum OfferedPassword {}
/// The position in a list at which the next slice begins.
pub enum Cursor {}
/// The number of a page, counted from 1.
pub enum PageNumber {}
/// The rows of a page.
pub enum PageSize {}

macro_rules! written {
    ($($type:ty: $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }
        impl ToSchema for $type {}
    )*};
}

written! {
    Username: pattern("^[a-z0-9_]{3,100}$", "alice")
        .description(Some("The name that a user logs in by."));
    FullName: pattern(&full_name(), "Alice Liddell")
        .min_length(Some(1))
        .max_length(Some(100))
        .description(Some(
            "What a person is called, in any script. Without control and invisible characters, \
             < and >, and not blank.",
        ));
    Email: text("alice@example.com")
        .format(Some(SchemaFormat::Custom("email".to_owned())))
        .max_length(Some(200))
        .description(Some(
            "One address in ASCII at a domain with a dot in it, without quotes, display name and domain \
             literal. Unique without regard to case.",
        ));
    NewPassword: secret("seven tall cranes")
        .min_length(Some(8))
        .max_length(Some(128))
        .description(Some(
            "Not the user's name or address, and none that is soon guessed.",
        ));
    OfferedPassword: secret("seven tall cranes").min_length(Some(1)).max_length(Some(128));
    Role: codes(["depositor", "banker"], "depositor");
    Currency: codes(Currency::ALL.map(Currency::code), Currency::Usd.code())
        .description(Some("ISO 4217."));
    Amount: integer(1, MAX_MINOR_UNITS, 2500)
        .description(Some("Minor units: 2500 is 25 dollars."));
    Balance: integer(0, MAX_MINOR_UNITS, 7500).description(Some("Minor units, never below zero."));
    AccountId: integer(1, i64::MAX, 42);
    EntryId: integer(1, i64::MAX, 1002);
    EntryKind: codes(["deposit", "withdrawal", "transfer"], "transfer");
    TransferId: integer(1, i64::MAX, 501);
    VerificationId: integer(1, MAX_MINOR_UNITS, 2_482_649_261_713_517)
        .description(Some("The number in the mail."));
    VerificationCode: pattern("^[0-9a-f]{32}$", "0f8fad5bd9cb469fa16570867728950e")
        .description(Some("The code in the mail."));
    SessionId: pattern(UUID, "0190163d-8694-739b-aea5-966c26f8ad91")
        .format(Some(SchemaFormat::Custom("uuid".to_owned())));
    RefreshToken: pattern(VISIBLE, "dGhpcyBpcyBub3QgYSByZWFsIHJlZnJlc2ggdG9rZW4")
        .description(Some("Opaque, of use once."));
    IdempotencyKey: pattern("^[A-Za-z0-9_-]{16,64}$", "f3b1c2d4-0b5e-4c58-9d2e-2f6a1f0c7a11");
    Cursor: pattern(VISIBLE, "v4.local.opaque").description(Some("An answer's `next_cursor`, as it was."));
    Limit: integer(1, Page::MAX_LIMIT, Page::DEFAULT_LIMIT).description(Some("The most rows to answer with; 20 unless said."));
    PageNumber: integer(1, MAX_PAGE_NUMBER, 1);
    PageSize: integer(Page::MIN_PAGE_SIZE, Page::MAX_LIMIT, Page::DEFAULT_LIMIT);
}

/// Of what is opaque, no more is promised.
const VISIBLE: &str = "^[!-~]+$";

const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Inside a class: what no name has. Of what lies beyond U+FFFF there is no notation that all readers of
/// patterns know.
const REFUSED_IN_NAMES: &str = "<>\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f-\\u1160\\u17b4-\\u17b5\\u180e\
                                \\u200b\\u200e-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\
                                \\ufdd0-\\ufdef\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe-\\uffff";
/// The same of what does not make a name alone.
const BLANK_IN_NAMES: &str = "\\s\\u180b-\\u180f\\u200c-\\u200d\\ufe00-\\ufe0f";

/// Something that is seen, among what is allowed.
fn full_name() -> String {
    format!("^[^{REFUSED_IN_NAMES}]*[^{BLANK_IN_NAMES}{REFUSED_IN_NAMES}][^{REFUSED_IN_NAMES}]*$")
}

fn text(example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).examples([example])
}

fn pattern(pattern: &str, example: &str) -> ObjectBuilder {
    text(example).pattern(Some(pattern))
}

fn secret(example: &str) -> ObjectBuilder {
    text(example).format(Some(SchemaFormat::Custom("password".to_owned())))
}

fn codes<const N: usize>(codes: [&'static str; N], example: &str) -> ObjectBuilder {
    text(example).enum_values(Some(codes))
}

/// A whole number, both ends included.
fn integer(least: i64, most: i64, example: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::Custom("int64".to_owned())))
        .minimum(Some(number(least)))
        .maximum(Some(number(most)))
        .examples([example])
}

fn number(number: i64) -> Number {
    isize::try_from(number).map_or(Number::Int(isize::MAX), Number::Int)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;
    use serde_json::json;

    use super::*;

    /// The pattern that is published for a type.
    fn published<T: ToSchema>() -> Regex {
        let schema = json!(T::schema());
        let length = schema["maxLength"].as_u64();
        assert!(length.is_none_or(|length| length == 100), "the test cuts at 100 characters");
        Regex::new(schema["pattern"].as_str().unwrap()).unwrap()
    }

    /// Text of what the parsers are about: what is allowed, what is not, and what looks like either.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9_]{0,102}",
            "[A-Za-z0-9_-]{14,66}",
            "[0-9a-fA-F]{31,33}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA]{12}",
            "[a-z <>\\x00-\\x20\\x7f-\\xa0\\u{200b}-\\u{2070}\\u{3000}é]{0,5}",
            "[a \\u{34f}\\u{115f}\\u{180b}-\\u{180f}\\u{200c}\\u{2800}\\u{3164}\\u{fe00}-\\u{fe0f}\\u{fff0}-\\u{ffff}]{0,4}",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn what_is_published_is_what_is_taken(text in text()) {
            let is_short = text.chars().count() <= 100;
            let is_basic = text.chars().all(|it| it <= '\u{ffff}' || FullName::parse(&it.to_string()).is_ok());
            for (name, pattern, is_taken) in [
                ("Username", published::<Username>(), Username::parse(&text).is_ok()),
                ("IdempotencyKey", published::<IdempotencyKey>(), IdempotencyKey::parse(&text).is_ok()),
                ("VerificationCode", published::<VerificationCode>(), VerificationCode::parse(&text).is_ok()),
                ("SessionId", published::<SessionId>(), SessionId::parse(&text).is_ok()),
            ] {
                prop_assert_eq!(pattern.is_match(&text), is_taken, "{}", name);
            }
            if is_short && is_basic {
                let is_taken = FullName::parse(&text).is_ok();
                prop_assert_eq!(published::<FullName>().is_match(&text), is_taken);
            }
        }
    }

    #[test]
    fn every_example_is_taken() {
        let first = |schema: RefOr<Schema>| json!(schema)["examples"][0].clone();
        let text = |schema| first(schema).as_str().unwrap().to_owned();
        assert!(Username::parse(&text(Username::schema())).is_ok());
        assert!(FullName::parse(&text(FullName::schema())).is_ok());
        assert!(Email::parse(&text(Email::schema())).is_ok());
        assert!(IdempotencyKey::parse(&text(IdempotencyKey::schema())).is_ok());
        assert!(VerificationCode::parse(&text(VerificationCode::schema())).is_ok());
        assert!(SessionId::parse(&text(SessionId::schema())).is_ok());
        assert!(RefreshToken::parse(&text(RefreshToken::schema())).is_ok());
        assert!(crate::domain::Password::choose(&text(NewPassword::schema()), "", "").is_ok());
    }
}
