//! What a process says, and what it must not say.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The lines of a process, as they come. Dropped after a failure it shows them; otherwise no secret may be
/// in them.
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
    secrets: Mutex<BTreeSet<String>>,
}

impl Log {
    /// Collects what comes out of a process.
    pub(crate) fn of(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let collected = Arc::clone(&text);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut text = collected.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self { text, secrets: Mutex::default() }
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// From now on this must not be in it.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.secrets.lock().unwrap().insert(secret.to_owned());
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let text = self.text.lock().unwrap();
        if std::thread::panicking() {
            eprintln!("{text}");
            return;
        }
        for secret in self.secrets.lock().unwrap().iter() {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} was logged");
        }
    }
}
