"""A forum of some thousand readings, two of whose members have objected, and everything an import makes of it.

Everybody in it is invented. It has threads in which people are greeted and named, copies of what objectors wrote, items
read twice within one import and again in the next, and items that their source deleted or hid.
"""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
import talking
from in_store import put
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus import gathering
from demur.corpus.engines import crew, task
from demur.corpus.engines.names import LOCAL
from demur.corpus.engines.task import Given
from demur.corpus.importing import ImportReport, import_items
from demur.corpus.session import reading
from demur.kernel import schema
from demur.terms import EntryKind
from demur.versions.digests import row_hashes
from demur.workspace import Workspace

BATCHES: Final = 30
ROWS: Final = 40
MARKER: Final = "plums"
"""Of what is written in every batch."""
_WROTE: Final = ("forum:anna_s", "forum:gus", "forum:hal", "forum:ida", talking.CYD, talking.ROB)
_SAID: Final = (
    "The market opens at nine, says {name}.",
    "Hi Cyd, are you here, too?",
    "Yesterday I met Cyd Steele at the market.",
    "Thanks Robert, it worked, for {name}.",
    f"Somebody told me that {talking.SAYING}, which is true.",
    f"They say that {talking.OTHER}, or so I heard.",
    "@rmiller wrote about {name}",
    "Mail {name}@garden.example or call.",
)


NOISE: Final = [
    pytest.mark.filterwarnings(f"ignore:{words}")
    for words in (
        ":DeprecationWarning:ray",
        "`ray_remote_args_fn` is deprecated",  # src says so, too
        "unclosed file .*/logs/ray-data/:ResourceWarning",  # Ray's
        "Exception ignored in. .*/logs/ray-data/:pytest.PytestUnraisableExceptionWarning",
        "unclosed <socket.socket:ResourceWarning",  # pyspark's
        "Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning",
    )
]
"""What Ray and PySpark warn of by themselves."""


@dataclass(frozen=True)
class Cluster:
    """An engine whose cluster is there."""

    name: str
    logs: Path
    """The file, or the folder, of what its processes say."""

    def said(self) -> str:
        """Everything in its logs."""
        files = [self.logs] if self.logs.is_file() else [each for each in self.logs.rglob("*") if each.is_file()]
        return "\n".join(each.read_text(errors="replace") for each in files)


def begun(root: Path) -> Workspace:
    """A workspace whose keys all forums have, so that their rows can be compared; it has no corpus yet."""
    return workspaces.create(root, open_policy())


def found(template: Workspace, to: Path, url: str = "", endpoint: str = "") -> Workspace:
    """The forum, before the imports that are compared.

    Args:
        template: of :func:`begun`.
        to: its folder; must not exist.
        url: where its corpus lies; "" for that folder.
        endpoint: of the store.
    """
    workspace = put(template, to, url, endpoint)
    talking.talk(workspace, waiting=False)
    return workspace


