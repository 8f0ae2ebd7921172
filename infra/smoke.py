"""The README's scenario against a bank that runs, on AWS or on this machine, with nothing but Python.

    python infra/smoke.py URL [--no-money]

Two new customers sign up, log in, open accounts; one pays money in, pays the other, sends the same payment again,
and both log out. Exits 1 at the first answer that is not what it should be, and prints each step.

Money leaves an account only if its owner's address is verified, which takes a mail:

    where `make run` runs     the mail is read at /_local/mail, and the scenario goes all the way
    with SMOKE_USER and       that customer pays instead of a new one: one whose address was verified by hand,
    SMOKE_PASSWORD            kept for this
    otherwise                 the payment has to be refused with email_not_verified, which is checked instead

--no-money leaves out accounts and money: what is booked stays in the books for ever, and production's are no place
for tests. A customer cannot be removed, so each run leaves two, named smoke_..., with addresses of SES's mailbox
simulator, which takes mail and bothers nobody. Sessions are ended, also when a step has failed, and balances paid
out where that is allowed.
"""

import contextlib
import json
import os
import re
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_SECS = 30
DEPOSIT = 10000
PAYMENT = 2500
SMOKE_USER = os.environ.get("SMOKE_USER")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def code(self):
        """The code of a refusal, if it is one."""
        return self.json().get("code") if "problem+json" in self.headers.get("Content-Type", "") else None


class Bank:
    def __init__(self, url):
        self.url = url.rstrip("/")
        # Of sessions that live.
        self.tokens = []

    def call(self, method, path, body=None, token=None, key=None, accept="application/json"):
        request = urllib.request.Request(self.url + path, method=method, headers={"Accept": accept})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if key:
            request.add_header("Idempotency-Key", key)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECS) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())
        except (OSError, urllib.error.URLError) as error:
            sys.exit(f"{method} {self.url}{path}: {error}")

    def expect(self, what, status, method, path, **arguments):
        answer = self.call(method, path, **arguments)
        if answer.status != status:
            # A problem holds no secret, and anything else is not printed: a session's tokens could be in it.
            said = answer.body.decode(errors="replace")[:500] if answer.code() else "no problem+json"
            sys.exit(f"{what}: {method} {path} was answered {answer.status} and not {status}: {said}")
        print(f"  {status} {what}")
        return answer

    def end_sessions(self):
        """Ends what a failed step has left. If that fails too, the first failure is what is told."""
        for token in self.tokens:
            with contextlib.suppress(SystemExit):
                self.call("POST", "/users/logout", token=token)


def check(what, holds):
    if not holds:
        sys.exit(f"{what}: it is not so")
    print(f"  yes {what}")


def new_key():
    return secrets.token_hex(16)


class Customer:
    """Somebody who is logged in."""

    def __init__(self, bank, username, password):
        self.bank, self.username, self.password = bank, username, password
        self.token = self.account = None

    @classmethod
    def sign_up(cls, bank):
        name = f"smoke_{int(time.time())}_{secrets.token_hex(4)}"
        customer = cls(bank, name, secrets.token_urlsafe(18))
        user = bank.expect("signs up", 201, "POST", "/users", body={
            "username": name, "password": customer.password, "full_name": "Smoke Test", "email": customer.email()})
        check("nobody is verified by signing up", user.json()["is_email_verified"] is False)
        return customer

    def email(self):
        return f"success+{self.username}@simulator.amazonses.com"

    def log_in(self):
        session = self.bank.expect("logs in", 200, "POST", "/users/login", body={
            "username": self.username, "password": self.password}).json()
        self.token = session["access_token"]
        self.bank.tokens.append(self.token)
        return session["user"]["is_email_verified"]

    def open_account(self):
        """Opens an account in USD, or finds the one that is there."""
        answer = self.bank.call("POST", "/accounts", body={"currency": "USD"}, token=self.token)
        check("opens an account, or has one", answer.status == 201 or answer.code() == "account_exists")
        accounts = self.bank.expect("lists accounts", 200, "GET", "/accounts", token=self.token).json()
        self.account = next(account["id"] for account in accounts if account["currency"] == "USD")

    def balance(self):
        return self.bank.expect("reads a balance", 200, "GET", f"/accounts/{self.account}", token=self.token).json()["balance"]

    def move(self, what, status, kind, amount, key):
        return self.bank.expect(what, status, "POST", f"/accounts/{self.account}/{kind}", token=self.token, key=key,
                                body={"amount": amount})

    def pay(self, what, status, recipient, amount, key):
        return self.bank.expect(what, status, "POST", "/transfers", token=self.token, key=key, body={
            "from_account_id": self.account, "to_account_id": recipient.account, "amount": amount, "currency": "USD"})

    def log_out(self):
        self.bank.expect("logs out", 204, "POST", "/users/logout", token=self.token)
        refused = self.bank.expect("is nobody afterwards", 401, "GET", "/accounts", token=self.token)
        check("which is since the session has ended", refused.code() == "session_ended")
        self.bank.tokens.remove(self.token)


