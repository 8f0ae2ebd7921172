//! The server of native gRPC.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum_server::{Handle, accept::NoDelayAcceptor};
use bytes::Bytes;
use connectrpc::{ConnectError, ConnectRpcBody, ConnectRpcService};
use connectrpc_health::install_static;
use connectrpc_reflection::Reflector;
use http::{Request, Response, Version, header};
use http_body::Body;
use proto::{DESCRIPTOR_SET, simplebank::v1::SIMPLE_BANK_SERVICE_NAME};
use shared::{
    bank::BankError,
    domain::Client,
    http::{Error, Origin, stamp},
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinError,
};
use tower::{ServiceExt, service_fn};
use uuid::Uuid;

use crate::{
    app::App,
    interceptors::logged,
    refused::Refused,
    wiring::{methods, with_interceptors},
};

/// How long calls that have begun may take until the process ends.
const GRACE: Duration = Duration::from_secs(9);
/// A connection that never asks for anything is closed.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection on which nothing happens is looked after, so that none is kept that is gone.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// At a time on one connection.
const MAX_STREAMS: u32 = 200;
/// At a time in all. Further ones are told to come again, before they wait for what they cannot have.
const MAX_CALLS: usize = 2_000;

/// Serves the bank's methods, health and reflection until a signal says stop, then lets the calls that
/// have begun come to an end.
pub(crate) async fn serve(app: App, address: SocketAddr) -> Result<(), Error> {
    let app = Arc::new(app);
    let reflector = Reflector::from_descriptor_set_bytes(DESCRIPTOR_SET)?;
    let router = connectrpc_reflection::install(methods(&app), reflector);
    let (router, health) = install_static(router, [SIMPLE_BANK_SERVICE_NAME]);
    let service = with_interceptors(&app, router);

    let handle = Handle::new();
    let mut server = axum_server::bind(address)
        .acceptor(NoDelayAcceptor::new())
        .handle(handle.clone())
        .first_request_timeout(FIRST_REQUEST_TIMEOUT);
    let http = server.http_builder();
    http.http1().header_read_timeout(FIRST_REQUEST_TIMEOUT);
    http.http2().keep_alive_interval(KEEPALIVE).max_concurrent_streams(MAX_STREAMS);
    let calls = Arc::new(Semaphore::new(MAX_CALLS));
    let serving = server.serve(service_fn(move |peer: SocketAddr| {
        let (service, calls) = (service.clone(), Arc::clone(&calls));
        let connection =
            move |request| serve_call(service.clone(), Arc::clone(&calls), peer, request);
        async move { Ok::<_, Infallible>(service_fn(connection)) }
    }));
    // From here on a signal ends it in order, and so does one that comes right after it is served.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async {
        if let Some(address) = handle.listening().await {
            tracing::info!(%address, "gRPC is served");
        }
        select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
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

/// Serves a call that came over a connection. It is a task of its own: who leaves, or has no time left,
/// leaves nothing half done and unlogged.
async fn serve_call<B>(
    service: ConnectRpcService,
    calls: Arc<Semaphore>,
    peer: SocketAddr,
    mut request: Request<B>,
) -> Result<Response<ConnectRpcBody>, JoinError>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    let ip = peer.ip().to_canonical().to_string();
    let client = Client::new(user_agent, Some(&ip));
    let request_id = Uuid::new_v4().to_string();
    request.extensions_mut().insert(Origin {
        request_id: request_id.clone(),
        trace_id: String::new(),
        client,
    });
    let has_trailers = request.version() == Version::HTTP_2;
    let work = logged(request, async move |request| {
        let Ok(_place) = calls.try_acquire() else {
            let refused = Refused::from(BankError::Unavailable("too many calls at a time".into()));
            return ConnectError::from(refused).into_http_response(request.headers());
        };
        match service.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    });
    let mut response = tokio::spawn(work).await?;
    if has_trailers {
        // An error stands in the headers too, but without its details. Who finds it there reads no trailers.
        response.headers_mut().remove("grpc-status");
        response.headers_mut().remove("grpc-message");
    }
    stamp(response.headers_mut(), &request_id);
    Ok(response)
}
