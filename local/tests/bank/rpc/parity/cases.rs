//! The table, and the people that it is about.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::bank::people::{Bank, Customer, PASSWORD, WRONG_PASSWORD, key, sign_up};

/// A code as it is mailed.
const CODE: &str = "0123456789abcdef0123456789abcdef";

/// One call, the same for all ways, and how it ends.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// HTTP's method and path, with a query if there is one.
    pub(super) route: String,
    /// HTTP's body.
    pub(super) body: Option<Value>,
    /// The message, as protobuf's JSON has it.
    pub(super) message: Value,
    pub(super) token: Option<String>,
    pub(super) key: Option<String>,
    /// `ok`, or the bank's code.
    pub(super) code: &'static str,
    /// HTTP's status when it is done.
    pub(super) status: u16,
    /// What of the reply is HTTP's body, if it is not all.
    pub(super) member: Option<&'static str>,
    pub(super) is_replay: bool,
    /// The fields that are told to be wrong, in their order.
    pub(super) fields: Vec<&'static str>,
}

impl Case {
    pub(super) fn new(
        name: &'static str,
        method: &'static str,
        route: &str,
        code: &'static str,
    ) -> Self {
        Self {
            name,
            method,
            route: route.to_owned(),
            body: None,
            message: json!({}),
            token: None,
            key: None,
            code,
            status: 200,
            member: None,
            is_replay: false,
            fields: vec![],
        }
    }

    /// The same in a body and in a message.
    fn with(self, fields: Value) -> Self {
        self.body(fields.clone()).message(fields)
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn message(self, message: Value) -> Self {
        Self { message, ..self }
    }

    pub(super) fn by(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(super) fn keyed(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn member(self, member: &'static str) -> Self {
        Self { member: Some(member), ..self }
    }

    fn replay(self) -> Self {
        Self { is_replay: true, ..self }
    }

    fn fields(self, fields: &[&'static str]) -> Self {
        Self { fields: fields.to_vec(), ..self }
    }
}

/// Who a run of the table is about: nobody of another run's.
pub(super) struct World<'a> {
    alice: Customer<'a>,
    bob: Customer<'a>,
    /// Whose address is not verified.
    newcomer: Customer<'a>,
    /// The same, who has mail sent again.
    writer: Customer<'a>,
    banker: Customer<'a>,
    /// Alice's, in another session.
    second: Customer<'a>,
    third: Customer<'a>,
    /// Who has logged out.
    gone: Customer<'a>,
    /// Who has guessed too often.
    locked: Customer<'a>,
    usd: i64,
    eur: i64,
    bobs_usd: i64,
    bobs_eur: i64,
    newcomers_usd: i64,
    /// With all the money that there may be in one.
    full: i64,
    transfer: i64,
    email_id: i64,
    spent_id: i64,
    entries_cursor: String,
    transfers_cursor: String,
}

impl<'a> World<'a> {
    pub(super) async fn new(bank: &'a Bank) -> Self {
        let (alice, bob, newcomer) =
            (bank.customer().await, bank.customer().await, bank.newcomer().await);
        let writer = bank.newcomer().await;
        let (banker, gone, locked) =
            (bank.customer().await, bank.customer().await, bank.customer().await);
        bank.grant(&banker.username, "banker").await;
        let second = bank.log_in(&alice.username).await;
        let third = bank.log_in(&alice.username).await;
        assert_eq!(gone.post("/users/logout", &Value::Null).await.status, 204);
        let guess = json!({ "username": locked.username, "password": WRONG_PASSWORD });
        for _ in 0..5 {
            bank.post("/users/login", &guess).await.assert_problem(401, "invalid_credentials");
        }
        let usd = alice.account("USD", 1_000).await;
        let eur = alice.account("EUR", 500).await;
        let bobs_usd = bob.account("USD", 100).await;
        let bobs_eur = bob.account("EUR", 0).await;
        let newcomers_usd = newcomer.account("USD", 50).await;
        let full = banker.account("USD", 9_007_199_254_740_991).await;
        let paid = alice.transfer(usd, bobs_usd, 10).await;
        let transfer = paid.body["transfer"]["id"].as_i64().unwrap();
        let entries = alice.get(&format!("/accounts/{usd}/entries?limit=1")).await;
        let entries_cursor = entries.body["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(alice.transfer(usd, bobs_usd, 5).await.status, 201);
        let list = alice.get(&format!("/transfers?account_id={usd}&limit=1")).await;
        let transfers_cursor = list.body["next_cursor"].as_str().unwrap().to_owned();
        let (email_id, spent_id) = codes(bank, &newcomer.username, &bob.username).await;
        Self {
            alice,
            bob,
            newcomer,
            writer,
            banker,
            second,
            third,
            gone,
            locked,
            usd,
            eur,
            bobs_usd,
            bobs_eur,
            newcomers_usd,
            full,
            transfer,
            email_id,
            spent_id,
            entries_cursor,
            transfers_cursor,
        }
    }
}

/// What things of a run are called in every run.
impl World<'_> {
    /// A name or an address.
    pub(super) fn person(&self, text: &str) -> &'static str {
        let name = text.split('@').next().unwrap();
        let people = [
            (&self.alice, "alice"),
            (&self.bob, "bob"),
            (&self.newcomer, "newcomer"),
            (&self.banker, "banker"),
        ];
        let known = people.into_iter().find(|(customer, _)| customer.username == name);
        known.map_or("somebody new", |(_, label)| label)
    }

    pub(super) fn account(&self, id: &Value) -> &'static str {
        let accounts = [
            (self.usd, "usd"),
            (self.eur, "eur"),
            (self.bobs_usd, "bob's usd"),
            (self.full, "full"),
        ];
        let known = accounts.into_iter().find(|(account, _)| json!(account) == *id);
        known.map_or("a new account", |(_, label)| label)
    }

    pub(super) fn transfer(&self, id: &Value) -> &'static str {
        assert!(id.is_i64(), "{id}");
        if *id == json!(self.transfer) { "the transfer" } else { "a number" }
    }

