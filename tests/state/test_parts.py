"""Parts of a workspace that do not belong together are refused, and whatever belongs together runs and obeys.

A workspace is put together from parts of several ages, of another workspace, emptied or missing, at random; a plain
table says what has to happen: the register must be at least as new as its mark, as the corpus, as what lies beside it,
and as every version whose manifest lies there; what lies beside the corpus must be at least as new as the corpus; keys
are compared with the register. What is refused leaves every file as it was.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import ages as made
import pytest
from ages import AGES, Ages

from demur.corpus.session import reading
from demur.errors import CheckFailed, DemurError, UsageError
from demur.versions.leave import export, verify
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.workspace import Workspace

RAM = Path("/dev/shm")
LAST = AGES - 1
SAMPLED = 12
SOAKED = 212

Parts = Mapping[str, int | str]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="demur-state-", dir=RAM if RAM.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def ages(home: Path) -> Ages:
    return made.make(home)


@pytest.fixture
def put(ages: Ages, home: Path) -> Iterator[Callable[[Parts], Workspace]]:
    with TemporaryDirectory(prefix="put-", dir=home) as folder:
        yield lambda parts: ages.put_together(Path(folder) / "w", parts)


def refused(parts: Parts) -> bool:
    """The table: whether these parts must not run, when every part that is not named is of the last age."""
    register, mark, corpus, versions = (parts.get(part, LAST) for part in ("register", "mark", "corpus", "versions"))
    if any(parts.get(key, LAST) != LAST for key in ("pepper", "sealing", "signing", "log")):
        return True  # keys never change, so that only a foreign or a missing one counts: see draw
    if register in {"foreign", "missing", "empty"} or mark in {"foreign", "missing", "empty"}:
        return True
    evidence = parts.get("evidence", LAST)
    if "foreign" in (corpus, versions, evidence):
        return True
    if isinstance(corpus, int) and (evidence == "missing" or (isinstance(evidence, int) and evidence < corpus)):
        return True
    newest = max(age for age in (0, mark, corpus, versions, evidence) if isinstance(age, int))
    return isinstance(register, int) and newest > register


def draw(chance: random.Random) -> dict[str, int | str]:
    """Parts at random: mostly of some age, now and then another's, emptied or missing."""
    parts: dict[str, int | str] = {}
    for part in made.PARTS:
        kind = chance.random()
        if part in {"pepper", "sealing", "signing", "log"}:
            if kind < 0.04:
                parts[part] = chance.choice(["foreign", "missing", "empty"])
        elif kind < 0.45:
            parts[part] = chance.randrange(AGES)
        elif kind < 0.55:
            parts[part] = chance.choice(
                ["foreign", "missing"] if part in {"versions", "evidence"} else ["foreign", "missing", "empty"]
            )
    if parts.get("corpus") == "empty":
        parts["corpus"] = "missing"
    return parts


def digest(root: Path) -> dict[str, str]:
    """Every file but locks and SQLite's working files, by name and content."""
    passing = (".lock", "register.db-wal", "register.db-shm")
    files = [path for path in root.rglob("*") if path.is_file() and path.name not in passing]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def judge(workspace: Workspace, parts: Parts) -> None:
    """Runs the commands that matter, and compares what they do with the table."""
    if refused(parts):
        before = digest(workspace.root)
        for command in (made.read_all, lambda w: publish(w, "new"), _export_all, _read, _verify):
            with pytest.raises(DemurError) as raised:
                command(workspace)
            assert not isinstance(raised.value, UsageError | CheckFailed), raised.value
        assert digest(workspace.root) == before, "something was changed"
        return
    age = parts.get("register", LAST)
    assert isinstance(age, int)
    gone = made.objected(age)
    publish(workspace, "first")
    made.read_all(workspace)
    publish(workspace, "second")
    for name in ("first", "second"):
        texts = " ".join(text for rows in rows_of(workspace, name) for text in rows.column("text").to_pylist())
        assert not [person for person in gone if made.text_of(person) in texts]
        assert verify(workspace, name, current=True).ok
    export(workspace, "second", workspace.root.parent / "exported")
    if age == LAST:
        erased = made.text_of(made.PEOPLE[LAST]).encode()
        kept = [path for path in (workspace.root / "corpus.lance").rglob("*.lance") if erased in path.read_bytes()]
        assert not kept, "the erased person's words are in a file"


def _export_all(workspace: Workspace) -> None:
    export(workspace, "v0", workspace.root.parent / "refused")


def _read(workspace: Workspace) -> None:
    with reading(workspace):
        raise AssertionError("parts that do not belong together were read")


def _verify(workspace: Workspace) -> None:
    verify(workspace, "v0")


CASES: dict[str, Parts] = {
    "as it is": {},
    "older register": {"register": 1},
    "older register and mark": {"register": 1, "mark": 1},
    "older register, mark and versions": {"register": 1, "mark": 1, "versions": 1},
    "older register, mark and corpus": {"register": 2, "mark": 2, "corpus": 2, "evidence": 2},
    "all older": {"register": 1, "mark": 1, "corpus": 1, "evidence": 1, "versions": 1, "glance": 1},
    "older mark": {"mark": 0},
    "older corpus": {"corpus": 1},
    "older corpus with its glance": {"corpus": 0, "glance": 0},
    "older corpus and versions": {"corpus": 2, "versions": 2},
    "older versions": {"versions": 0},
    "older evidence": {"evidence": 1},
    "older evidence and corpus": {"evidence": 1, "corpus": 1},
    "evidence newer than the register": {"register": 2, "mark": 2, "corpus": 2},
    "no evidence": {"evidence": "missing"},
    "neither corpus nor evidence": {"corpus": "missing", "evidence": "missing"},
    "another's evidence": {"evidence": "foreign"},
    "another's corpus and evidence": {"corpus": "foreign", "evidence": "foreign"},
    "older glance": {"glance": 1},
    "no glance": {"glance": "missing"},
    "another's glance": {"glance": "foreign"},
    "no corpus": {"corpus": "missing"},
    "no versions": {"versions": "missing"},
    "empty register": {"register": "empty"},
    "no register": {"register": "missing"},
    "no mark": {"mark": "missing"},
    "empty mark": {"mark": "empty"},
    "another's register": {"register": "foreign"},
    "another's mark": {"mark": "foreign"},
    "another's register and mark": {"register": "foreign", "mark": "foreign"},
    "another's corpus": {"corpus": "foreign"},
    "another's corpus and glance": {"corpus": "foreign", "glance": "foreign"},
    "another's versions": {"versions": "foreign"},
    "another pepper": {"pepper": "foreign"},
    "another sealing key": {"sealing": "foreign"},
    "another signing key": {"signing": "foreign"},
    "no pepper": {"pepper": "missing"},
    "another key of the log": {"log": "foreign"},
    "no key of the log": {"log": "missing"},
    "another's keys": {"pepper": "foreign", "sealing": "foreign", "signing": "foreign"},
}


@pytest.mark.parametrize("name", CASES)
def test_parts_run_only_if_they_belong_together(name: str, put: Callable[[Parts], Workspace]) -> None:
    judge(put(CASES[name]), CASES[name])


@pytest.mark.parametrize("seed", range(SAMPLED))
def test_random_parts(seed: int, put: Callable[[Parts], Workspace]) -> None:
    parts = draw(random.Random(seed))
    judge(put(parts), parts)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SAMPLED, SAMPLED + SOAKED))
def test_random_parts_for_long(seed: int, put: Callable[[Parts], Workspace]) -> None:
    parts = draw(random.Random(seed))
    judge(put(parts), parts)
