"""The bank as it is measured: one durable Postgres, an emulator of AWS, and the gateway with the built functions."""

import contextlib
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import database
import machine
from database import ENVIRONMENT, ROOT, fail, run

OUT = ROOT / "target" / "bench"
# What `make bench` builds and says where it is.
ARTEFACTS = Path(os.environ.get("ARTEFACTS") or ROOT / "target" / "lambda")
HELLO = Path(os.environ.get("HELLO") or ROOT / "target" / "lambda-bench" / "hello" / "bootstrap")
BIN = Path(os.environ.get("BIN") or ROOT / "target" / "release")

FUNCTIONS = sorted(folder.name for folder in (ROOT / "functions").iterdir())
# The database's secret; what it says does not matter to a server that asks nobody for a password.
LOGIN = "simplebank/dev/database"
PASSWORD = "seven tall cranes"
# Those who send requests. The first hot ones are the hot accounts' owners, and those who log in are others: a user
# has ten sessions, the oldest of which ends.
PAYERS = 256
HOT = database.HOT_ACCOUNTS
GUESTS = 64

NOOP = """
  NoopFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/bench/noop/
      Events:
        Noop:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /noop, Method: post}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(is_true, what, seconds=30):
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            fail(f"{what} did not begin to answer")
        time.sleep(0.1)


@contextlib.contextmanager
def background(*command, log, env=None):
    """A program that runs meanwhile."""
    with open(log, "wb") as output, open(os.devnull, "rb") as nothing:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env or ENVIRONMENT, stdin=nothing, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def emulator(*options):
    """moto; yields its address."""
    port = free_port()
    scheme = "https" if options else "http"
    command = (Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port))
    with background(*command, *options, log=OUT / f"emulator-{scheme}.log"):
        wait_until(lambda: answers(port), "moto")
        yield f"{scheme}://127.0.0.1:{port}"


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def lay_out():
    """The functions as the gateway looks for them, its template, and keys."""
    shutil.rmtree(OUT / "functions", ignore_errors=True)
    (OUT / "functions").mkdir(parents=True)
    for name in FUNCTIONS:
        artefact = ARTEFACTS / name / "bootstrap"
        if not artefact.exists():
            fail(f"{artefact} is not built")
        (OUT / "functions" / name).symlink_to(artefact.resolve())
    (OUT / "functions" / "noop").symlink_to(HELLO.resolve())
    template = (ROOT / "template.yaml").read_text()
    (OUT / "template.yaml").write_text(template.replace("\nResources:\n", f"\nResources:\n{NOOP}", 1))
    shutil.rmtree(OUT / "keys", ignore_errors=True)
    environment = {**ENVIRONMENT, "BIN": str(BIN)}
    subprocess.run([ROOT / "local/keys.sh", "make", OUT / "keys"], env=environment, check=True, stdout=subprocess.DEVNULL)
    with open(OUT / "keys" / "secrets", "a") as secrets:
        secrets.write(LOGIN + '={"username":"bank_app","password":"none"}\n')


def secrets():
    lines = (OUT / "keys" / "secrets").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


class Bank:
    """The gateway with its functions, on the server's database `transfer`."""

    def __init__(self, server, aws, port):
        self.server, self.port = server, port
        self.url = f"http://127.0.0.1:{port}"
        self.log = OUT / "gateway.log"
        owner = f"{server.address}/transfer"
        self.database_url = re.sub("//[^@]*@", "//bank_app@", owner)
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": aws}
        self.command = [
            str(BIN / "bank-local"), "--template", str(OUT / "template.yaml"),
            "--functions", str(OUT / "functions"), "--port", str(port),
            "--parameters", str(OUT / "keys" / "parameters"), "--secrets", str(OUT / "keys" / "secrets"),
            "--parameter", f"DatabaseUrl={self.database_url}", "--parameter", f"OwnerDatabaseUrl={owner}",
            # Those who have logged in at the beginning send requests until the end.
            "--parameter", "AccessTokenTtlSecs=3600",
        ]

    @contextlib.contextmanager
    def running(self):
        with background(*self.command, log=self.log, env=self.environment) as gateway:
            self.gateway = gateway.pid
            wait_until(lambda: answers(self.port), f"the gateway ({self.log})")
            yield self

    def ask(self, command, *options):
        """What a command of bank-local prints, read as JSON."""
        done = subprocess.run(
            [*self.command, *options, command[0], *command[1:]],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            fail(f"bank-local {' '.join(command)} failed: {done.stderr}")
        return json.loads(done.stdout)

    def call(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return fail(f"POST {path}: {error.code} {error.read().decode()}")

    @functools.cached_property
    def postmaster(self):
        data = Path(self.server.sql("postgres", "SHOW data_directory"))
        return int((data / "postmaster.pid").read_text().split()[0])

    def processes(self):
        """By what they are: the gateway, Postgres, and the functions by name."""
        databases = [self.postmaster, *machine.children(self.postmaster)]
        groups = {"gateway": [self.gateway], "postgres": databases}
        for pid in machine.children(self.gateway):
            # What has just ended has no name any more.
            with contextlib.suppress(OSError):
                if name := machine.program(pid):
                    groups.setdefault(name, []).append(pid)
        return groups

    def sign_everybody_up(self):
        """Gives the seeded users a password, logs payers in, and writes down who there is."""
        signed_up = {"username": "bench", "password": PASSWORD, "full_name": "Bench", "email": "bench@example.com"}
        self.call("/users", signed_up)
        first_guest = database.ACCOUNTS - GUESTS + 1
        self.server.sql(
            "transfer",
            "UPDATE users SET hashed_password = (SELECT hashed_password FROM users WHERE username = 'bench')"
            f" WHERE username IN (SELECT 'user_' || n FROM generate_series(1, {PAYERS}) AS n UNION ALL"
            f" SELECT 'user_' || n FROM generate_series({first_guest}, {database.ACCOUNTS}) AS n)",
        )
        with open(OUT / "payers", "w") as payers:
            for number in range(1, PAYERS + 1):
                login = self.call("/users/login", {"username": f"user_{number}", "password": PASSWORD})
                payers.write(f"user_{number} {number} {login['access_token']}\n")
        guests = [f"user_{number} {number} none\n" for number in range(first_guest, database.ACCOUNTS + 1)]
        (OUT / "guests").write_text("".join(guests))