def readings(*, again: bool = False) -> Iterator[pa.RecordBatch]:
    """What a source reads; ``again``: some months later, from the middle on."""
    for number in range(BATCHES // 2 if again else 0, BATCHES):
        yield batch(_reading(number * ROWS + at, again=again) for at in range(ROWS))


def _reading(number: int, *, again: bool) -> dict[str, Any]:
    name = number if number % 17 else max(number - 3 * ROWS, 0)  # some are read twice
    text = _SAID[number % len(_SAID)].format(name=f"n{number}") + (" Again." if again and number % 3 == 0 else "")
    spans = [span(0, 8, "mention", talking.ROB)] if text.startswith("@") else []
    hidden = {"deleted": number % 19 == 4, "audience": "followers" if number % 11 == 5 else "public"}
    thread = f"forum:t{number % 50}"
    return item(f"p{name}", _WROTE[number % len(_WROTE)], text, spans=spans, thread=thread, **hidden)


def imported(root: Path, engine: str, *, again: bool = False, rows: int = 200) -> ImportReport:
    """Imports, with as many items in a task; one that took in a whole import would hide what their order means."""
    crew.ROWS = rows  # type: ignore[misc]  # a constant but here
    gathering.ROWS = ROWS  # type: ignore[misc]  # the same: batches stay as small as they are read
    return import_items(
        Workspace(root), "table", readings(again=again), workers=1 if engine == LOCAL else 2, engine=engine, now=NOW
    )


def held(root: Path) -> dict[str, Any]:
    """All that an import leaves, in an order that does not tell who wrote it."""
    with reading(Workspace(root)) as session:
        beside = session.beside
        hashes = (each.tobytes() for rows in session.corpus.batches() for each in row_hashes(_shown(rows)))
        told = list(session.register.log.entries(EntryKind.IMPORT_FINISHED))
        return {
            "rows": hashlib.sha256(b"".join(sorted(hashes))).hexdigest(),
            "count": session.corpus.count(),
            **{name: _lines(getattr(beside, name)) for name in ("evidence", "fingerprints", "uncertain")},
            "imports": [entry.payload for entry in told],
        }


def leavings(root: Path) -> list[str]:
    """Files of rows and scratch that nothing names: what an import that was cut off may not leave for good."""
    data = Workspace(root).corpus_place / "data"
    with reading(Workspace(root)) as session:
        named = set()
        for version in session.corpus.dataset.versions():
            fragments = session.corpus.dataset.checkout_version(version["version"]).get_fragments()
            named |= {file.path for fragment in fragments for file in fragment.data_files()}
    lie = {path.name for path in data.iterdir()} if isinstance(data, Path) else {name for name, _ in data.objects()}
    return sorted(lie - named) + [path.name for path in root.glob("import.*")]


def _shown(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.select(schema.ROW.names)


def _lines(dataset: Any) -> list[str]:  # noqa: ANN401  # a Keyed
    names = dataset.SCHEMA.names
    lines = [row for each in dataset.batches(names) for row in each.select(names).to_pylist()]
    return sorted(
        repr({name: sorted(value) if isinstance(value, list) else value for name, value in row.items()})
        for row in lines
    )


# workers that fail


def failing(how: str, which: int, marks: str, tasks: pa.RecordBatch, given: Callable[[], Given]) -> pa.RecordBatch:
    """:func:`demur.corpus.engines.task.work`, but for one task's first attempt.

    Args:
        how: "killed" dies before the task is done; "late" dies once it is done, and its fragment written; "doubled"
            does it twice.
        which: the number of the task.
        marks: a folder in which the attempt leaves word.
        tasks: as there.
        given: as there.
    """
    first = which in tasks.column("number").to_pylist() and _is_first(Path(marks) / f"{how}-{which}")
    if first and how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if first and how in {"late", "doubled"}:
        task.work(tasks, given)
        if how == "late":
            os.kill(os.getpid(), signal.SIGKILL)
    return task.work(tasks, given)


def work_failing(how: str, which: int, marks: str) -> Callable[[pa.RecordBatch, Callable[[], Given]], pa.RecordBatch]:
    """What to hand to an engine instead of its own function."""
    return partial(failing, how, which, marks)


def other(tasks: pa.RecordBatch, given: Callable[[], Given]) -> pa.RecordBatch:
    """The same, where another demur is installed."""
    task.software = lambda: "demur 0.0.1"  # type: ignore[assignment]
    return task.work(tasks, given)


def broken(tasks: pa.RecordBatch, given: Callable[[], Given]) -> pa.RecordBatch:
    """A worker that always fails, with what somebody wrote in its error, and in the one before that."""
    told, key, _ = given()
    assert told
    some = task.opened(key, tasks.column("sealed")[0].as_py())
    words = str(some.asked[0][0].column("text").to_pylist())
    assert MARKER in words
    raise OSError(words) from ValueError(words)


def _is_first(mark: Path) -> bool:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


# a driver that is killed


def main() -> None:
    """Import in a process of its own: ``throng.py ROOT ENGINE [STEP]``, killed when it comes to a step.

    Steps: "wave" (workers have work), "heard" (a wave is back), "commit" (before the rows count), "committed" (after).
    """
    root, engine, *step = sys.argv[1:]
    if step:
        _die_at(step[0])
    imported(Path(root), engine)


def _die_at(step: str) -> None:
    from demur.corpus.datasets.corpus import Corpus  # noqa: PLC0415  # only here

    def dying(function: Callable[..., Any], *, after: bool, wait: float = 0) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # whatever it is
            if after:
                function(*arguments, **options)
            time.sleep(wait)
            os.kill(os.getpid(), signal.SIGKILL)

        return call

    crews: Any = crew.Crew
    corpora: Any = Corpus
    if step == "wave":
        crowds: Any = ThreadPoolExecutor  # of the crew: nothing else in that process has threads that are handed work
        crowds.submit = dying(crowds.submit, after=True, wait=3)
    elif step == "heard":
        crews._results = dying(crews._results, after=False)
    else:
        corpora.commit = dying(corpora.commit, after=step == "committed")


if __name__ == "__main__":
    main()
