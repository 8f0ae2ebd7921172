"""What a million transfers cost on AWS, by line item, from what was measured here.

The prices are list prices of us-east-1, as docs/runbook.md has them, which says how far they can be trusted, and
what a month costs besides. They are kept here and nowhere else in bench/. Free tiers are left out.
"""

import math
import re

from database import ROOT

MILLION = 1_000_000
GB = 1_000_000_000

# Dollars.
API_GATEWAY_MILLION = 3.50
LAMBDA_MILLION = 0.20
LAMBDA_GB_SECOND = 0.0000166667
AURORA_ACU_HOUR = 0.12
AURORA_IO_MILLION = 0.20
AURORA_GB_MONTH = 0.10
LOGS_GB = 0.50
TRAFFIC_OUT_GB = 0.09
XRAY_MILLION = 5.00

MEMORY_MB = 256
# Memory that comes with a whole vCPU.
VCPU_MB = 1_769
# A token is remembered for a minute: invocations of the authorizer for each request, as the runbook assumes.
AUTHORIZED = 0.3
# An ACU is 2 GiB with what belongs to it, and Aurora's instances have 8 GiB for each vCPU.
ACU_VCPU = 0.25
# A database that is this busy.
UTILISATION = 0.5
# Aurora counts what it writes in pieces.
IO_BYTES = 4096
# Lambda's own lines (start, runtimeDone and report) of an invocation, about.
PLATFORM_BYTES = 900
# Status line and headers of an answer, and TLS around it, about.
HEAD_BYTES = 700
# Of requests beyond the first of each second.
TRACED = 0.05


def access_log_bytes():
    """A line of the access log is about as long as its format: values are as long as their names."""
    template = (ROOT / "template.yaml").read_text()
    return len(re.search(r"^ +Format: '(.*)'$", template, re.MULTILINE)[1])


def of_a_million(transfers, invocation_ms, written):
    """The line items: what, how many, the price of one, dollars, and how that is reckoned.

    `transfers` is what a transfer of a single client took, `invocation_ms` what any invocation of the authorizer
    did, and `written` what a transfer left in the database.
    """
    function = transfers["lambda"]["transfer"]
    cpu_ms = transfers["cpu_us"]["transfer"] / 1000
    wait_ms = max(function["ms"] - cpu_ms, 0)
    slower = VCPU_MB / MEMORY_MB
    billed_ms = math.ceil(cpu_ms * slower + wait_ms)
    # All of it as processor time.
    authorizer_ms = math.ceil(invocation_ms * slower)
    in_all_ms = billed_ms + AUTHORIZED * authorizer_ms
    gb_seconds = MILLION * in_all_ms / 1000 * MEMORY_MB / 1024

    database_ms = transfers["cpu_us"]["postgres"] / 1000
    acu_hours = MILLION * database_ms / 1000 / 3600 / ACU_VCPU / UTILISATION
    ios = math.ceil(written["wal_bytes"] / IO_BYTES)
    log_bytes = round(function["log_bytes"] + (1 + AUTHORIZED) * PLATFORM_BYTES + access_log_bytes())
    out_bytes = round(transfers["answer_bytes"] + HEAD_BYTES)

    def item(what, count, unit, price, how):
        return {"item": what, "count": round(count, 3), "unit": unit, "price": price, "dollars": round(count * price, 2), "how": how}

    items = [
        item("API Gateway, REST", 1, "million", API_GATEWAY_MILLION, "a request each"),
        item("Lambda, requests", 1 + AUTHORIZED, "million", LAMBDA_MILLION, f"a transfer, and {AUTHORIZED} of the authorizer"),
        item(
            "Lambda, time", gb_seconds, "GB-s", LAMBDA_GB_SECOND,
            f"{cpu_ms:.2f} ms of processor × {VCPU_MB}/{MEMORY_MB} + {wait_ms:.2f} ms of waiting, {billed_ms} ms; "
            f"{AUTHORIZED} × {authorizer_ms} ms of the authorizer; × {MEMORY_MB}/1024 GB",
        ),
        item(
            "Aurora, capacity", acu_hours, "ACU-h", AURORA_ACU_HOUR,
            f"{database_ms:.2f} ms of processor / {ACU_VCPU} vCPU an ACU, {UTILISATION:.0%} busy",
        ),
        item("Aurora, I/O", ios, "million", AURORA_IO_MILLION, f"{written['wal_bytes']:.0f} bytes of WAL in pieces of {IO_BYTES}"),
        item(
            "Aurora, storage of a month", written["bytes"] * MILLION / GB, "GB", AURORA_GB_MONTH,
            f"{written['bytes']:.0f} bytes of rows and indexes",
        ),
        item(
            "logs", log_bytes * MILLION / GB, "GB", LOGS_GB,
            f"{function['log_bytes']:.0f} bytes of the function, {1 + AUTHORIZED} × {PLATFORM_BYTES} of Lambda, {access_log_bytes()} of the gateway",
        ),
        item("traffic to the Internet", out_bytes * MILLION / GB, "GB", TRAFFIC_OUT_GB, f"an answer of {transfers['answer_bytes']:.0f} bytes and {HEAD_BYTES} around it"),
        item("X-Ray", TRACED, "million", XRAY_MILLION, f"{TRACED:.0%} of them are traced"),
    ]
    return {"items": items, "dollars": round(sum(one["dollars"] for one in items), 2)}
