"""A customer's whole life at the bank, by a client without generated code: address, then the name of a
customer who is verified, their password, a wrong one, and the account that is to be paid. Says which
tokens there were."""

import sys
import uuid

from grpc import StatusCode

from bank import Bank, same

address, username, password, wrong_password, to_account = sys.argv[1:]
bank = Bank(address)


def log_in(name, more=()):
    session = bank.reply("LoginUser", username=name, password=password, more=more)
    print(session.access_token, session.refresh_token, sep="\n")
    bank.token = session.access_token
    return session


# What there is.
services = set(bank.database.get_services())
same("simplebank.v1.SimpleBank" in services, True, str(services))
same(len(bank.service.methods), 19, "methods")
for service in ["", "simplebank.v1.SimpleBank"]:
    same(bank.health(service), 1, f"the health of {service!r}")

# Signing up: every field that is wrong is named.
refusal = bank.refusal("CreateUser", StatusCode.INVALID_ARGUMENT, username="A!", password="short")
same(refusal.message, "invalid parameters")
same(sorted(refusal.fields), ["email", "full_name", "password", "username"])
same(refusal.reason, "INVALID_ARGUMENT")
name = f"user_{uuid.uuid4().hex}"
new = dict(username=name, password=password, full_name="Zoë Łukasz 李", email=f"{name}@example.com")
user = bank.reply("CreateUser", **new).user
same((user.username, user.full_name, user.is_email_verified), (name, new["full_name"], False))
same(user.password_changed_at, user.created_at)
same(bank.refusal("CreateUser", StatusCode.ALREADY_EXISTS, **new).reason, "USERNAME_TAKEN")

# Nobody acts without a session.
for token, reason in [(None, "UNAUTHENTICATED"), ("v4.public.forged", "INVALID_TOKEN")]:
    bank.token = token
    refusal = bank.refusal("ListAccounts", StatusCode.UNAUTHENTICATED)
    same(refusal.reason, reason)
    same("www-authenticate" in refusal.metadata, True, str(refusal.metadata))

# A newcomer may receive, and not pay.
log_in(name)
newcomers = bank.reply("CreateAccount", currency="USD").account
same((newcomers.owner, newcomers.balance, newcomers.currency), (name, 0, "USD"))
again = bank.refusal("CreateAccount", StatusCode.ALREADY_EXISTS, currency="USD")
same(again.reason, "ACCOUNT_EXISTS")
bank.reply("Deposit", key=str(uuid.uuid4()), account_id=newcomers.id, amount=50)
refusal = bank.refusal(
    "Withdraw",
    StatusCode.PERMISSION_DENIED,
    key=str(uuid.uuid4()),
    account_id=newcomers.id,
    amount=1,
)
same(refusal.reason, "EMAIL_NOT_VERIFIED")

# Where a call comes from and what it calls itself is what the server sees.
lies = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-real-ip", "203.0.113.7"),
    ("forwarded", "for=203.0.113.7"),
    ("user-agent", "somebody else"),
]
session = log_in(username, more=lies)
sessions = bank.reply("ListSessions", more=lies).sessions
mine = [it for it in sessions if it.current]
same([it.id for it in mine], [session.session_id])
same(mine[0].client_ip, "127.0.0.1")
same(mine[0].user_agent.startswith("a-client/1 grpc-python/"), True, mine[0].user_agent)

# Money comes in, three times.
account = bank.reply("CreateAccount", currency="USD").account
for amount in [1_000, 200, 34]:
    key = str(uuid.uuid4())
    deposited, metadata = bank.call("Deposit", key=key, account_id=account.id, amount=amount)
    same(metadata.get("idempotent-replayed"), None)
deposited, metadata = bank.call("Deposit", key=key, account_id=account.id, amount=34)
same((deposited.account.balance, metadata.get("idempotent-replayed")), (1_234, "true"))
same([it.id for it in bank.reply("ListAccounts").accounts], [account.id])

