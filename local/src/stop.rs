//! Ctrl-C and SIGTERM, as something that can be waited for in several places.

use std::io;

use tokio::sync::watch;

/// Tells when the end is wanted.
#[derive(Clone)]
pub(crate) struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// From here on neither signal ends the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, receiver) = watch::channel(false);
        let signal = signal()?;
        tokio::spawn(async move {
            signal.await;
            sender.send_replace(true);
        });
        Ok(Self(receiver))
    }

    /// Whether it has come.
    pub(crate) fn is_received(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the first of the signals.
    pub(crate) async fn received(mut self) {
        // It could only fail if the sender were gone, and with it the task that waits.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        let _ = interrupt.recv().await;
    })
}