    pub(super) fn session(&self, id: &str) -> &'static str {
        uuid::Uuid::parse_str(id).unwrap();
        let sessions = [
            (&self.alice, "alice's"),
            (&self.second, "alice's second"),
            (&self.third, "alice's third"),
        ];
        let known = sessions.into_iter().find(|(customer, _)| customer.session_id == id);
        known.map_or("a new session", |(_, label)| label)
    }
}

/// The numbers of a code that is good, and of one that is spent, as if both had been mailed.
async fn codes(bank: &Bank, good: &str, spent: &str) -> (i64, i64) {
    let of = |username: &str| {
        let mailed = format!(
            "UPDATE verify_emails SET secret_hash = sha256('{CODE}'), done_at = now(), \
             published_at = now(), expires_at = now() + interval '15 minutes' \
             WHERE username = '{username}' RETURNING id"
        );
        async move {
            let row = bank.database().await.fetch_one(AssertSqlSafe(mailed)).await.unwrap();
            row.get::<i64, _>(0)
        }
    };
    let (good, spent) = (of(good).await, of(spent).await);
    bank.sql(&format!(
        "UPDATE verify_emails SET secret_hash = NULL, used_at = now() WHERE id = {spent}"
    ))
    .await;
    (good, spent)
}

fn log_in(username: &str, password: &str) -> Value {
    json!({ "username": username, "password": password })
}

fn with(mut fields: Value, name: &str, value: impl Into<Value>) -> Value {
    fields[name] = value.into();
    fields
}

/// The cases of a run, in the order in which they happen.
pub(super) fn cases(world: &World<'_>) -> Vec<Case> {
    let groups = [
        users(world),
        emails(world),
        sessions(world),
        accounts(world),
        money(world),
        transfers(world),
        ends(world),
    ];
    groups.into_iter().flatten().collect()
}

