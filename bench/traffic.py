"""Requests through the gateway, beside the same transfers by pgbench on the same Postgres.

  noop       a request as long as a transfer's, with its token, to a function that does nothing: the gateway's cost
  account, entries, login, transfer, hot
             what customers do; hot transfers are among ten accounts, the others among all
  bare, bare hot, move_money, move_money hot
             pgbench: the bare function of bench/database, and the one that the bank calls, with every rule

They take turns in short slices, in an order that rotates, and it is within a round that they are compared. What is
measured besides: the processor time of each side, the load generator's included.
"""

import contextlib
import json
import resource
import statistics
import sys
import time

import database
import machine
from database import fail
from stack import HOT, OUT, PASSWORD

CLIENTS = [1, 8, 32]
# The most that are on their way at a time.
OPEN_CLIENTS = 64
OPEN_SECS = 10
# Of what, and with which of them as money's senders and recipients.
WISHES = {
    "noop": ("noop", "payers", None, database.ACCOUNTS),
    "account": ("account", "payers", None, database.ACCOUNTS),
    "entries": ("entries", "payers", None, database.ACCOUNTS),
    "login": ("login", "guests", None, database.ACCOUNTS),
    "transfer": ("transfer", "payers", None, database.ACCOUNTS),
    "hot": ("transfer", "payers", HOT, HOT),
}
PGBENCH = {
    "bare": ("bare", "uniform"),
    "bare hot": ("bare", "hot"),
    "move_money": ("transfer", "uniform"),
    "move_money hot": ("transfer", "hot"),
}
TRANSFERS = ("transfer", "hot")
SHAPES = [*WISHES, *PGBENCH]
RATIOS = [("transfer", "bare"), ("transfer", "move_money"), ("hot", "bare hot"), ("hot", "move_money hot"), ("transfer", "noop")]