def verify(customer):
    """Follows the link in the customer's mail, where mail can be read. Says whether it could."""
    mails = f"/_local/mail?{urllib.parse.urlencode({'to': customer.email()})}"
    for _ in range(100):
        answer = customer.bank.call("GET", mails)
        if answer.status != 200:
            return False
        found = re.search(rb"email_id=(\d+)&(?:amp;)?secret_code=([0-9a-f]+)", answer.body)
        if found:
            customer.bank.expect("verifies the address", 200, "POST", "/verify_email", body={
                "email_id": int(found[1]), "secret_code": found[2].decode()})
            return True
        time.sleep(0.1)
    sys.exit("no mail came within ten seconds")


def payer(bank):
    """Who pays, logged in, and whether they are allowed to."""
    if SMOKE_USER:
        customer = Customer(bank, SMOKE_USER, os.environ.get("SMOKE_PASSWORD", ""))
        check("SMOKE_USER is verified", customer.log_in())
        return customer, True
    customer = Customer.sign_up(bank)
    verified = verify(customer)
    customer.log_in()
    return customer, verified


def move_money(alice, bob, verified):
    before = alice.balance()
    deposit = new_key()
    first = alice.move("pays money in", 201, "deposits", DEPOSIT, deposit)
    again = alice.move("sends the deposit again", 201, "deposits", DEPOSIT, deposit)
    check("which is the same answer", again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true")
    check("and was booked once", alice.balance() == before + DEPOSIT)

    if not verified:
        refused = alice.pay("may not pay without a verified address", 403, bob, PAYMENT, new_key())
        check("and is told so", refused.code() == "email_not_verified")
        print(f"  no mail can be read here, so {DEPOSIT} minor units stay in account {alice.account}")
        return

    payment = new_key()
    first = alice.pay("pays the other", 201, bob, PAYMENT, payment)
    again = alice.pay("sends the payment again", 201, bob, PAYMENT, payment)
    check("which is the same answer", again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true")
    check("and was booked once", alice.balance() == before + DEPOSIT - PAYMENT and bob.balance() == PAYMENT)
    other = alice.pay("sends another payment under its key", 422, bob, PAYMENT + 1, payment)
    check("which is told apart", other.code() == "idempotency_key_reused")
    alice.move("pays out what is left of it", 201, "withdrawals", DEPOSIT - PAYMENT, new_key())
    check("and has what was there before", alice.balance() == before)
    # The recipient is new. Where mail can be read, the rest is paid out as well.
    if not SMOKE_USER and verify(bob):
        bob.move("pays out as well", 201, "withdrawals", PAYMENT, new_key())
    else:
        print(f"  {PAYMENT} minor units stay in account {bob.account}, whose owner's mail cannot be read")


def main(url, money):
    bank = Bank(url)
    try:
        run_scenario(bank, money)
    finally:
        bank.end_sessions()
    print("The bank does what it should.")


def run_scenario(bank, money):
    print(f"{bank.url}, {bank.expect('is there', 200, 'GET', '/healthz').json()}")
    bank.expect("asks for a token", 401, "GET", "/accounts")
    alice, verified = payer(bank)
    bob = Customer.sign_up(bank)
    bob.log_in()
    if money:
        alice.open_account()
        bob.open_account()
        move_money(alice, bob, verified)
        bank.expect("does not see another's account", 404, "GET", f"/accounts/{alice.account}", token=bob.token)
    alice.log_out()
    bob.log_out()


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--no-money"]
    if len(arguments) != 1 or not arguments[0].startswith(("http://", "https://")):
        sys.exit(__doc__)
    main(arguments[0], money="--no-money" not in sys.argv)