fn users(world: &World<'_>) -> Vec<Case> {
    let World { alice, bob, banker, gone, .. } = world;
    let create = |name, code| Case::new(name, "CreateUser", "POST /users", code).status(201);
    let new = || sign_up(&format!("user_{}", uuid::Uuid::new_v4().simple()));
    let get = |name, of: &Customer<'_>, code| {
        let message = json!({ "username": of.username });
        Case::new(name, "GetUser", &format!("GET {}", of.path()), code)
            .message(message)
            .member("user")
    };
    let update = |name, of: &Customer<'_>, body: Value, code| {
        let message = with(body.clone(), "username", of.username.clone());
        Case::new(name, "UpdateUser", &format!("PATCH {}", of.path()), code)
            .body(body)
            .message(message)
            .member("user")
    };
    vec![
        create("a user signs up", "ok").with(new()).member("user"),
        create("nothing is right", "invalid_argument")
            .with(json!({ "username": "A", "password": "x", "full_name": "", "email": "x" }))
            .fields(&["username", "password", "full_name", "email"]),
        create("a text with a NUL", "invalid_argument")
            .with(with(new(), "full_name", "a\u{0}b"))
            .fields(&["full_name"]),
        create("a password that is the name", "invalid_argument")
            .with(json!({ "username": "somebody_new", "password": "somebody_new",
                          "full_name": "S", "email": "somebody@example.com" }))
            .fields(&["password"]),
        create("a name that is taken", "username_taken").with(with(
            new(),
            "username",
            alice.username.clone(),
        )),
        create("an address that is taken", "email_taken").with(with(
            new(),
            "email",
            format!("{}@EXAMPLE.com", alice.username),
        )),
        get("one's own user", alice, "ok").by(&alice.access_token),
        get("a customer for a banker", alice, "ok").by(&banker.access_token),
        get("somebody else", bob, "not_found").by(&alice.access_token),
        get("without a token", alice, "unauthenticated"),
        get("with another's token", alice, "invalid_token")
            .by("v4.public.dGhpcyBpcyBub3QgYSB0b2tlbiBvZiB0aGlzIGJhbms.eyJraWQiOiJub25lIn0"),
        get("after logging out", gone, "session_ended").by(&gone.access_token),
        update("a new name", alice, json!({ "full_name": "Alice L." }), "ok")
            .by(&alice.access_token),
        update("a name by a banker", alice, json!({ "full_name": "Alice" }), "ok")
            .by(&banker.access_token),
        update(
            "an address by a banker",
            alice,
            json!({ "email": "x@example.com" }),
            "permission_denied",
        )
        .by(&banker.access_token),
        update("another's name", bob, json!({ "full_name": "Bobby" }), "not_found")
            .by(&alice.access_token),
        update(
            "a bad address",
            alice,
            json!({ "email": "invalid", "full_name": "" }),
            "invalid_argument",
        )
        .by(&alice.access_token)
        .fields(&["full_name", "email"]),
        update(
            "an address without the password",
            alice,
            json!({ "email": "y@example.com" }),
            "invalid_argument",
        )
        .by(&alice.access_token)
        .fields(&["current_password"]),
        update(
            "an address with a wrong password",
            alice,
            json!({ "email": "y@example.com", "current_password": WRONG_PASSWORD }),
            "invalid_credentials",
        )
        .by(&alice.access_token),
        update(
            "a password that is one's name",
            alice,
            json!({ "password": alice.username, "current_password": PASSWORD }),
            "invalid_argument",
        )
        .by(&alice.access_token)
        .fields(&["password"]),
        update(
            "a new password",
            bob,
            json!({ "password": "another eight cranes", "current_password": PASSWORD }),
            "ok",
        )
        .by(&bob.access_token),
    ]
}

