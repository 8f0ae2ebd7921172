//! The service, with all that is set up for it once; and the server that serves it natively.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum_server::{Handle, accept::NoDelayAcceptor};
use bytes::Bytes;
use connectrpc::{CompressionRegistry, ConnectRpcBody, ConnectRpcService, Limits, Router};
use connectrpc_health::install_static;
use connectrpc_reflection::Reflector;
use http::{Request, Response, header};
use http_body::Body;
use proto::{DESCRIPTOR_SET, simplebank::v1::SIMPLE_BANK_SERVICE_NAME};
use shared::{
    domain::Client,
    http::{Error, MAX_BODY_BYTES, Origin},
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};
use tower::{ServiceExt, service_fn};
use uuid::Uuid;

use crate::{
    app::App,
    interceptors::{Guard, Identify, logged},
    service::Service,
};

/// What gRPC puts before a message: a flag and its length.
const FRAME_BYTES: usize = 5;

/// How long calls that have begun may take until the process ends.
const GRACE: Duration = Duration::from_secs(10);
/// A connection that never asks for anything is closed.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection on which nothing happens is looked after, so that none is kept that is gone.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// At a time on one connection.
const MAX_CALLS: u32 = 200;

/// The bank's methods, and nothing else.
pub(crate) fn service(app: App) -> ConnectRpcService {
    let app = Arc::new(app);
    guarded(&app, methods(&app))
}

fn methods(app: &Arc<App>) -> Router {
    Router::new().add_service(Arc::new(Service(Arc::clone(app))))
}

fn guarded(app: &Arc<App>, router: Router) -> ConnectRpcService {
    let limits = Limits::default()
        .with_max_message_size(MAX_BODY_BYTES)
        .with_max_request_body_size(MAX_BODY_BYTES.saturating_add(FRAME_BYTES));
    ConnectRpcService::new(router)
        .with_limits(limits)
        .with_compression(CompressionRegistry::new())
        .with_interceptor(Guard)
        .with_interceptor(Identify(Arc::clone(app)))
}

/// Serves the bank's methods, health and reflection until a signal says stop, then lets the calls that
/// have begun come to an end.
pub(crate) async fn serve(app: App, address: SocketAddr) -> Result<(), Error> {
    let app = Arc::new(app);
    let reflector = Reflector::from_descriptor_set_bytes(DESCRIPTOR_SET)?;
    let router = connectrpc_reflection::install(methods(&app), reflector);
    let (router, health) = install_static(router, [SIMPLE_BANK_SERVICE_NAME]);
    let service = guarded(&app, router);

    let handle = Handle::new();
    let mut server = axum_server::bind(address)
        .acceptor(NoDelayAcceptor::new())
        .handle(handle.clone())
        .first_request_timeout(FIRST_REQUEST_TIMEOUT);
    let http = server.http_builder();
    http.http1().header_read_timeout(FIRST_REQUEST_TIMEOUT);
    http.http2().keep_alive_interval(KEEPALIVE).max_concurrent_streams(MAX_CALLS);
    let serving = server.serve(service_fn(move |peer: SocketAddr| {
        let service = service.clone();
        let connection = move |request| answer(service.clone(), peer, request);
        async move { Ok::<_, Infallible>(service_fn(connection)) }
    }));
    let stop = async {
        if let Some(address) = handle.listening().await {
            tracing::info!(%address, "gRPC is served");
        }
        stop_signal().await;
        health.shutdown();
        handle.graceful_shutdown(Some(GRACE));
        std::future::pending::<Infallible>().await
    };
    select! {
        result = serving => result.map_err(|error| format!("cannot serve at {address}: {error}"))?,
        never = stop => match never {},
    }
    tracing::info!("gRPC is served no more");
    Ok(())
}

/// Answers a call that came over a connection.
async fn answer<B>(
    service: ConnectRpcService,
    peer: SocketAddr,
    mut request: Request<B>,
) -> Result<Response<ConnectRpcBody>, Infallible>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    let ip = peer.ip().to_canonical().to_string();
    let client = Client::new(user_agent, Some(&ip));
    let origin = Origin { request_id: Uuid::new_v4().to_string(), client };
    request.extensions_mut().insert(origin);
    let mut response = logged(request, async |request| service.oneshot(request).await).await?;
    // An error stands in the headers too, but without its details. Who finds it there reads no trailers.
    response.headers_mut().remove("grpc-status");
    response.headers_mut().remove("grpc-message");
    Ok(response)
}

/// Waits until somebody says stop.
async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
