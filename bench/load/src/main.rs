//! Customers who want something of the bank all at once, for `make bench`.
//!
//! In a closed loop (`-c CLIENTS -d TIME`) each sends its next request when it has the answer. In an open one
//! (`--every MICROSECONDS`) requests are due at fixed times, whatever the bank does, and a latency counts from
//! then: one that had to wait because nobody was free to send it was waited for all the same.

mod customers;
mod wish;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use clap::Parser;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rlt::{BenchSuite, IterInfo, IterReport, Status, cli::BenchCli};
use tokio::time::sleep_until;

use crate::{
    customers::Customers,
    wish::{Sent, Wish, request},
};

/// Sends requests to the bank and reports how they were answered.
#[derive(Parser, Clone)]
struct Options {
    /// Where the API is, as in <http://127.0.0.1:8080>.
    #[arg(long)]
    url: String,
    /// What the customers want.
    #[arg(long, value_enum)]
    wish: Wish,
    /// Who they are: a name, an account and an access token on each line.
    #[arg(long)]
    customers: std::path::PathBuf,
    /// The most customers of that file, all if absent.
    #[arg(long)]
    payers: Option<usize>,
    /// Money goes to the accounts from 1 to this one.
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    /// The one password of all.
    #[arg(long, default_value = "")]
    password: String,
    /// Of the random numbers, and of the keys: no two runs on one database may have the same.
    #[arg(long)]
    seed: u64,
    /// An open loop: a request is due every so many microseconds, from the first on, so that nothing may warm up.
    #[arg(long)]
    every: Option<u64>,
    #[command(flatten)]
    run: BenchCli,
}

/// What all workers share.
#[derive(Clone)]
struct Load {
    url: String,
    wish: Wish,
    customers: Customers,
    accounts: u64,
    password: String,
    seed: u64,
    every: Option<Duration>,
    /// When the first request was due.
    began: &'static OnceLock<Instant>,
}

/// A worker's connection and what it draws from.
struct Worker {
    client: Client<HttpConnector, Sent>,
    random: fastrand::Rng,
}

#[async_trait]
impl BenchSuite for Load {
    type WorkerState = Worker;

    async fn state(&self, worker: u32) -> Result<Worker> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(worker.into());
        Ok(Worker { client, random: fastrand::Rng::with_seed(seed) })
    }

    async fn bench(&mut self, worker: &mut Worker, info: &IterInfo) -> Result<IterReport> {
        let request = request(self, &mut worker.random)?;
        let due = match self.every {
            Some(every) => self.wait(every, info.runner_seq).await,
            None => Instant::now(),
        };
        let (head, body) = worker.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let (duration, code) = (due.elapsed(), head.status.as_u16().into());
        let status = match code {
            200..300 => Status::success(code),
            400..500 => Status::client_error(code),
            _ => Status::server_error(code),
        };
        Ok(IterReport { duration, status, bytes: u64::try_from(body.len())?, items: 1 })
    }
}

impl Load {
    /// Waits until the request of this number is due, and says when that was.
    async fn wait(&self, every: Duration, number: u64) -> Instant {
        let began = *self.began.get_or_init(Instant::now);
        let steps = u32::try_from(number).unwrap_or(u32::MAX);
        let due = began + every.saturating_mul(steps);
        sleep_until(due.into()).await;
        due
    }
}

// One thread, so that the bank has the machine.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let options = Options::parse();
    ensure!(
        options.every.is_none() || options.run.warmup == 0,
        "--every leaves no room for --warmup"
    );
    let load = Load {
        url: options.url,
        wish: options.wish,
        customers: Customers::read(&options.customers, options.payers)?,
        accounts: options.accounts,
        password: options.password,
        seed: options.seed,
        every: options.every.map(Duration::from_micros),
        began: &BEGAN,
    };
    rlt::cli::run(options.run, load).await
}