fn emails(world: &World<'_>) -> Vec<Case> {
    let World { alice, writer, .. } = world;
    let verify = |name, id: i64, code: &str, told| {
        let fields = json!({ "email_id": id, "secret_code": code });
        Case::new(name, "VerifyEmail", "POST /verify_email", told).with(fields)
    };
    let resend =
        |name, code| Case::new(name, "ResendVerifyEmail", "POST /verify_email/resend", code);
    vec![
        verify("a wrong code", world.email_id, &"f".repeat(32), "not_found"),
        verify("no code", 0, "x", "invalid_argument").fields(&["email_id", "secret_code"]),
        verify("an unknown number", 4_503_599_627_370_496, CODE, "not_found"),
        verify("a spent code", world.spent_id, CODE, "code_spent"),
        resend("another mail", "ok").by(&writer.access_token).status(202),
        resend("another mail too soon", "too_many_requests").by(&writer.access_token),
        resend("a mail that nobody needs", "ok").by(&alice.access_token).status(202),
    ]
}

fn sessions(world: &World<'_>) -> Vec<Case> {
    let World { alice, second, third, gone, locked, .. } = world;
    let log_in_case = |name, username: &str, password: &str, code| {
        Case::new(name, "LoginUser", "POST /users/login", code).with(log_in(username, password))
    };
    let renew = |name, token: &str, code| {
        let fields = json!({ "refresh_token": token });
        Case::new(name, "RenewAccess", "POST /tokens/renew_access", code).with(fields)
    };
    let revoke = |name, id: &str, code| {
        Case::new(name, "RevokeSession", &format!("DELETE /sessions/{id}"), code)
            .message(json!({ "id": id }))
            .by(&alice.access_token)
            .status(204)
    };
    vec![
        log_in_case("a log-in", &alice.username, PASSWORD, "ok"),
        log_in_case("a wrong password", &alice.username, WRONG_PASSWORD, "invalid_credentials"),
        log_in_case("nobody logs in", "nobody_at_all", PASSWORD, "invalid_credentials"),
        log_in_case("a bad name logs in", "A", PASSWORD, "invalid_argument").fields(&["username"]),
        log_in_case("after too many guesses", &locked.username, PASSWORD, "too_many_requests"),
        renew("a renewal", &second.refresh_token, "ok"),
        renew("the same renewal again", &second.refresh_token, "ok"),
        renew("a renewal by nothing of ours", "nothing of ours", "invalid_token"),
        renew("a renewal after the end", &gone.refresh_token, "session_ended"),
        revoke("an end of another session", &third.session_id, "ok"),
        revoke("an end of an ended session", &third.session_id, "not_found"),
        revoke("an end of another's session", &locked.session_id, "not_found"),
        Case::new("the sessions", "ListSessions", "GET /sessions", "ok")
            .by(&alice.access_token)
            .member("sessions"),
        Case::new("a log-out", "Logout", "POST /users/logout", "ok")
            .by(&second.access_token)
            .status(204),
        Case::new("another log-out", "Logout", "POST /users/logout", "session_ended")
            .by(&second.access_token),
    ]
}

fn accounts(world: &World<'_>) -> Vec<Case> {
    let World { alice, usd, bobs_usd, .. } = world;
    let open = |name, currency: &str, code| {
        Case::new(name, "CreateAccount", "POST /accounts", code)
            .with(json!({ "currency": currency }))
            .by(&alice.access_token)
            .status(201)
            .member("account")
    };
    let get = |name, id: i64, code| {
        Case::new(name, "GetAccount", &format!("GET /accounts/{id}"), code)
            .message(json!({ "id": id }))
            .by(&alice.access_token)
            .member("account")
    };
    let list = |name, query: &str, message: Value, code| {
        Case::new(name, "ListAccounts", &format!("GET /accounts{query}"), code)
            .message(message)
            .by(&alice.access_token)
            .member("accounts")
    };
    vec![
        open("an account is opened", "CAD", "ok"),
        open("a second one in its currency", "CAD", "account_exists"),
        open("an unknown currency", "XYZ", "invalid_argument").fields(&["currency"]),
        get("one's own account", *usd, "ok"),
        get("another's account", *bobs_usd, "not_found"),
        get("no account", 9_000_000_000_000_000_000, "not_found"),
        list("the accounts", "", json!({}), "ok"),
        list("one account", "?limit=1", json!({ "limit": 1 }), "ok"),
        list("a page", "?page_id=1&page_size=5", json!({ "page_id": 1, "page_size": 5 }), "ok"),
        list("none is too few", "?limit=0", json!({ "limit": 0 }), "invalid_argument")
            .fields(&["limit"]),
        list(
            "pages without bounds",
            "?page_id=-1&page_size=100000",
            json!({ "page_id": -1, "page_size": 100_000 }),
            "invalid_argument",
        )
        .fields(&["page_id", "page_size"]),
    ]
}

