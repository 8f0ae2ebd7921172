//! Serves the API until somebody says stop, and leaves no process behind.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, select, time::sleep};

use crate::{
    Error, cli::Options, console, gateway::Gateway, invoker, lambda::Invoker, stop::StopSignal,
    template::Template,
};

/// How long a request in flight may still take once the end has come.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the gateway; returns after Ctrl-C or a termination signal.
pub(crate) async fn serve(options: &Options, template: &Template) -> Result<(), Error> {
    let api = template.api()?;
    let functions = template.functions()?;
    let lambda = Arc::new(invoker(options, &functions).await?);
    let listener = listen(options).await?;
    let address = listener.local_addr().map_err(Error::Io)?;
    let banner = format!(
        "SimpleBank is at http://{address} (stage {}, {} routes, {} functions)",
        api.stage,
        api.routes.len(),
        functions.len()
    );
    let gateway = Gateway::new(api, Arc::clone(&lambda), address.port())?;
    let router = gateway.into_router().into_make_service_with_connect_info::<SocketAddr>();

    let stop = StopSignal::listen().map_err(Error::Io)?;
    console::print(&banner);
    console::print("Press Ctrl-C to stop.");
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().received());
    let out_of_patience = async {
        stop.received().await;
        sleep(GRACE).await;
    };
    // The functions' processes end with the last thing that holds them: the runtime, after this.
    select! {
        result = server => result.map_err(Error::Io),
        () = out_of_patience => Ok(()),
        () = reap(&lambda, options) => Ok(()),
    }
}

async fn reap(lambda: &Invoker, options: &Options) {
    lambda.reap(Duration::from_secs(options.idle_secs)).await;
}

async fn listen(options: &Options) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(options.host, options.port);
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            Error::PortInUse(options.port)
        } else {
            Error::Listen(address, error)
        }
    })
}
