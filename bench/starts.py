"""What a start of a function costs: processor and time from exec to its first poll of the Runtime API, and memory.

The functions are started one after the other, none twice before every other had its turn, so that whatever else
the machine does falls on all of them alike. Each is killed when it asks for its first event. They are started

  here      with Postgres and an emulator of AWS, from which they read two or three secrets, without TLS
  tls       the same over TLS, to both, with certificates that they verify; as it is on AWS
  alone     with secrets in settings, and a database that refuses: after three attempts in 0.2 s they go on
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

import boto3
import database
import machine
import stack
from database import ENVIRONMENT, ROOT, fail
from stack import FUNCTIONS, HELLO, LOGIN, OUT

sys.path.insert(0, str(ROOT / "infra"))
from size import zipped  # noqa: E402

SETTINGS = ["here", "tls", "alone"]
PATIENCE_SECS = 15
NOBODY = "127.0.0.1:1"
DATABASES = ("DATABASE_URL", "OWNER_DATABASE_URL")


class RuntimeApi:
    """As much of Lambda's Runtime API as it takes to see that a function asks for its first event."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_SECS)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def first_poll(self):
        """Waits for it; returns its connection, which keeps the function waiting."""
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE_SECS)
        request = connection.recv(4096)
        if not request.startswith(b"GET /2018-06-01/runtime/invocation/next "):
            fail(f"a function could not start: {request.decode(errors='replace')}")
        return connection


def start(api, program, environment):
    """Milliseconds of processor and of time, and MB at most."""
    environment = {**environment, "AWS_LAMBDA_RUNTIME_API": api.address}
    began = time.monotonic_ns()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(program, [str(program)], environment, file_actions=silent)
    try:
        connection = api.first_poll()
        ended = time.monotonic_ns()
        cpu, peak = machine.cpu_ns(pid), machine.peak_kib(pid)
        connection.close()
    except TimeoutError:
        fail(f"{program} did not ask for an event in {PATIENCE_SECS} s")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return {"cpu_ms": cpu / 1e6, "wall_ms": (ended - began) / 1e6, "peak_mb": peak * 1024 / 1e6}


# -------------------------------------------------------------------------------------- what they are given


def lambda_variables(name, function):
    return {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["memory_mb"]),
        **function["logging"],
    }


def described(bank):
    """What the template gives each function, with its database's password in a secret, as on AWS."""
    secrets = ["--parameter", f"DatabaseSecret={LOGIN}", "--parameter", f"OwnerDatabaseSecret={LOGIN}"]
    functions = bank.ask(["describe"], *secrets)["functions"]
    # The owner's own login is not needed by anything that happens before the first event.
    return {
        name: {**lambda_variables(name, function), **function["environment"]}
        for name, function in functions.items()
    }


def alone(environment):
    """The same without anybody to ask."""
    secrets = stack.secrets()
    changed = {
        "AWS_ENDPOINT_URL": f"http://{NOBODY}",
        "CURSOR_KEY": secrets[environment.get("CURSOR_KEY_SECRET", "simplebank/dev/cursor_key")],
        "SIGNING_KEYRING": secrets[environment.get("SIGNING_KEYRING_SECRET", "simplebank/dev/keyring")],
        "DATABASE_URL": f"postgres://bank_app@{NOBODY}/simplebank",
        "OWNER_DATABASE_URL": f"postgres://bank@{NOBODY}/simplebank",
    }
    kept = {name: value for name, value in environment.items() if "SECRET" not in name or "AWS" in name}
    return {**kept, **changed}


def connecting(environment, mode):
    return {
        name: f"{value}?sslmode={mode}" if name in DATABASES else value for name, value in environment.items()
    }


def over_tls(environment, certificate, aws):
    trusted = {"DATABASE_CA_FILE": str(certificate.authority), "AWS_ENDPOINT_URL": aws}
    return {**connecting(environment, "verify-full"), **trusted}


# -------------------------------------------------------------------------------------- TLS


