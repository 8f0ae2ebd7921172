"""What one transfer costs in the database, beside two that keep fewer rules.

  transfer  move_money with every rule on, called as the application calls it: one statement
  course    the simplebank course's transaction on the course's tables: seven round trips, no checks
  bare      one call of a function without key, session, version or deferred rule (its tables say why)

Each has a database of its own on one private, durable cluster, thrown away at the end. Machines are
noisy, so the three take turns in many short slices, in an order that rotates, and it is the ratio
within a round that is compared. Before each slice its database is vacuumed and a checkpoint is made,
so that neither happens in it; its first second, in which connections warm up, is not counted. A round
trip that takes time is a pause before each statement. Nothing is asserted on time, but a run that did
not do what it claims fails.

Settings are environment variables:
  ROUNDS=5     rounds, each of which has one slice of every pair of shape and workload
  SLICE=2      counted seconds of a slice
  CLIENTS=16   connections
  SEED=...     of all random numbers; drawn and printed when it is absent
  OUT=.local/bench-db.json
"""

import json
import os
import platform
import re
import secrets
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "bench" / "database"
CLUSTER = ROOT / ".local" / "bench-db"

ACCOUNTS = 10_000
HOT_ACCOUNTS = 10
BALANCE = 1_000_000_000

SHAPES = ["course", "bare", "transfer"]
# Of a workload: between how many accounts money moves, and how many microseconds a round trip takes.
WORKLOADS = {
    "uniform": (ACCOUNTS, 0),
    "hot": (HOT_ACCOUNTS, 0),
    "uniform, 1 ms": (ACCOUNTS, 1_000),
    "hot, 1 ms": (HOT_ACCOUNTS, 1_000),
}

CONFIGURATION = {
    "shared_buffers": "1GB",
    # No checkpoint but the ones asked for.
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    # It would clear up after one shape while another is measured.
    "autovacuum": "off",
}
SHOWN = ["fsync", "synchronous_commit", "full_page_writes", "wal_level", *CONFIGURATION]

# The caller's own database settings are not for this cluster.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name != "DATABASE_URL" and not name.startswith("PG")
}

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end(number, _):
    """Leaves by an exception, so that the cluster is removed, and lets nothing interrupt that."""
    for other in ENDING:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def fail(message):
    sys.exit(f"bench: {message}")


def whole_number(name, default):
    text = os.environ.get(name) or str(default)
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        fail(f"{name} has to be a whole number from 1, not {text!r}")
    return int(text)


def run(*command):
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{Path(command[0]).name} failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done


# -------------------------------------------------------------------------------------- the cluster


def postgres(*arguments):
    return run(str(ROOT / "local" / "postgres.sh"), *arguments).stdout.strip()


