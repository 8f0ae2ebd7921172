//! The service, with all that is set up for it once; and the server that serves it natively.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use connectrpc::{CompressionRegistry, ConnectRpcService, Limits, Router, Server};
use connectrpc_health::{StaticChecker, install_static};
use connectrpc_reflection::Reflector;
use proto::{DESCRIPTOR_SET, simplebank::v1::SIMPLE_BANK_SERVICE_NAME};
use shared::http::{Error, MAX_BODY_BYTES};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time::sleep,
};

use crate::{
    app::App,
    interceptors::{Guard, Identify},
    service::Service,
};

/// What gRPC puts before a message: a flag and its length.
const FRAME_BYTES: usize = 5;

/// How long calls that have begun may take until the process ends.
const GRACE: Duration = Duration::from_secs(10);
/// A connection on which nothing happens is looked after, so that none is kept that is gone.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The bank's methods, and nothing else.
pub(crate) fn service(app: App) -> ConnectRpcService {
    let app = Arc::new(app);
    with_router(&app, Router::new().add_service(Arc::new(Service(Arc::clone(&app)))))
}

fn with_router(app: &Arc<App>, router: Router) -> ConnectRpcService {
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
    let router = Router::new().add_service(Arc::new(Service(Arc::clone(&app))));
    let reflector = Reflector::from_descriptor_set_bytes(DESCRIPTOR_SET)?;
    let router = connectrpc_reflection::install(router, reflector);
    let (router, health) = install_static(router, [SIMPLE_BANK_SERVICE_NAME]);
    let server = Server::bind(address).await?.with_http2_keepalive_interval(KEEPALIVE);
    let address = server.local_addr()?;
    tracing::info!(%address, "gRPC is served");
    let (stopping, stopped) = oneshot::channel::<()>();
    let serving = server.serve_with_service_and_shutdown(with_router(&app, router), async move {
        stop(&health).await;
        drop(stopping);
    });
    let out_of_patience = async {
        let _ = stopped.await;
        sleep(GRACE).await;
    };
    select! {
        result = serving => result,
        () = out_of_patience => Ok(()),
    }
}

/// Waits until somebody says stop, and says so to whoever asks for the service's health.
async fn stop(health: &StaticChecker) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    health.shutdown();
    tracing::info!("gRPC is served no more");
}
