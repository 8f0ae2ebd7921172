"""How large the functions are that `make build` made, beside what they may have.

    python infra/size.py target/lambda FUNCTION...

Zipped as `sam deploy` does it. Lambda fetches that at each cold start; what it allows is far more
(50 MB), so the budgets are the bank's own. MB are 1,000,000 bytes, the smaller kind.
"""

import io
import sys
import zipfile
from pathlib import Path

MB = 1_000_000
BUDGET = 6 * MB
BUDGETS = {
    # Every request with a token that nobody remembers waits for it.
    "authorizer": 2 * MB,
}


def zipped(artefact: Path) -> int:
    """The size of the archive that is sent to AWS."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.write(artefact, artefact.name)
    return archive.tell()


def main(folder: Path, functions: set[str]) -> list[str]:
    """Prints the table; what is wrong."""
    artefacts = {path.parent.name: path for path in folder.glob("*/bootstrap")}
    wrong = [f"{name} is not built: make build" for name in sorted(functions - artefacts.keys())]
    wrong += [f"{name} is no function: rm -r {folder / name}" for name in sorted(artefacts.keys() - functions)]

    print(f"{'function':<18} {'bytes':>12} {'zipped':>12} {'budget':>12} {'used':>5}")
    for name, artefact in sorted(artefacts.items()):
        size, budget = zipped(artefact), BUDGETS.get(name, BUDGET)
        print(f"{name:<18} {artefact.stat().st_size:>12,} {size:>12,} {budget:>12,} {size / budget:>5.0%}")
        if size > budget:
            wrong.append(f"{name} is {size - budget:,} bytes over its budget")
    return wrong


if __name__ == "__main__":
    problems = main(Path(sys.argv[1]), set(sys.argv[2:]))
    sys.exit("\n".join(problems) or None)
