//! Reads the body of a request, up to API Gateway's limit.

use axum::body::Body;
use http_body_util::BodyExt;

use super::response_type::ResponseType;

/// The largest body that API Gateway takes.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// The whole body. One that is too large is read to its end all the same and not kept: hanging up on
/// a client that is still sending would keep the refusal from it.
pub(super) async fn read(mut body: Body) -> Result<Vec<u8>, ResponseType> {
    let mut kept = Vec::new();
    let mut received: usize = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ResponseType::BadRequest)?.into_data() else { continue };
        received = received.saturating_add(data.len());
        if received <= MAX_BODY_BYTES {
            kept.extend_from_slice(&data);
        }
    }
    if received > MAX_BODY_BYTES { Err(ResponseType::RequestTooLarge) } else { Ok(kept) }
}