class Traffic:
    def __init__(self, bank, generator, seconds, seed):
        self.bank, self.generator, self.seconds, self.seed = bank, generator, seconds, seed
        # Transfers that pgbench made, those that the gateway's clients know of, and those they may not know of.
        self.moved = dict.fromkeys(database.SHAPES, 0)
        self.unknown = 0
        self.peaks = {}

    def next_seed(self):
        self.seed += 1
        return self.seed

    def load(self, shape, clients, warm_up, *options):
        """One run of the load generator."""
        wish, customers, payers, accounts = WISHES[shape]
        command = [
            self.generator, "--url", self.bank.url, "--wish", wish, "--customers", str(OUT / customers),
            "--accounts", str(accounts), "--password", PASSWORD, "--seed", str(self.next_seed()),
            "--concurrency", str(clients), "--warmup", str(warm_up), "--output", "json", "--quiet", *options,
        ]
        if payers:
            command += ["--payers", str(payers)]
        report = json.loads(database.run(*command).stdout)
        if not report["summary"]["items"]["total"]:
            fail(f"{shape}: {clients} clients had no answer within the slice: give it longer, as in SLICE={2 * self.seconds}")
        if report["summary"]["success_ratio"] != 1 or report["errors"]:
            fail(f"{shape}: {report['status']} {report['errors']} ({self.bank.log})")
        if shape in TRANSFERS:
            self.moved["transfer"] += report["summary"]["items"]["total"]
            # Warming up is not counted, and what is on its way at the end is not waited for.
            self.unknown += warm_up + clients
        return report

    def requests(self, shape, clients, warm_up, *options):
        """The same with what it cost."""
        before, log_before, began = self.usage(), self.bank.log.stat().st_size, time.monotonic()
        report = self.load(shape, clients, warm_up, *options)
        seconds, used = time.monotonic() - began, spent(before, self.usage())
        with open(self.bank.log, "rb") as log:
            log.seek(log_before)
            lines = log.read().decode(errors="replace").splitlines()
        latency = report["latency"]
        # With those that warmed it up: all that the processor time was spent on.
        answered = sum(line.startswith("REPORT ") and is_of(shape, line) for line in lines)
        return {
            "tps": report["summary"]["items"]["rate"],
            "p50_ms": latency["stats"]["median"] * 1000,
            "p99_ms": latency["percentiles"]["p99"] * 1000,
            "max_ms": latency["stats"]["max"] * 1000,
            "answer_bytes": report["summary"]["bytes"]["total"] / report["summary"]["items"]["total"],
            "cpu_us": {name: ns / 1000 / answered for name, ns in used.items()},
            "busy": sum(used.values()) / 1e9 / seconds,
            "lambda": reported(lines, answered),
        }

    def usage(self):
        """Nanoseconds of processor time so far, by process and whose it is; peaks are noted on the way."""
        used = {}
        for name, pids in self.bank.processes().items():
            for pid in pids:
                with contextlib.suppress(OSError):
                    used[name, pid] = machine.cpu_ns(pid)
                    self.peaks[name] = max(self.peaks.get(name, 0), machine.peak_kib(pid))
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        used["load generator", None] = int((ended.ru_utime + ended.ru_stime) * 1e9)
        return used

    def pgbench(self, shape, clients):
        of, workload = PGBENCH[shape]
        speed, count = database.slice_of(self.bank.server, of, workload, self.seconds, clients, self.next_seed())
        self.moved[of] += count
        return {"tps": speed}

    def slice(self, shape, clients):
        if shape in PGBENCH:
            return self.pgbench(shape, clients)
        self.bank.server.sql("transfer", "VACUUM (ANALYZE)", "CHECKPOINT")
        warm_up = clients * (2 if shape == "login" else 20)
        return self.requests(shape, clients, warm_up, "--duration", f"{self.seconds}s")

    def rounds(self, count):
        """By clients and shape, a slice a round."""
        slices = {clients: {shape: [] for shape in SHAPES} for clients in CLIENTS}
        for number in range(count):
            first = number * 3 % len(SHAPES)
            for clients, by_shape in slices.items():
                for shape in SHAPES[first:] + SHAPES[:first]:
                    by_shape[shape].append(self.slice(shape, clients))
            print(f"round {number + 1} of {count}", file=sys.stderr, flush=True)
        return slices

    def open_loop(self, rate):
        """Transfers that are due at fixed times, so many a second."""
        self.load("transfer", OPEN_CLIENTS, 0, "--iterations", str(20 * OPEN_CLIENTS))
        schedule = ("--every", str(1_000_000 // rate), "--iterations", str(rate * OPEN_SECS))
        return {"rate": rate, **self.requests("transfer", OPEN_CLIENTS, 0, *schedule)}

    def median_ms(self, function):
        """What an invocation of a function took, of all that there were."""
        with open(self.bank.log, encoding="utf-8", errors="replace") as log:
            took = [duration(line) for line in log if line.startswith("REPORT ") and f" Function: {function} " in line]
        return statistics.median(took)

    def verify(self):
        """Fails unless the books hold what was measured, and every rule of theirs."""
        database.verify(self.bank.server, "bare", self.moved["bare"])
        transfers = int(self.bank.server.sql("transfer", "SELECT count(*) FROM transfers"))
        known = self.moved["transfer"]
        if not known <= transfers <= known + self.unknown:
            fail(f"there are {transfers} transfers, and {known} to {known + self.unknown} were made")
        database.verify(self.bank.server, "transfer", transfers)
        report = self.bank.ask(["invoke", "verify", "--data", "{}"])
        if report["books_are_right"] is not True:
            fail(f"the books are not right: {report}")
        return transfers


def spent(before, after):
    """By whose it is; of processes that have ended in between nothing is known."""
    used = {}
    for (name, pid), ns in after.items():
        used[name] = used.get(name, 0) + ns - before.get((name, pid), 0)
    return used


def is_of(shape, line):
    function = {"account": "accounts", "entries": "accounts", "hot": "transfer"}.get(shape, shape)
    return f" Function: {function} " in line


def duration(line):
    """The milliseconds of a line that reports an invocation; those of its start stand behind."""
    return float(line.partition(" Duration: ")[2].split()[0])


def reported(lines, answered):
    """Of each function: invocations and bytes of log a request, and how long an invocation took."""
    found = {}
    for line in lines:
        if line.startswith("REPORT "):
            words = line.split()
            of = found.setdefault(words[words.index("Function:") + 1], {"ms": [], "bytes": 0})
            of["ms"].append(duration(line))
        elif line.startswith("[") and "] " in line:
            name, _, text = line[1:].partition("] ")
            if name in found or name in ("transfer", "authorizer"):
                found.setdefault(name, {"ms": [], "bytes": 0})["bytes"] += len(text) + 1
    return {
        name: {
            "invocations": len(of["ms"]) / answered,
            "ms": statistics.mean(of["ms"]) if of["ms"] else 0,
            "log_bytes": of["bytes"] / answered,
        }
        for name, of in found.items()
    }


def median_of(dicts):
    """The median of every number, in whatever depth."""
    first = dicts[0]
    if isinstance(first, dict):
        keys = {key: None for one in dicts for key in one}
        return {key: median_of([one[key] for one in dicts if key in one]) for key in keys}
    return round(statistics.median(dicts), 3)


def summary(slices):
    """By clients: medians by shape, and the ratios of each round."""
    report = {}
    for clients, by_shape in slices.items():
        ratios = {}
        for over, under in RATIOS:
            pairs = zip(by_shape[over], by_shape[under])
            values = [one["tps"] / other["tps"] for one, other in pairs]
            ratios[f"{over}/{under}"] = [round(value, 3) for value in (statistics.median(values), min(values), max(values))]
        report[str(clients)] = {
            "shapes": {shape: median_of(of) for shape, of in by_shape.items()},
            "ratios": ratios,
            "tps_by_round": {shape: [round(one["tps"], 1) for one in of] for shape, of in by_shape.items()},
        }
    return report
