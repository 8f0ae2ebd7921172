//! Serves the API until somebody says stop, and leaves no process behind.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, select, sync::watch, time::sleep};

use crate::{
    Error, cli::Options, console, gateway::Gateway, invoker, lambda::Invoker, template::Template,
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

    let stop = stop_signal().map_err(Error::Io)?;
    console::print(&banner);
    console::print("Press Ctrl-C to stop.");
    let server = axum::serve(listener, router).with_graceful_shutdown(stopped(stop.clone()));
    let out_of_patience = async {
        stopped(stop).await;
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

/// Becomes true with Ctrl-C or SIGTERM. From here on neither ends the process by itself.
fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        sender.send_replace(true);
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // It could only fail if the sender were gone, and with it the task that waits for the signal.
    let _ = stop.wait_for(|stop| *stop).await;
}
