//! The body: one JSON object, read strictly.
//!
//! A derived `Deserialize` would take an array for a struct, pass over a duplicate key's first
//! value and stop at the first wrong field, so the object is read member by member instead. And
//! `serde_json`'s own `Value` would read an object with its mark for raw JSON as whatever that holds.

use std::fmt;

use lambda_http::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    Request,
    fields::{Fields, Raw},
};
use crate::bank::BankError;

/// The largest body that a request may have.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

impl Request {
    /// Whether the body is larger than [`MAX_BODY_BYTES`].
    pub(super) fn is_too_large(&self) -> bool {
        let bytes: &[u8] = self.body.as_ref();
        bytes.len() > MAX_BODY_BYTES
    }

    /// The members of the body's object. A route that has a body has no query.
    ///
    /// # Errors
    /// When there is a query, or the body is not `application/json`, compressed, or not one JSON
    /// object.
    pub fn body_fields(&self) -> Result<Fields, BankError> {
        let bytes: &[u8] = self.body.as_ref();
        self.refuse_query()?;
        if !self.is_plain("application/json") {
            return Err(BankError::UnsupportedMediaType);
        }
        let object: Object = serde_json::from_slice(bytes).map_err(|error| {
            BankError::Malformed(if error.is_data() {
                "The body must be a JSON object."
            } else {
                "The body is not valid JSON in UTF-8."
            })
        })?;
        Ok(Fields::new(object.0.into_iter().map(|(name, value)| (name, Raw::Json(value)))))
    }

    /// The fields of the form of a page of ours, if the body is one; else those of [`Self::body_fields`].
    ///
    /// # Errors
    /// As there.
    pub fn form_or_body_fields(&self) -> Result<Fields, BankError> {
        if !self.is_form() {
            return self.body_fields();
        }
        self.refuse_query()?;
        let pairs = form_urlencoded::parse(self.body.as_ref());
        Ok(Fields::new(
            pairs.map(|(name, value)| (name.into_owned(), Raw::Text(value.into_owned()))),
        ))
    }

    /// Whether the body is a form, as a browser sends it, and not compressed.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.is_plain("application/x-www-form-urlencoded")
    }

    fn is_plain(&self, wanted: &str) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
        let is_wanted = parts.next().is_some_and(|media| media.eq_ignore_ascii_case(wanted));
        let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) | None => true,
        });
        let encoding = self.headers.get(CONTENT_ENCODING);
        is_wanted && is_utf8 && encoding.is_none_or(|encoding| encoding == "identity")
    }
}

/// The members of a JSON object in the order in which they were sent, duplicates and all.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some((name, Member(value))) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's value. No route has use for what is inside an array or an object, so they stay empty.
struct Member(Value);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            #[expect(
                clippy::disallowed_types,
                reason = "a number that is not whole, which no field takes"
            )]
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                while let Some(IgnoredAny) = seq.next_element()? {}
                Ok(Value::Array(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                while let Some((IgnoredAny, IgnoredAny)) = map.next_entry()? {}
                Ok(Value::Object(Map::new()))
            }
        }

        deserializer.deserialize_any(Any).map(Self)
    }
}
