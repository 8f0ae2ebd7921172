"""What was measured, as tables in Markdown: printed, and put into docs/benchmarks.md between its markers.

    python bench/tables.py target/bench/bank.json     puts them in once more
"""

import json
import re
import sys
from pathlib import Path

from database import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
PASSWORDS = ("create_user", "login", "update_user", "rpc")
NAMES = {
    "noop": "a function that does nothing",
    "account": "read an account",
    "entries": "list entries",
    "login": "log in",
    "transfer": "transfer",
    "hot": "transfer among ten accounts",
    "bare": "pgbench: `bare`",
    "bare hot": "pgbench: `bare` among ten",
    "move_money": "pgbench: `move_money`",
    "move_money hot": "pgbench: `move_money` among ten",
}


def table(head, rows):
    """The first column is a text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def of(clients):
    return "one client" if clients == "1" else f"{clients} clients"


def machine(report):
    here, settings = report["machine"], report["settings"]
    return (
        f"{report['date']}, commit `{here['commit']}`, SEED={report['seed']}: {here['cores']} cores of {here['processor']}, "
        f"{here['memory_mb'] / 1000:.0f} GB, {here['system']}; {here['rustc']}; PostgreSQL {report['postgres']} with "
        + ", ".join(f"{name} {value}" for name, value in settings.items())
        + f". {report['starts']} starts of each function and setting; {report['rounds']} rounds of "
        f"{report['slice_seconds']} s slices; {report['seconds']:.0f} s in all. The load of the machine before it began: "
        f"{here['load_before']:.1f}.\n"
    )


def starts(report):
    rows = []
    for name, found in report["start"].items():
        row = [f"`{name}`", f"{found['zipped_bytes'] / 1e6:.2f}"]
        for setting in ("alone", "here", "tls"):
            at = found.get(setting)
            row += [f"{at['cpu_ms']:.1f}", f"{at['wall_ms']:.1f}"] if at else ["", ""]
        row.append(f"{max(found[setting]['peak_mb'] for setting in ('alone', 'here', 'tls') if setting in found):.1f}")
        peak = report["peak_mb"].get("noop" if name == "hello" else name)
        rows.append([*row, f"{peak:.1f}" if peak else ""])
    head = ["function", "zipped, MB", "alone: CPU, ms", "wall", "here: CPU, ms", "wall", "TLS: CPU, ms", "wall", "peak at start, MB", "under load, MB"]
    return table(head, rows)


def throughput(report):
    rows = []
    for shape, name in NAMES.items():
        row = [name]
        for measured in report["traffic"].values():
            at = measured["shapes"][shape]
            row.append(f"{at['tps']:.0f}")
            row.append(f"{at['p50_ms']:.1f} / {at['p99_ms']:.1f}" if "p50_ms" in at else "")
        rows.append(row)
    head = ["", *(text for clients in report["traffic"] for text in (f"{of(clients)}, a second", "p50 / p99, ms"))]
    return table(head, rows)


def ratios(report):
    rows = []
    first = next(iter(report["traffic"].values()))
    for name in first["ratios"]:
        over, under = name.split("/")
        row = [f"{NAMES[over]} / {NAMES[under]}"]
        for measured in report["traffic"].values():
            middle, low, high = measured["ratios"][name]
            row.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
        rows.append(row)
    return table(["median of the rounds (lowest to highest)", *map(of, report["traffic"])], rows)


def processor(report):
    """Where the processor time of a request goes, at eight clients."""
    rows = []
    for shape in ("noop", "account", "entries", "login", "transfer", "hot"):
        at = report["traffic"]["8"]["shapes"][shape]
        cpu = dict(at["cpu_us"])
        known = [cpu.pop(name, 0) for name in ("load generator", "gateway", "postgres", "authorizer")]
        rows.append([NAMES[shape], *(f"{value:.0f}" for value in (*known[:2], sum(cpu.values()), *known[3:], known[2])), f"{at['busy']:.2f}"])
    return table(["µs a request", "load generator", "gateway", "function", "authorizer", "Postgres", "cores busy"], rows)


def open_loop(report):
    of = report["open_loop"]
    return (
        f"Open loop: {of['rate']} transfers a second, due at fixed times whatever the bank did: p50 {of['p50_ms']:.1f} ms, "
        f"p99 {of['p99_ms']:.1f} ms, at most {of['max_ms']:.1f} ms from when they were due; {of['busy']:.2f} cores busy.\n"
    )


def cost(report):
    rows = [
        [one["item"], one["how"], f"{one['count']:,.2f} {one['unit']}", f"${one['price']:.10f}".rstrip("0").rstrip("."), f"{one['dollars']:.2f}"]
        for one in report["cost"]["items"]
    ]
    rows.append(["**sum**", "", "", "", f"**{report['cost']['dollars']:.2f}**"])
    return table(["a million transfers", "reckoned from", "count", "price", "dollars"], rows)


PARTS = {
    "machine": machine,
    "start": starts,
    "throughput": throughput,
    "ratios": ratios,
    "processor": processor,
    "open": open_loop,
    "cost": cost,
}


def show(report):
    for part in PARTS.values():
        print(part(report))


def write(report):
    """Puts every part between its markers."""
    text = PAGE.read_text()
    for name, part in PARTS.items():
        between = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = between.sub(lambda found, part=part: f"{found[1]}{part(report)}{found[2]}", text)
    PAGE.write_text(text)


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text()))