fn money(world: &World<'_>) -> Vec<Case> {
    let World { alice, bob: _, newcomer, banker, usd, bobs_usd, newcomers_usd, full, .. } = world;
    let post = |name, method, id: i64, amount: i64, code| {
        let path = if method == "Deposit" { "deposits" } else { "withdrawals" };
        Case::new(name, method, &format!("POST /accounts/{id}/{path}"), code)
            .body(json!({ "amount": amount }))
            .message(json!({ "account_id": id, "amount": amount }))
            .status(201)
    };
    let (paid, taken, refused) = (key(), key(), key());
    let entries = |name, id: i64, query: &str, message: Value, code| {
        Case::new(name, "ListEntries", &format!("GET /accounts/{id}/entries{query}"), code)
            .message(with(message, "account_id", id))
            .by(&alice.access_token)
    };
    let cursor = &world.entries_cursor;
    vec![
        post("a deposit", "Deposit", *usd, 250, "ok").by(&alice.access_token).keyed(&paid),
        post("the same deposit again", "Deposit", *usd, 250, "ok")
            .by(&alice.access_token)
            .keyed(&paid)
            .replay(),
        post("another deposit under its key", "Deposit", *usd, 251, "idempotency_key_reused")
            .by(&alice.access_token)
            .keyed(&paid),
        post("a deposit without a key", "Deposit", *usd, 1, "idempotency_key_missing")
            .by(&alice.access_token)
            .fields(&["idempotency-key"]),
        post("a deposit under half a key", "Deposit", *usd, 1, "invalid_argument")
            .by(&alice.access_token)
            .keyed("short")
            .fields(&["idempotency-key"]),
        post("a deposit of nothing", "Deposit", *usd, 0, "invalid_argument")
            .by(&alice.access_token)
            .keyed(&key())
            .fields(&["amount"]),
        post("a deposit for another", "Deposit", *bobs_usd, 1, "not_found")
            .by(&alice.access_token)
            .keyed(&key()),
        post("a deposit without a caller", "Deposit", *usd, 1, "unauthenticated").keyed(&key()),
        post("a deposit into a full account", "Deposit", *full, 1, "balance_limit")
            .by(&banker.access_token)
            .keyed(&key()),
        post("a withdrawal", "Withdraw", *usd, 40, "ok").by(&alice.access_token).keyed(&taken),
        post("the same withdrawal again", "Withdraw", *usd, 40, "ok")
            .by(&alice.access_token)
            .keyed(&taken)
            .replay(),
        post("a withdrawal of too much", "Withdraw", *usd, 1_000_000, "insufficient_funds")
            .by(&alice.access_token)
            .keyed(&refused),
        post("the same refusal again", "Withdraw", *usd, 1_000_000, "insufficient_funds")
            .by(&alice.access_token)
            .keyed(&refused)
            .replay(),
        post("a withdrawal by a newcomer", "Withdraw", *newcomers_usd, 1, "email_not_verified")
            .by(&newcomer.access_token)
            .keyed(&key()),
        entries("the entries", *usd, "", json!({}), "ok"),
        entries(
            "an older entry",
            *usd,
            &format!("?limit=1&cursor={cursor}"),
            json!({ "limit": 1, "cursor": cursor }),
            "ok",
        ),
        entries("another's entries", *bobs_usd, "", json!({}), "not_found"),
        entries(
            "entries by no cursor",
            *usd,
            "?limit=101&cursor=x",
            json!({ "limit": 101, "cursor": "x" }),
            "invalid_argument",
        )
        .fields(&["limit", "cursor"]),
    ]
}

