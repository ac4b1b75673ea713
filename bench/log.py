"""The register's log: what signing costs intake, and tree, proofs and receipts at many entries, on SQLite.

Run ``python bench/log.py [ENTRIES]``, by default 1,000,000. Objections are lodged in groups of 64 and one by one, each
commit on disk in the folder for scratch; set ``PYTHONPATH`` to another checkout's ``src`` to compare the rates with it.
The entries of the large log are bare rows with random commitments: what a tree costs hangs on their number alone. Times
are by the clock, and of processors (user and system).
"""

import importlib.util
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import _measure as measure
from demur.identity import Keys
from demur.register import Register
from demur.register.database.store import Store
from demur.register.objections.lodging import Lodging

ENTRIES: Final = 1_000_000
LODGED: Final = 6_400
GROUP: Final = 64
PROOFS: Final = 200
AIMS: Final = {"lodged": 1_500, "proof": 0.005, "receipt": 0.1}
_ROW: Final = "INSERT INTO entry (seq, kind, binding, time, payload, salt, commitment) VALUES (?, ?, ?, ?, ?, ?, ?)"
_REOPEN: Final = """
import sys, time
from pathlib import Path
from demur.identity import Keys
from demur.register import Register
status = Path("/proc/self/status")  # this process's own peak: getrusage's begins with the parent's
peak = lambda: next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
folder, before, began = Path(sys.argv[1]), peak(), time.perf_counter()
with Register.open(f"sqlite:///{folder}/register.db", Keys.load(folder / "keys"), folder / "register.mark") as register:
    last = register.objections.lodge(["x:again"], channel="web").reference
    register.proving.open(register.objections.get(last).seq)
print(time.perf_counter() - began, peak() - before)
"""
VERIFIER: Final = Path(__file__).resolve().parents[1] / "clients" / "verify" / "demur_verify.py"


def main() -> None:
    """Prints the figures."""
    entries = int(sys.argv[1]) if sys.argv[1:] else ENTRIES
    with measure.scratch() as folder:
        for name, group, count in (("groups", GROUP, LODGED), ("ones", 1, LODGED // 16)):
            wall, cpu = lodge(folder / name, count, group)
            print(f"lodged in groups of {group}: {count / wall:,.0f}/s, {count / cpu:,.0f}/s of processor time")
        if importlib.util.find_spec("demur.transparency") is not None:  # a checkout of before has no log
            large(folder / "large", entries)
    print(f"aims: {AIMS['lodged']:,}/s in groups; {AIMS['proof'] * 1e3:.0f} ms a proof; a receipt {AIMS['receipt']} s")


def opened(folder: Path) -> Register:
    """A register with a mark."""
    folder.mkdir()
    keys, url = Keys.create(folder / "keys"), f"sqlite:///{folder}/register.db"
    Register.begin(url, keys, folder / "register.mark").close()
    return Register.open(url, keys, folder / "register.mark")


def lodge(folder: Path, count: int, group: int) -> tuple[float, float]:
    """Seconds to lodge so many objections, by the clock and of processors."""
    with opened(folder) as register:
        register.objections.lodge_all([Lodging([f"x:first{number}"], channel="web") for number in range(group)])
        wall, cpu = time.perf_counter(), time.process_time()
        for begin in range(0, count, group):
            register.objections.lodge_all([Lodging([f"x:{begin + number}"], channel="web") for number in range(group)])
        return time.perf_counter() - wall, time.process_time() - cpu


def large(folder: Path, entries: int) -> None:
    """The tree of a log of so many entries."""
    from demur.register.database import tree  # noqa: PLC0415  # a checkout of before has none
    from demur.transparency.tree import inclusion_proof  # noqa: PLC0415  # the same

    with opened(folder) as register:
        store = Store(f"sqlite:///{register.file}")
        with store.writing() as connection:
            rows = ((seq, "import.finished", False, 0, "{}", b"", secrets.token_bytes(32)) for seq in numbers(entries))
            for part in parts(rows):
                connection.exec_driver_sql(_ROW, part)
        with store.writing() as connection:
            wall, cpu = timed(lambda: tree.build(connection))
            size = connection.exec_driver_sql("SELECT sum(length(root) + length(hashes)) FROM tile").scalar_one()
        print(
            f"{entries:,} entries: tree built in {wall:.1f} s ({cpu:.1f} s of processors), {size / entries:.1f} B each"
        )
        with store.reading() as connection:
            print(f"the edge and its root: {of_many(lambda: tree.edge(connection, entries).root()) * 1e3:.2f} ms")
            places = [secrets.randbelow(entries) for _ in range(PROOFS)]

            def prove(place: int) -> Callable[[], object]:
                return lambda: inclusion_proof(tree.nodes(connection, entries), place, entries)

            proofs = [timed(prove(place))[0] for place in places]
        store.close()
        print(f"a proof of inclusion: {statistics.median(proofs) * 1e3:.2f} ms (worst {max(proofs) * 1e3:.1f} ms)")
        register.begin_journal(register.point(entries))  # as if the rows had been acknowledged
        first, _ = timed(lambda: register.objections.lodge(["x:first"], channel="web"))
        later = of_many(lambda: register.objections.lodge([f"x:{secrets.token_hex(8)}"], channel="web"))
        print(f"the first objection of a process: {first * 1e3:.1f} ms, a later one {later * 1e3:.1f} ms")
        receipts(register)
    reopened(folder)


def reopened(folder: Path) -> None:
    """A process of its own opens that register and makes a proof: its time, and its memory beyond its imports."""
    done = subprocess.run(  # our own code
        [sys.executable, "-c", _REOPEN, str(folder)], check=True, capture_output=True, text=True
    )
    seconds, grown = done.stdout.split()
    print(f"opened again in {float(seconds):.2f} s, with a proof; memory grew by {float(grown):.0f} MB")


def receipts(register: Register) -> None:
    """A receipt made, and verified by the file that stands alone."""
    from demur.objecting.receipts import receipt  # noqa: PLC0415  # as above

    lodged = register.objections.lodge(["x:last"], channel="web")
    state = register.objections.get(lodged.reference)
    made = receipt(register, state)
    spec = importlib.util.spec_from_file_location("demur_verify", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules["demur_verify"] = module
    spec.loader.exec_module(module)
    key = module.Key.read(register.proving.key.text)
    making, checking = of_many(lambda: receipt(register, state)), of_many(lambda: module.verify(made, key))
    print(f"a receipt of {len(made):,} B: made in {making * 1e3:.1f} ms, verified in {checking * 1e3:.1f} ms")


def numbers(entries: int) -> range:
    """The numbers of the entries."""
    return range(1, entries + 1)


def parts(rows: Any, size: int = 50_000) -> Any:  # noqa: ANN401  # rows of a table
    """Rows in lists."""
    part = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one call, by the clock and of processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def of_many(work: Callable[[], object], runs: int = int(os.environ.get("DEMUR_LOG_RUNS", "20"))) -> float:
    """Median seconds of a call, by the clock."""
    return statistics.median(timed(work)[0] for _ in range(runs))


if __name__ == "__main__":
    main()
