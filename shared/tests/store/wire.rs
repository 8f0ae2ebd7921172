//! A line between the store and the server that can be cut at a chosen moment.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Where the line goes dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    /// Before the next request arrives: it never happens.
    Request = 1,
    /// Before the next answer arrives: by then the server has committed.
    Reply,
    /// The same, and nobody gets through any more until the line is mended.
    RequestAndAllAfter,
    /// The same.
    ReplyAndAllAfter,
}

const WHOLE: u8 = 0;
const DEAD: u8 = u8::MAX;

/// A line to a server on this machine.
pub(crate) struct Wire {
    /// Where it begins.
    pub(crate) port: u16,
    state: Arc<AtomicU8>,
}

impl Wire {
    pub(crate) async fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(AtomicU8::new(WHOLE));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.load(Ordering::SeqCst) != DEAD {
                    let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
                    carry(client, server, &shared);
                }
            }
        });
        Self { port, state }
    }

    pub(crate) fn cut_next(&self, cut: Cut) {
        self.state.store(cut as u8, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.state.store(WHOLE, Ordering::SeqCst);
    }
}

fn carry(client: TcpStream, server: TcpStream, state: &Arc<AtomicU8>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = [(Cut::Request, WHOLE), (Cut::RequestAndAllAfter, DEAD)];
    let replies = [(Cut::Reply, WHOLE), (Cut::ReplyAndAllAfter, DEAD)];
    let there = pump(from_client, to_server, Arc::clone(state), requests);
    let back = pump(from_server, to_client, Arc::clone(state), replies);
    // When one direction ends, both do.
    tokio::spawn(async move {
        tokio::select! {
            () = there => {}
            () = back => {}
        }
    });
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<AtomicU8>,
    cuts: [(Cut, u8); 2],
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        for (cut, after) in cuts {
            let was = state.compare_exchange(cut as u8, after, Ordering::SeqCst, Ordering::SeqCst);
            if was.is_ok() {
                return;
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