# A transfer happens once, however often it is sent.
transfer = dict(
    from_account_id=account.id, to_account_id=int(to_account), amount=234, currency="USD"
)
key = str(uuid.uuid4())
first, metadata = bank.call("CreateTransfer", key=key, **transfer)
same(metadata.get("idempotent-replayed"), None)
same((first.from_account.balance, first.from_entry.amount), (1_000, -234))
second, metadata = bank.call("CreateTransfer", key=key, **transfer)
same((second, metadata.get("idempotent-replayed")), (first, "true"))
other = bank.refusal(
    "CreateTransfer", StatusCode.FAILED_PRECONDITION, key=key, **{**transfer, "amount": 1}
)
same(other.reason, "IDEMPOTENCY_KEY_REUSED")
key = str(uuid.uuid4())
for replayed in [None, "true"]:
    refusal = bank.refusal(
        "CreateTransfer",
        StatusCode.FAILED_PRECONDITION,
        key=key,
        **{**transfer, "amount": 1_000_000},
    )
    same(refusal.reason, "INSUFFICIENT_FUNDS")
    same(refusal.metadata.get("idempotent-replayed"), replayed, str(refusal.metadata))
refusal = bank.refusal("CreateTransfer", StatusCode.INVALID_ARGUMENT, **transfer)
same(refusal.reason, "IDEMPOTENCY_KEY_MISSING")
refusal = bank.refusal("CreateTransfer", StatusCode.INVALID_ARGUMENT, key=str(uuid.uuid4()))
same(sorted(refusal.fields), ["amount", "currency", "from_account_id", "to_account_id"])
refusal = bank.refusal("GetAccount", StatusCode.NOT_FOUND, id=int(to_account))
same(refusal.reason, "NOT_FOUND")
one_more = {**transfer, "amount": 1}
bank.reply("CreateTransfer", key=str(uuid.uuid4()), **one_more)
bank.reply("CreateTransfer", key=str(uuid.uuid4()), **one_more)
same(bank.reply("GetTransfer", id=first.transfer.id).transfer, first.transfer)


# Lists, newest first, page after page.
def pages(method, field, **fields):
    cursor, found = "", []
    while True:
        reply = bank.reply(method, limit=3, cursor=cursor, **fields)
        found.append([it.amount for it in getattr(reply, field)])
        cursor = reply.next_cursor
        if not cursor:
            return found


same(pages("ListEntries", "entries", account_id=account.id), [[-1, -1, -234], [34, 200, 1_000]])
bank.reply("CreateTransfer", key=str(uuid.uuid4()), **{**transfer, "amount": 2})
same(pages("ListTransfers", "transfers", account_id=account.id), [[2, 1, 1], [234]])
same(pages("ListTransfers", "transfers"), [[2, 1, 1], [234]])
refusal = bank.refusal(
    "ListEntries", StatusCode.INVALID_ARGUMENT, account_id=account.id, cursor="nonsense"
)
same(refusal.fields, ["cursor"])

# Five wrong passwords, and the sixth has to wait; whoever is in stays in.
for _ in range(5):
    refusal = bank.refusal(
        "LoginUser", StatusCode.UNAUTHENTICATED, username=name, password=wrong_password
    )
    same(refusal.reason, "INVALID_CREDENTIALS")
refusal = bank.refusal(
    "LoginUser", StatusCode.RESOURCE_EXHAUSTED, username=name, password=wrong_password
)
same(refusal.reason, "TOO_MANY_REQUESTS")
delay = refusal.details["google.rpc.RetryInfo"].retry_delay
same(1 <= delay.seconds <= 30, True, str(delay))
same(refusal.metadata.get("retry-after"), str(delay.seconds))
same(bank.reply("GetAccount", id=account.id).account.balance, 996)

# A session that ends, ends at once; on another connection too.
bank.reply("Logout")
elsewhere = Bank(address)
elsewhere.token = bank.token
for client in [bank, elsewhere]:
    refusal = client.refusal("GetAccount", StatusCode.UNAUTHENTICATED, id=account.id)
    same(refusal.reason, "SESSION_ENDED")