class Server:
    """The running cluster, reached with its own version's programs."""

    def __init__(self, programs):
        self.programs = programs
        if subprocess.run(
            [ROOT / "local" / "postgres.sh", "running", CLUSTER],
            env=ENVIRONMENT, capture_output=True, check=False,
        ).returncode == 0:
            fail(f"another run is using {CLUSTER}; if none is, local/postgres.sh remove {CLUSTER}")
        postgres("remove", str(CLUSTER))

    def __enter__(self):
        try:
            self.start()
            for name, value in CONFIGURATION.items():
                self.sql("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
            postgres("stop", str(CLUSTER))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        postgres("remove", str(CLUSTER))

    def start(self):
        postgres("start", str(CLUSTER), "durable")
        self.address = postgres("url", str(CLUSTER)).rpartition("/")[0]

    def psql(self, database, *arguments):
        """What psql prints: columns between |, a row a line."""
        program = f"{self.programs}/psql"
        options = ["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", f"{self.address}/{database}"]
        return run(program, *options, *arguments).stdout.strip()

    def sql(self, database, *statements):
        return self.psql(database, *(word for text in statements for word in ("-c", text)))

    def file(self, database, path):
        """Runs a file as one transaction."""
        seeding = ["-v", f"accounts={ACCOUNTS}", "-v", f"balance={BALANCE}"]
        return self.psql(database, "-1", *seeding, "-f", str(path))


def create(server, shape):
    server.sql("postgres", f"CREATE DATABASE {shape}")
    folder = FILES / shape
    schema = [folder / "schema.sql"]
    if shape == "transfer":
        schema = sorted((ROOT / "migrations").glob("*.up.sql"))
    for path in [*schema, folder / "seed.sql"]:
        server.file(shape, path)
    server.sql(shape, "VACUUM (ANALYZE)")


# -------------------------------------------------------------------------------------- measuring


def slice_of(server, shape, workload, seconds, clients, seed):
    """Transactions per second after the first second, and the number of all."""
    accounts, round_trip = WORKLOADS[workload]
    server.sql(shape, "VACUUM (ANALYZE)", "CHECKPOINT")
    address = server.address
    if shape == "transfer":
        # As the functions connect: a role that may do this and little else.
        address = re.sub("//[^@]*@", "//bank_app@", address)
    done = run(
        f"{server.programs}/pgbench", "--no-vacuum", "--protocol=prepared", "--progress=1",
        f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={seconds + 1}",
        f"--random-seed={seed}", "-D", f"accounts={accounts}", "-D", f"round_trip={round_trip}",
        f"--file={FILES / shape / 'transfer.pgbench'}", f"{address}/{shape}",
    )
    processed = re.search(r"actually processed: (\d+)", done.stdout)
    failed = re.search(r"failed transactions: (\d+)", done.stdout)
    progress = re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", done.stderr, re.MULTILINE)
    if not processed or not failed or len(progress) < 2:
        fail(f"pgbench said something unexpected:\n{done.stdout}{done.stderr}")
    if failed[1] != "0":
        fail(f"{shape}, {workload}: {failed[1]} transactions failed")
    counted = [float(tps) for tps in progress[1 : seconds + 1]]
    return statistics.mean(counted), int(processed[1])


def verify(server, shape, processed):
    """Fails unless the database holds what pgbench says it did, and no money came or went."""
    counts = server.file(shape, FILES / shape / "check.sql").split("|")
    transfers, refusals, total, entries, unexplained = map(int, counts)
    wanted = {
        "transfers": (transfers, processed),
        "refusals": (refusals, 0),
        "the sum of all balances": (total, ACCOUNTS * BALANCE),
        "entries of transfers": (entries, 2 * processed),
        "accounts that their entries do not explain": (unexplained, 0),
    }
    wrong = [f"{name}: {is_}, not {should}" for name, (is_, should) in wanted.items() if is_ != should]
    if wrong:
        fail(f"{shape} did not do what was measured: {'; '.join(wrong)}")


def measure(server, rounds, seconds, clients, seed):
    """Transactions per second by workload and shape, a number a round; and how many there were."""
    speeds = {workload: {shape: [] for shape in SHAPES} for workload in WORKLOADS}
    processed = dict.fromkeys(SHAPES, 0)

    # Keys come from the seed, so no two slices may have the same.
    def next_slice(shape, workload):
        nonlocal seed
        seed += 1
        speed, count = slice_of(server, shape, workload, seconds, clients, seed)
        processed[shape] += count
        return speed

    for shape in SHAPES:
        next_slice(shape, "uniform")
    for number in range(rounds):
        first = number % len(SHAPES)
        for workload, by_shape in speeds.items():
            for shape in SHAPES[first:] + SHAPES[:first]:
                by_shape[shape].append(next_slice(shape, workload))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return speeds, processed


# -------------------------------------------------------------------------------------- reporting


def processor():
    try:
        names = re.findall(r"^model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def summary(by_shape):
    """Medians, and the medians of the ratios within each round."""
    transfer = by_shape["transfer"]
    ratios = {
        f"transfer/{other}": [ours / theirs for ours, theirs in zip(transfer, by_shape[other])]
        for other in SHAPES
        if other != "transfer"
    }
    return {
        "tps": {shape: round(statistics.median(tps), 1) for shape, tps in by_shape.items()},
        "ratio": {name: round(statistics.median(values), 3) for name, values in ratios.items()},
        "ratio_lowest": {name: round(min(values), 3) for name, values in ratios.items()},
        "ratio_highest": {name: round(max(values), 3) for name, values in ratios.items()},
        "tps_by_round": by_shape,
    }


def show(report):
    ratios = [f"transfer/{shape}" for shape in SHAPES if shape != "transfer"]
    print("Transactions per second, medians; ratios are medians of each round's (lowest to highest)")
    head = "".join(f"{shape:>10}" for shape in SHAPES) + "".join(f"{name:>24}" for name in ratios)
    print(f"{'':15}{head}")
    for workload, of in report["workloads"].items():
        line = f"{workload:15}" + "".join(f"{of['tps'][shape]:10.0f}" for shape in SHAPES)
        for name in ratios:
            low, high = of["ratio_lowest"][name], of["ratio_highest"][name]
            line += f"{of['ratio'][name]:10.2f} ({low:.2f} to {high:.2f})"
        print(line)


def main():
    rounds, seconds, clients = (
        whole_number("ROUNDS", 5), whole_number("SLICE", 2), whole_number("CLIENTS", 16)
    )
    seed = whole_number("SEED", secrets.randbelow(10**9 - 1) + 1)
    out = Path(os.environ.get("OUT") or ROOT / ".local" / "bench-db.json")
    programs = postgres("programs")
    if not os.access(f"{programs}/pgbench", os.X_OK):
        fail(f"there is no pgbench in {programs}; it comes with PostgreSQL's contrib package")
    for number in ENDING:
        signal.signal(number, end)

    began = time.monotonic()
    with Server(programs) as server:
        for shape in SHAPES:
            create(server, shape)
        report = {
            "machine": {"cores": os.cpu_count(), "processor": processor(), "system": platform.platform()},
            "postgres": server.sql("postgres", "SHOW server_version"),
            "settings": {name: server.sql("postgres", f"SHOW {name}") for name in SHOWN},
            "seed": seed, "rounds": rounds, "slice_seconds": seconds, "clients": clients,
            "accounts": ACCOUNTS, "hot_accounts": HOT_ACCOUNTS,
        }
        print(f"{report['machine']['cores']} cores, {report['machine']['processor']}; "
              f"PostgreSQL {report['postgres']}")
        print(", ".join(f"{name} {value}" for name, value in report["settings"].items()))
        print(f"{rounds} rounds of {seconds} s slices, {clients} clients, {ACCOUNTS} accounts of which "
              f"hot {HOT_ACCOUNTS}, SEED={seed}", flush=True)
        speeds, processed = measure(server, rounds, seconds, clients, seed)
        for shape in SHAPES:
            verify(server, shape, processed[shape])
    report["transfers"] = processed
    report["workloads"] = {workload: summary(by_shape) for workload, by_shape in speeds.items()}
    show(report)
    print(f"Every one of {sum(processed.values())} transfers is in its books, none was refused, and "
          "all sums are right.")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{out}; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
