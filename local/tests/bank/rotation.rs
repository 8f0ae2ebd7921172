//! Keys are rotated while people log in and spend, and nobody is turned away.

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use shared::auth::Keyring;
use uuid::Uuid;

use super::people::{Bank, public_keys, sign_up};

const CLIENTS: usize = 6;
/// The life of an access token.
const TTL: Duration = Duration::from_secs(4);
/// How old a token gets before its client renews it.
const RENEW_AFTER: Duration = Duration::from_millis(2_500);
/// How long a deployment's old and new environments serve side by side.
const OVERLAP: Duration = Duration::from_millis(1_500);

/// The bank as one deployment has configured it.
async fn deployed(keyring: &str, public: &str) -> Bank {
    let ttl = format!("AccessTokenTtlSecs={}", TTL.as_secs());
    let (keyring, public) =
        (format!("SIGNING_KEYRING={keyring}"), format!("TokenPublicKeys={public}"));
    let parameters = ["--parameter", &ttl, "--env", &keyring, "--parameter", &public];
    Bank::start_with(&parameters).await
}

/// Somebody whose requests reach any environment that serves.
struct Client {
    username: String,
    tokens: Option<Tokens>,
}

struct Tokens {
    access: String,
    refresh: String,
    since: Instant,
}

impl Client {
    async fn log_in(&mut self, bank: &Bank) {
        let since = Instant::now();
        let holder = bank.log_in(&self.username).await;
        let (access, refresh) = (holder.access_token, holder.refresh_token);
        self.tokens = Some(Tokens { access, refresh, since });
    }

    async fn renew(&mut self, bank: &Bank, refresh: &str) {
        let since = Instant::now();
        let answer = bank.renew(refresh).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        let (access, refresh) = (token("access_token"), token("refresh_token"));
        self.tokens = Some(Tokens { access, refresh, since });
    }

    /// Gets new tokens if the old ones are old, then uses them. Everything has to be answered 200.
    async fn act(&mut self, banks: &[&Bank], random: &mut StdRng) {
        let issuer = banks.choose(random).unwrap();
        match &self.tokens {
            None => self.log_in(issuer).await,
            Some(_) if random.random_ratio(1, 20) => self.log_in(issuer).await,
            Some(tokens) if tokens.since.elapsed() > RENEW_AFTER || random.random_ratio(1, 10) => {
                let refresh = tokens.refresh.clone();
                self.renew(issuer, &refresh).await;
            }
            Some(_) => {}
        }
        let token = &self.tokens.as_ref().unwrap().access;
        let bank = banks.choose(random).unwrap();
        let answer = bank
            .send(reqwest::Method::GET, "/accounts", |request| request.bearer_auth(token))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// Everybody acts, again and again, for so long; the number of requests.
async fn traffic(
    clients: &mut [Client],
    banks: &[&Bank],
    random: &mut StdRng,
    duration: Duration,
) -> usize {
    let end = Instant::now() + duration;
    let acting = clients.iter_mut().map(|client| {
        let mut random = StdRng::seed_from_u64(random.random());
        async move {
            let mut count = 0;
            while Instant::now() < end {
                client.act(banks, &mut random).await;
                count += 1;
            }
            count
        }
    });
    futures_util::future::join_all(acting).await.into_iter().sum()
}

/// The three deployments that SECURITY.md describes.
#[tokio::test]
async fn a_rotation_turns_nobody_away() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let old = Keyring::generate().unwrap();
    let old_text = old.expose().unwrap();
    let new_text = old.rotated().unwrap().expose().unwrap();
    let old_public = public_keys(&old_text);
    let both = public_keys(&new_text);
    let (new_public, _) = both.split_once(',').unwrap();
    let retired_text = Keyring::parse(&new_text).unwrap().retired().expose().unwrap();

    let before = deployed(&old_text, &old_public).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let username = format!("user_{}", Uuid::new_v4().simple());
        assert_eq!(before.post("/users", &sign_up(&username)).await.status, 201);
        clients.push(Client { username, tokens: None });
    }
    let mut count = traffic(&mut clients, &[&before], &mut random, OVERLAP).await;

    // 1. Every verifier learns the new key, which signs nothing yet.
    let learned = deployed(&old_text, &format!("{old_public},{new_public}")).await;
    count += traffic(&mut clients, &[&before, &learned], &mut random, OVERLAP).await;
    drop(before);

    // 2. The new key signs. Tokens of the old one are out for as long as one lives.
    let switched = deployed(&new_text, &both).await;
    count += traffic(&mut clients, &[&learned, &switched], &mut random, OVERLAP).await;
    drop(learned);
    count += traffic(&mut clients, &[&switched], &mut random, TTL).await;

    // 3. The old key is forgotten.
    let retired = deployed(&retired_text, new_public).await;
    count += traffic(&mut clients, &[&switched, &retired], &mut random, OVERLAP).await;
    drop(switched);
    count += traffic(&mut clients, &[&retired], &mut random, OVERLAP).await;
    println!("{count} requests");
    assert!(count > 100, "{count} requests");
}

/// What the first step is for: without it, somebody is turned away.
#[tokio::test]
async fn a_key_that_signs_before_it_is_known_opens_nothing() {
    let old = Keyring::generate().unwrap();
    let old_text = old.expose().unwrap();
    let new_text = old.rotated().unwrap().expose().unwrap();
    let before = deployed(&old_text, &public_keys(&old_text)).await;
    let switched = deployed(&new_text, &public_keys(&new_text)).await;
    let username = format!("user_{}", Uuid::new_v4().simple());
    assert_eq!(before.post("/users", &sign_up(&username)).await.status, 201);
    let use_at = async |bank: &Bank, token: &str| {
        bank.send(reqwest::Method::GET, "/accounts", |request| request.bearer_auth(token)).await
    };

    let early = switched.log_in(&username).await.access_token;
    use_at(&before, &early).await.assert_problem(401, "invalid_token");
    let late = before.log_in(&username).await.access_token;
    assert_eq!(use_at(&switched, &late).await.status, 200);
    assert_eq!(use_at(&switched, &early).await.status, 200);
}
