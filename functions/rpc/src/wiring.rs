//! The service, with all that is set up for it once, wherever it is served.

use std::{sync::Arc, time::Duration};

use connectrpc::{CompressionRegistry, ConnectRpcService, DeadlinePolicy, Limits, Router};
use shared::http::MAX_BODY_BYTES;

use crate::{
    app::App,
    interceptors::{Guard, Identify},
    service::Service,
};

/// What gRPC puts before a message: a flag and its length.
const FRAME_BYTES: usize = 5;

/// How long a call may take, from its first byte on and whatever its client says: longer than its work
/// may, which tells better what became of it. A client's own limit ends its waiting alone.
const CALL_TIMEOUT: Duration = Duration::from_secs(9);

/// The bank's methods, and nothing else.
pub(crate) fn service(app: App) -> ConnectRpcService {
    let app = Arc::new(app);
    with_interceptors(&app, methods(&app))
}

/// The bank's methods, to which others may be added.
pub(crate) fn methods(app: &Arc<App>) -> Router {
    Router::new().add_service(Arc::new(Service(Arc::clone(app))))
}

/// What holds for every call.
pub(crate) fn with_interceptors(app: &Arc<App>, router: Router) -> ConnectRpcService {
    let limits = Limits::default()
        .with_max_message_size(MAX_BODY_BYTES)
        .with_max_request_body_size(MAX_BODY_BYTES.saturating_add(FRAME_BYTES));
    let deadlines = DeadlinePolicy::new()
        .with_min(CALL_TIMEOUT)
        .with_max(CALL_TIMEOUT)
        .with_default_timeout(CALL_TIMEOUT);
    ConnectRpcService::new(router)
        .with_limits(limits)
        .with_deadline_policy(deadlines)
        .with_compression(CompressionRegistry::new())
        .with_interceptor(Guard)
        .with_interceptor(Identify(Arc::clone(app)))
}