class Certificate:
    """An authority that lasts a day, and its certificate for this machine, with keys as long as RDS' own."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.authority, authority_key = folder / "ca.pem", folder / "ca.key"
        self.file, self.key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-sha256"]
        database.run(*new, "-x509", "-days", "1", "-subj", "/CN=bench", "-out", str(self.authority), "-keyout", str(authority_key))
        database.run(*new, "-subj", "/CN=127.0.0.1", "-out", str(request), "-keyout", str(self.key))
        names = folder / "names"
        names.write_text("subjectAltName = IP:127.0.0.1\nbasicConstraints = CA:false\n")
        database.run(
            "openssl", "x509", "-req", "-sha256", "-days", "1", "-in", str(request), "-out", str(self.file),
            "-CA", str(self.authority), "-CAkey", str(authority_key), "-CAcreateserial", "-extfile", str(names),
        )
        # Beside the authorities that the system trusts: reading them is part of a start.
        self.trusted = folder / "trusted.pem"
        known = "".join(path.read_text() for path in SYSTEM_AUTHORITIES if path.exists())
        self.trusted.write_text(known + self.authority.read_text())


SYSTEM_AUTHORITIES = [
    stack.Path("/etc/ssl/certs/ca-certificates.crt"),
    stack.Path("/etc/pki/tls/certs/ca-bundle.crt"),
]


@contextlib.contextmanager
def postgres_over_tls(server, certificate):
    """The server answers over TLS as well, meanwhile."""
    data = stack.Path(server.sql("postgres", "SHOW data_directory"))
    owner = data.stat()
    for name, file, mode in (("bench.pem", certificate.file, 0o644), ("bench.key", certificate.key, 0o600)):
        (data / name).write_bytes(file.read_bytes())
        (data / name).chmod(mode)
        os.chown(data / name, owner.st_uid, owner.st_gid)
    set_to = {"ssl_cert_file": "bench.pem", "ssl_key_file": "bench.key", "ssl": "on"}
    server.sql("postgres", *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in set_to.items()), "SELECT pg_reload_conf()")
    yield
    server.sql("postgres", *(f"ALTER SYSTEM RESET {name}" for name in set_to), "SELECT pg_reload_conf()")


def give_secrets(aws, certificate):
    client = boto3.client(
        "secretsmanager", endpoint_url=aws, region_name="us-east-1", verify=str(certificate.authority),
        aws_access_key_id="bench", aws_secret_access_key="bench",
    )
    for name, text in stack.secrets().items():
        client.create_secret(Name=name, SecretString=text)


# -------------------------------------------------------------------------------------- measuring


def summary(of_each):
    """By what was measured: the median, and what nine in ten stay below."""
    found = {}
    for what in of_each[0]:
        values = sorted(one[what] for one in of_each)
        found[what] = round(statistics.median(values), 2)
        found[f"{what}_p90"] = round(values[int(0.9 * (len(values) - 1))], 2)
    return found


def measure(bank, count):
    """By function and setting: the medians of so many starts. And the sizes."""
    certificate = Certificate(OUT / "tls")
    api = RuntimeApi()
    programs = {"hello": HELLO} | {name: OUT / "functions" / name for name in FUNCTIONS}
    functions = described(bank)
    with (
        stack.emulator("-c", str(certificate.file), "-k", str(certificate.key)) as aws,
        postgres_over_tls(bank.server, certificate),
    ):
        give_secrets(aws, certificate)
        environments = {("hello", "here"): lambda_variables("hello", {"memory_mb": 256, "logging": {}})}
        for name in FUNCTIONS:
            plain = {
                **functions[name],
                "AWS_ENDPOINT_URL": bank.environment["AWS_ENDPOINT_URL"],
                # Amazon Linux has one file of authorities; Debian has each a second time in a folder, which
                # would be read as well.
                "SSL_CERT_FILE": str(certificate.trusted),
            }
            environments[name, "here"] = connecting(plain, "disable")
            environments[name, "tls"] = over_tls(plain, certificate, aws)
            environments[name, "alone"] = alone(plain)
        starts = {place: [] for place in environments}
        for number in range(count + 1):
            for (name, setting), environment in environments.items():
                started = start(api, programs[name].resolve(), environment)
                # The first reads the program from the disk.
                if number:
                    starts[name, setting].append(started)
        print(f"{count} starts of each function", file=sys.stderr, flush=True)
    report = {
        name: {"zipped_bytes": zipped(program.resolve()), "bytes": program.stat().st_size}
        for name, program in programs.items()
    }
    for (name, setting), of_each in starts.items():
        report[name][setting] = summary(of_each)
    return report
