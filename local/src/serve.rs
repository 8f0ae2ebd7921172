//! Serves the API until somebody says stop, and leaves no process behind.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{join, net::TcpListener, select, time::sleep};

use crate::{
    Error, cli::Options, console, emulator::Emulator, gateway::Gateway, invoker, lambda::Invoker,
    mailbox, stop::StopSignal, template::Template, triggers::Triggers,
};

/// How long a request or a batch in flight may still take once the end has come.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the gateway; returns after Ctrl-C or a termination signal. Without an emulator at this
/// address, nothing of AWS is served but the API and the functions.
pub(crate) async fn serve(
    options: &Options,
    template: &Template,
    emulator: Option<&str>,
) -> Result<(), Error> {
    let api = template.api()?;
    let functions = template.functions()?;
    let (queues, schedules) = template.triggers()?;
    let services = template.services()?;
    let secrets = options.secrets().map_err(Error::Options)?;
    let listener = listen(options).await?;
    let address = listener.local_addr().map_err(Error::Io)?;
    let url = api_url(address);
    let lambda = Arc::new(invoker(options, template, &functions, &url).await?);
    let emulator = emulator.map(|endpoint| Arc::new(Emulator::new(endpoint, services, secrets)));
    match &emulator {
        Some(emulator) => emulator.provision().await?,
        None => console::log("AWS_ENDPOINT_URL names no emulator of AWS: no queues, and no mail."),
    }
    let banner = format!(
        "SimpleBank is at {url} (stage {}, {} routes, {} functions)",
        api.stage,
        api.routes.len(),
        functions.len()
    );
    let gateway = Gateway::new(api, Arc::clone(&lambda), address.port())?;
    let router = mailbox::router(emulator.clone()).merge(gateway.into_router());
    let router = router.into_make_service_with_connect_info::<SocketAddr>();

    let stop = StopSignal::listen().map_err(Error::Io)?;
    console::print(&banner);
    console::print("Press Ctrl-C to stop.");
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().received());
    let triggers = Triggers { queues, schedules };
    let triggers = triggers.run(emulator, Arc::clone(&lambda), stop.clone());
    let out_of_patience = async {
        stop.received().await;
        sleep(GRACE).await;
    };
    // The functions' processes end with the last thing that holds them: the runtime, after this.
    select! {
        (result, ()) = async { join!(server, triggers) } => result.map_err(Error::Io),
        () = out_of_patience => Ok(()),
        () = reap(&lambda, options) => Ok(()),
    }
}

async fn reap(lambda: &Invoker, options: &Options) {
    lambda.reap(Duration::from_secs(options.idle_secs)).await;
}

/// How the API is reached at an address.
pub(crate) fn api_url(address: SocketAddr) -> String {
    format!("http://{address}")
}

async fn listen(options: &Options) -> Result<TcpListener, Error> {
    let address = options.address();
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            Error::PortInUse(options.port)
        } else {
            Error::Listen(address, error)
        }
    })
}
