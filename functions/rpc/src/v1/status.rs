//! What leaves when a call was not done: `{code, message, details}`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use buffa::Message;
use buffa_types::google::protobuf::Duration;
use connectrpc::{ConnectError, ErrorDetail};
use proto::google::rpc::{BadRequest, RetryInfo};
use serde::Serialize;
use utoipa::ToSchema;

/// google.rpc.Status as JSON.
#[derive(Serialize, ToSchema)]
#[schema(as = OriginalStatus)]
pub(crate) struct Status<'a> {
    /// A code of google.rpc.
    #[schema(example = 3)]
    code: u32,
    #[schema(example = "invalid parameters")]
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<serde_json::Value>, required = false)]
    details: Vec<Detail>,
}

/// The details that the original had, and when to come back.
#[derive(Serialize)]
#[serde(tag = "@type")]
enum Detail {
    #[serde(rename = "type.googleapis.com/google.rpc.BadRequest")]
    BadRequest { field_violations: Vec<FieldViolation> },
    #[serde(rename = "type.googleapis.com/google.rpc.RetryInfo")]
    RetryInfo { retry_delay: Option<Duration> },
}

#[derive(Serialize)]
struct FieldViolation {
    field: String,
    description: String,
}

impl<'a> From<&'a ConnectError> for Status<'a> {
    fn from(error: &'a ConnectError) -> Self {
        Self {
            code: error.code.grpc_code(),
            message: error.message.as_deref().unwrap_or_default(),
            details: error.details.iter().filter_map(detail).collect(),
        }
    }
}

fn detail(detail: &ErrorDetail) -> Option<Detail> {
    let bytes = STANDARD_NO_PAD.decode(detail.value.as_deref()?).ok()?;
    match detail.type_url.as_str() {
        "google.rpc.BadRequest" => {
            let violations = BadRequest::decode_from_slice(&bytes).ok()?.field_violations;
            let violations = violations.into_iter().map(|violation| FieldViolation {
                field: violation.field,
                description: violation.description,
            });
            Some(Detail::BadRequest { field_violations: violations.collect() })
        }
        "google.rpc.RetryInfo" => {
            let retry_delay = RetryInfo::decode_from_slice(&bytes).ok()?.retry_delay;
            Some(Detail::RetryInfo { retry_delay: retry_delay.into_option() })
        }
        _ => None,
    }
}
