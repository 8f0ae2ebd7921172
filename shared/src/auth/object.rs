//! JSON objects, read strictly. A derived `Deserialize` refuses unknown and duplicate members by
//! itself, but takes an array for a struct; what is signed or kept as a secret has one form only.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A value that was written as an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Reads a JSON object; `None`, if it is none of this form.
pub(super) fn read_object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_slice(json).ok().map(|Object(value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        one: u8,
        two: u8,
    }

    #[test]
    fn only_an_object_is_an_object() {
        assert_eq!(read_object(br#"{"two":2,"one":1}"#), Some(Pair { one: 1, two: 2 }));
        for other in [
            "[1,2]",
            r#"{"one":1}"#,
            r#"{"one":1,"two":2,"three":3}"#,
            r#"{"one":1,"two":2,"one":1}"#,
            r#"{"one":1,"two":2}{}"#,
            r#"[{"one":1,"two":2}]"#,
            "null",
            "",
        ] {
            assert_eq!(read_object::<Pair>(other.as_bytes()), None, "{other}");
        }
    }
}
