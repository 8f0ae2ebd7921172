//! Who asks: an operator with a command, or `CloudFormation`.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::{handler::Command, resource::ResourceRequest};

#[derive(Debug)]
pub(crate) enum Event {
    Command(Command),
    Resource(ResourceRequest),
}

/// By hand, so that what is wrong is said of the one that was meant.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Value::deserialize(deserializer)?;
        let event = if event.get("RequestType").is_some() {
            ResourceRequest::deserialize(event).map(Self::Resource)
        } else {
            Command::deserialize(event).map(Self::Command)
        };
        event.map_err(Error::custom)
    }
}