fn transfers(world: &World<'_>) -> Vec<Case> {
    let World { alice, newcomer, usd, eur, bobs_usd, bobs_eur, newcomers_usd, full, .. } = world;
    let pay = |name, from: i64, to: i64, amount: i64, currency: &str, code| {
        let fields = json!({
            "from_account_id": from, "to_account_id": to, "amount": amount, "currency": currency,
        });
        Case::new(name, "CreateTransfer", "POST /transfers", code)
            .with(fields)
            .by(&alice.access_token)
            .keyed(&key())
            .status(201)
    };
    let get = |name, id: i64, code| {
        Case::new(name, "GetTransfer", &format!("GET /transfers/{id}"), code)
            .message(json!({ "id": id }))
            .member("transfer")
    };
    let list = |name, query: &str, message: Value, code| {
        Case::new(name, "ListTransfers", &format!("GET /transfers{query}"), code)
            .message(message)
            .by(&alice.access_token)
    };
    let (again, cursor) = (key(), &world.transfers_cursor);
    vec![
        pay("a transfer", *usd, *bobs_usd, 30, "USD", "ok").keyed(&again),
        pay("the same transfer again", *usd, *bobs_usd, 30, "USD", "ok").keyed(&again).replay(),
        pay("a transfer of too much", *usd, *bobs_usd, 1_000_000, "USD", "insufficient_funds"),
        pay(
            "a transfer to nobody",
            *usd,
            9_000_000_000_000_000_000,
            1,
            "USD",
            "recipient_unavailable",
        ),
        pay("a transfer to another currency", *usd, *bobs_eur, 1, "USD", "recipient_unavailable"),
        pay("a transfer in another currency", *eur, *bobs_usd, 1, "USD", "currency_mismatch"),
        pay("a transfer to oneself", *usd, *usd, 1, "USD", "same_account"),
        pay("a transfer into a full account", *usd, *full, 1, "USD", "balance_limit"),
        pay("a transfer from another's account", *bobs_usd, *usd, 1, "USD", "not_found"),
        pay("a transfer by a newcomer", *newcomers_usd, *bobs_usd, 1, "USD", "email_not_verified")
            .by(&newcomer.access_token),
        pay("a transfer of nothing to nowhere", 0, -1, 0, "XYZ", "invalid_argument").fields(&[
            "from_account_id",
            "to_account_id",
            "amount",
            "currency",
        ]),
        Case {
            key: None,
            ..pay("a transfer without a key", *usd, *bobs_usd, 1, "USD", "idempotency_key_missing")
        }
        .fields(&["idempotency-key"]),
        get("a transfer that was sent", world.transfer, "ok").by(&alice.access_token),
        get("a transfer of others", world.transfer, "not_found").by(&newcomer.access_token),
        list("the transfers", "", json!({}), "ok"),
        list(
            "the transfers of an account",
            &format!("?account_id={usd}&limit=1"),
            json!({ "account_id": usd, "limit": 1 }),
            "ok",
        ),
        list(
            "older transfers of an account",
            &format!("?account_id={usd}&cursor={cursor}"),
            json!({ "account_id": usd, "cursor": cursor }),
            "ok",
        ),
        list(
            "a cursor of another account",
            &format!("?account_id={eur}&cursor={cursor}"),
            json!({ "account_id": eur, "cursor": cursor }),
            "invalid_argument",
        )
        .fields(&["cursor"]),
        list(
            "the transfers of another's account",
            &format!("?account_id={bobs_usd}"),
            json!({ "account_id": bobs_usd }),
            "not_found",
        ),
    ]
}

/// What nobody can do twice.
fn ends(world: &World<'_>) -> Vec<Case> {
    let fields = json!({ "email_id": world.email_id, "secret_code": CODE });
    let verify = |name, code| {
        Case::new(name, "VerifyEmail", "POST /verify_email", code).with(fields.clone())
    };
    vec![verify("a code", "ok"), verify("the same code again", "code_spent")]
}
