mod calls;
mod messages;
mod original;

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use buffa::Message;
use proto::google::rpc::BadRequest;
use serde_json::{Value, json};
use shared::{
    auth::{
        Claims, CursorSealer, Keyring, PasswordHasher, TokenFormat, TokenVerifier,
        VerificationKeys, generate_cursor_key,
    },
    bank::{AccessTokens, LogInTools, Prover, RenewalTools},
    domain::{AttemptLimits, SessionLimits},
    testing::{Event, MockStore, MockTaskQueue, caller, clock, send_whole},
};
use uuid::Uuid;

use crate::{
    app::App,
    lambda::{Edge, answer},
};

const PASSWORD: &str = "correct horse battery staple";

/// A hasher that costs next to nothing.
fn passwords() -> PasswordHasher {
    PasswordHasher::with_cost(8, 1).unwrap()
}

/// The service over a mock store, and what signs its tokens.
struct Bank {
    edge: Arc<Edge>,
    keyring: Keyring,
}

impl Bank {
    fn new(store: MockStore) -> Self {
        Self::with_queue(store, MockTaskQueue::new())
    }

    fn with_queue(store: MockStore, queue: MockTaskQueue) -> Self {
        let keyring = Keyring::generate().unwrap();
        let access_tokens = || AccessTokens {
            signer: keyring.signer(TokenFormat::Paseto, "dev"),
            clock: Box::new(clock()),
            ttl: Duration::from_mins(10),
        };
        let keys = VerificationKeys::parse(&keyring.public_keys().unwrap()).unwrap();
        let day = Duration::from_hours(24);
        let app = App {
            store: Box::new(store),
            queue: Box::new(queue),
            clock: Box::new(clock()),
            verifier: TokenVerifier::new(TokenFormat::Paseto, "dev", keys),
            log_in: LogInTools {
                prover: Prover {
                    passwords: passwords(),
                    limits: AttemptLimits { by_name: 5, by_address: 20 },
                },
                access_tokens: access_tokens(),
                session_limits: SessionLimits { idle: day, life: day },
            },
            renewal: RenewalTools {
                renewal_keys: keyring.renewal_keys().unwrap(),
                access_tokens: access_tokens(),
                idle: day,
            },
            cursors: CursorSealer::new("dev", &generate_cursor_key().unwrap()).unwrap(),
        };
        Self { edge: Arc::new(Edge::new(app)), keyring }
    }

    /// The metadata of somebody whose token is good for so many seconds.
    fn bearer(&self, username: &str, seconds: i64) -> String {
        let issued = clock().0.saturating_add(time::Duration::seconds(seconds.saturating_sub(600)));
        let ttl = Duration::from_mins(10);
        let claims = Claims::new(&caller(username), Uuid::from_u128(1), issued, ttl);
        let signer = self.keyring.signer(TokenFormat::Paseto, "dev");
        format!("Bearer {}", signer.sign(&claims).unwrap())
    }

    /// Calls a method over Connect, in JSON.
    async fn call(&self, method: &str, message: &Value, caller: Option<&str>) -> Answer {
        self.send(connect(method).json(message), caller).await
    }

    async fn send(&self, event: Event, caller: Option<&str>) -> Answer {
        let event = match caller {
            Some(name) => event.header("authorization", &self.bearer(name, 600)),
            None => event,
        };
        let response = send_whole(Arc::clone(&self.edge), answer, event).await;
        let (head, body) = response.into_parts();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, bytes: body, body: json }
    }
}

/// An event of a method.
fn connect(method: &str) -> Event {
    Event::new("POST /simplebank.v1.SimpleBank/{method}").path("method", method)
}

/// An answer, taken apart.
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    bytes: Vec<u8>,
    body: Value,
}

impl Answer {
    /// `ok`, or the code of Connect.
    fn code(&self) -> &str {
        if self.status == 200 { "ok" } else { self.body["code"].as_str().unwrap_or_default() }
    }

    /// The types of the details, in their order.
    fn details(&self) -> Vec<&str> {
        let details = self.body["details"].as_array();
        details.into_iter().flatten().filter_map(|detail| detail["type"].as_str()).collect()
    }

    /// The fields that are told to be wrong.
    fn fields(&self) -> Vec<String> {
        let detail = &self.body["details"][0];
        assert_eq!(detail["type"], "google.rpc.BadRequest", "{}", self.body);
        let bytes = STANDARD_NO_PAD.decode(detail["value"].as_str().unwrap()).unwrap();
        let violations = BadRequest::decode_from_slice(&bytes).unwrap().field_violations;
        violations.into_iter().map(|violation| violation.field).collect()
    }
}

/// What somebody signs up with.
fn sign_up() -> Value {
    json!({
        "username": "alice",
        "password": PASSWORD,
        "full_name": "Alice Liddell",
        "email": "alice@example.com",
    })
}
