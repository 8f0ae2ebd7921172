"""What the bank costs: starts of its functions, requests through the gateway, and a million transfers on AWS.

`make bench` builds what this measures: the functions as they are deployed, one that does nothing, the gateway and
the load generator. Machines are noisy, so what is compared takes turns within one run; nothing is asserted on time,
but a run that did not do what it claims fails. The rest is said in starts.py, traffic.py and costs.py.

Settings are environment variables:
  STARTS=30    starts of each function and setting
  ROUNDS=3     rounds, each of which has one slice of every shape and number of clients
  SLICE=3      counted seconds of a slice
  SEED=...     of all random numbers; drawn and printed when it is absent
  PAGE=1       put the tables into docs/benchmarks.md
  OUT=target/bench/bank.json
"""

import datetime
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path

import costs
import database
import machine
import stack
import starts
import tables
import traffic
from database import whole_number


def main():
    count, rounds, seconds = whole_number("STARTS", 30), whole_number("ROUNDS", 3), whole_number("SLICE", 3)
    seed = whole_number("SEED", secrets.randbelow(10**9 - 1) + 1)
    out = Path(os.environ.get("OUT") or stack.OUT / "bank.json")
    generator = os.environ.get("LOAD") or str(database.ROOT / "target" / "bench-load" / "release" / "bank-load")
    for number in database.ENDING:
        signal.signal(number, database.end)

    began = time.monotonic()
    report = {
        "date": datetime.date.today().isoformat(), "machine": machine.describe(), "seed": seed,
        "starts": count, "rounds": rounds, "slice_seconds": seconds,
    }
    stack.OUT.mkdir(parents=True, exist_ok=True)
    stack.lay_out()
    with database.Server(database.postgres("programs")) as server, stack.emulator() as aws:
        for shape in ("bare", "transfer"):
            database.create(server, shape)
        report["postgres"] = server.sql("postgres", "SHOW server_version")
        report["settings"] = {name: server.sql("postgres", f"SHOW {name}") for name in database.SHOWN}
        with stack.Bank(server, aws, stack.free_port()).running() as bank:
            bank.sign_everybody_up()
            report["start"] = starts.measure(bank, count)
            # Whatever becomes of the rest.
            out.write_text(json.dumps(report, indent=2) + "\n")
            measure_traffic(bank, generator, rounds, seconds, seed, report)
    report["cost"] = costs.of_a_million(
        report["traffic"]["1"]["shapes"]["transfer"], report["authorizer_ms"], report["written"]
    )
    report["seconds"] = time.monotonic() - began
    out.write_text(json.dumps(report, indent=2) + "\n")
    tables.show(report)
    print(f"{out}; {report['seconds']:.0f} s")
    if os.environ.get("PAGE"):
        tables.write(report)


def measure_traffic(bank, generator, rounds, seconds, seed, report):
    measured = traffic.Traffic(bank, generator, seconds, seed)
    slices = measured.rounds(rounds)
    report["traffic"] = traffic.summary(slices)
    # Half of what there is room for.
    rate = int(report["traffic"]["8"]["shapes"]["transfer"]["tps"] / 2)
    # Aurora writes no whole pages into its log.
    bank.server.sql("postgres", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    before = written(bank.server)
    report["open_loop"] = measured.open_loop(rate)
    after = written(bank.server)
    bank.server.sql("postgres", "ALTER SYSTEM RESET full_page_writes", "SELECT pg_reload_conf()")
    moved = after["transfers"] - before["transfers"]
    report["written"] = {name: (after[name] - before[name]) / moved for name in ("wal_bytes", "bytes")}
    report["authorizer_ms"] = measured.median_ms("authorizer")
    report["peak_mb"] = {name: round(kib * 1024 / 1e6, 1) for name, kib in measured.peaks.items()}
    transfers = measured.verify()
    print(f"Every one of {transfers + measured.moved['bare']} transfers is in its books, and all rules are kept.", file=sys.stderr)


def written(server):
    """What transfers have left so far."""
    wal = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
    return {
        "transfers": int(server.sql("transfer", "SELECT count(*) FROM transfers")),
        "wal_bytes": int(server.sql("transfer", wal)),
        "bytes": int(server.sql("transfer", "SELECT pg_database_size(current_database())")),
    }


if __name__ == "__main__":
    main()
