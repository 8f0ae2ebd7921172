"""Fuzzes the API of a bank of its own by what its document promises, with schemathesis: as somebody unknown, and as a
customer.

    python local/tests/contract/run.py        started by `make test-contract`

DATABASE_URL names an empty database, BIN the folder of the built functions. SEED repeats a run, which prints its own;
EXAMPLES says how many requests of each kind are made up for a route.

The document's examples are made true before: alice, who knows the password that stands there, has account 42, and bob
43. So what is sent is not only refused.
"""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
WORK = ROOT / "target/contract"
DOCUMENT = ROOT / "functions/docs/openapi.json"
RUNS = ["anonymous", "customer"]
PASSWORD = "seven tall cranes"
PATIENCE_SECS = 60
# More than anything in a run that moves money could add up to.
FORTUNE = 1_000_000_000


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(url, body=None, token=None, **headers):
    """The JSON of a request that has to succeed."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Accept": "application/json", "Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


def start(url, port):
    """A bank in which any number of wrong passwords may be tried, or most of a run would be about that."""
    limits = ["LoginFailuresByAddress=1000000", "LoginFailuresByName=1000000"]
    log = open(WORK / "bank.log", "w")
    environment = os.environ | {"PORT": str(port), "GRPC_PORT": str(free_port())}
    parameters = [word for limit in limits for word in ("--parameter", limit)]
    bank = subprocess.Popen(["local/run.sh", "serve", *parameters], env=environment, stdout=log, stderr=log)
    for _ in range(PATIENCE_SECS * 10):
        if bank.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5)
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"The bank did not start; see {log.name}.")


def number_the_next(table, number):
    statement = f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {number}"
    subprocess.run(["psql", "-XqAt", os.environ["DATABASE_URL"], "-c", statement], check=True)


def sign_up(url, name):
    """Signs somebody up; what the mail's link says."""
    email = f"{name}@example.com"
    call(f"{url}/users", {"username": name, "password": PASSWORD, "full_name": name.title(), "email": email})
    for _ in range(PATIENCE_SECS * 10):
        mails = json.dumps(call(f"{url}/_local/mail?{urllib.parse.urlencode({'to': email})}"))
        if found := re.search(r"email_id=(\d+)&(?:amp;)?secret_code=([0-9a-f]+)", mails):
            return {"email_id": int(found[1]), "secret_code": found[2]}
        time.sleep(0.1)
    sys.exit(f"No mail came to {email}.")


def become_customer(url, name):
    """Signs somebody up, verifies the address, and logs in; the token."""
    call(f"{url}/verify_email", sign_up(url, name))
    return call(f"{url}/users/login", {"username": name, "password": PASSWORD})["access_token"]


def open_account(url, token, currency):
    account = call(f"{url}/accounts", {"currency": currency}, token)["id"]
    call(f"{url}/accounts/{account}/deposits", {"amount": FORTUNE}, token, Idempotency_Key=f"the-fortune-of-{account:04}")
    return account


def prepare(url):
    number_the_next("accounts", 42)
    alice, bob = become_customer(url, "alice"), become_customer(url, "bob")
    accounts = [open_account(url, alice, "USD"), open_account(url, bob, "USD"), open_account(url, alice, "EUR")]
    assert accounts == [42, 43, 44], accounts
    # How each logs in, in the words of Web Fuzzing Commons. A token whose session has ended is replaced.
    users = [{
        "name": name,
        "loginEndpointAuth": {
            "endpoint": "/users/login",
            "verb": "POST",
            "contentType": "application/json",
            "payloadUserPwd": {
                "username": name, "password": PASSWORD, "usernameField": "username", "passwordField": "password"},
            "token": {
                "extractFrom": "body", "extractSelector": "/access_token",
                "sendIn": "header", "sendName": "Authorization", "sendTemplate": "Bearer {token}"},
        },
    } for name in ("alice", "bob")]
    (WORK / "users.json").write_text(json.dumps({"auth": users}))
    # A code is of use once.
    mailed = {"/verify_email": sign_up(url, "carol"), "/v1/verify_email": sign_up(url, "dave")}
    os.environ["MAILED"] = json.dumps(mailed)


def fuzz(who, url, seed, examples):
    print(f"\n== {who}, SEED={seed} EXAMPLES={examples}", flush=True)
    words = ["--config-file", str(HERE / f"{who}.toml"), "run", str(DOCUMENT), "--url", url, "--seed", str(seed)]
    words += ["--max-examples", str(examples), "--generation-database", "none", "--continue-on-failure", *sys.argv[1:]]
    environment = os.environ | {
        "BANK": url, "ANSWERED": str(WORK / f"{who}.json"), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE),
        # Nothing is left beside the sources.
        "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(WORK / "hypothesis")}
    begin = time.monotonic()
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    code = subprocess.run([schemathesis, *words], env=environment, cwd=ROOT).returncode
    print(f"== {who}: {'kept' if code == 0 else 'BROKEN'}, {time.monotonic() - begin:.0f} seconds", flush=True)
    return code == 0


def tell_what_was_never_done():
    """Names the routes that were refused whatever was sent: of their answers, little has been seen."""
    answers = {}
    for who in RUNS:
        for route, statuses in json.loads((WORK / f"{who}.json").read_text()).items():
            answers.setdefault(route, set()).update(statuses)
    for route, statuses in sorted(answers.items()):
        if not any(status.startswith("2") for status in statuses):
            print(f"Never done: {route}, answered by {', '.join(sorted(statuses))}")


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    start(url, port)
    prepare(url)
    seed = int(os.environ.get("SEED") or random.randrange(10**9))
    examples = int(os.environ.get("EXAMPLES") or 20)
    kept = [fuzz(who, url, seed, examples) for who in RUNS]
    tell_what_was_never_done()
    # Whatever was sent, the books have to be right.
    verified = subprocess.run(["local/run.sh", "verify"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if verified.returncode != 0:
        sys.exit(f"The books are wrong.\n{verified.stderr}")
    if not all(kept):
        sys.exit(f"The contract is not kept. To see it again: make test-contract SEED={seed} EXAMPLES={examples}")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
