"""A disk that fails, a full one, a kill -9 in the middle of a write, a wrong clock: what was told stays true.

Whoever makes a call of the system that writes, syncs or names a file (Python, SQLite, Lance), each of them fails once
while somebody objects and while a version is published; or the process is killed there. The same request, or the same
command, then works: where the process lives, in that process. A sample in `make test`, spread evenly; in `make soak`
all calls, and ``DEMUR_KILLS`` kills (300 unless given), a third of them in publishing and a sixth between the commit of
an objection and its answer. The clock is a day behind or ahead, or ten years, and then right again.
"""

import errno
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn

import pyarrow as pa
import pytest
from making import batch, item, span
from promises import Promises, require_kept
from silence import doubted
from town import town_policy
from unlucky import KILLING, Fault, Machine, Outcome, build

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.register.members.rows import MEMBER
from demur.tokens import Purpose, Tokens
from demur.versions.publish import publish
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
KILLS: Final = int(os.environ.get("DEMUR_KILLS", "300"))
FULL: Final = 50
ANN: Final = "forum:ann"
WAYS: Final = ("portal", "api", "command", "list")
"""How Ann objects: by the link of a notice, through the platform, by a letter that staff record, in a list of them."""
SERVED: Final = WAYS[:2]
JSON: Final = {"Content-Type": "application/json", "Idempotency-Key": "of-ann"}


WELL: Final = Fault()


@dataclass(eq=False)
class Scene:
    """A forum with a version; one who objected is not honoured yet, and Ann is about to object.

    Another objection is doubted, and lapses three days later, unless its holder answers.
    """

    folder: Path
    machine: Machine
    link: str
    key: str
    told: Promises
    """What was told until then."""

    def fresh(self) -> Workspace:
        """A copy, for one fault."""
        root = self.folder / f"w{next(self._numbers)}."
        return Workspace(Path(shutil.copytree(self.folder / "start", root)))

    _numbers = itertools.count()

    def does(self, workspace: Workspace, act: str, fault: Fault = WELL, days: int = 0) -> Outcome:
        """Have Ann object, or somebody publish, while something goes wrong."""
        machine, root = self.machine, workspace.root
        if act == "portal":
            return machine.request(root, "POST", self.link, fault=fault, days=days)
        if act == "api":
            body, headers = json.dumps({"accounts": [ANN]}), JSON | {"Authorization": f"Bearer {self.key}"}
            return machine.request(root, "POST", "/api/objections", body=body, headers=headers, fault=fault, days=days)
        return machine.command(root, *self._words(act), fault=fault, days=days)

    def _words(self, act: str) -> tuple[str, ...]:
        return {
            "command": ("object", "--account", ANN, "--json"),
            "list": ("object", "--from", str(self.folder / "list.csv"), "--json"),
            "publish": ("publish", "v2", "--json"),
            "worker": ("worker", "--once"),
        }[act]

    @cache  # noqa: B019  # there is one
    def steps(self, act: str) -> tuple[str, ...]:
        """The calls that an act takes when nothing goes wrong."""
        workspace = self.fresh()
        outcome = self.does(workspace, act)
        assert outcome.exit == 0
        shutil.rmtree(workspace.root)
        return tuple(outcome.steps)

    def until_answered(self, act: str) -> range:
        """The calls of an objection after which it is acknowledged at the latest."""
        steps = self.steps(act)
        return range(len(steps) - 1 - steps[::-1].index("sync /register.mark") + 1 if act in WAYS else len(steps))


@pytest.fixture(scope="module")
def scene(missing: Callable[[str], NoReturn]) -> Iterator[Scene]:
    if shutil.which("cc") is None:
        missing("a C compiler")
    with TemporaryDirectory(prefix="demur-disk-", dir=RAM if RAM.is_dir() else None) as held:
        folder = Path(held)
        workspace = workspaces.create(folder / "start", town_policy())
        with workspace.register() as register:
            members = [{"account": ANN, "names": ["Ann Archer"], "locale": "en"}]
            register.members.import_all([pa.RecordBatch.from_pylist(members, schema=MEMBER)])
        import_items(workspace, "table", [batch(_items())])
        publish(workspace, "v1")
        with workspace.register() as register:
            key = register.api_keys.create("forum")
            first = register.proving.checkpoint()
            register.objections.lodge(["forum:ben"], channel="letter")
            typed = register.objections.lodge(["forum:eve"], channel="typed-in").reference
            doubted(register, typed, datetime.now(UTC) + timedelta(days=3))
            told = Promises(["forum:ben", "forum:eve"], [first, register.proving.checkpoint()], ["v1"])
            tokens = Tokens.of(workspace.keys(), register.incarnation)
        link = f"/en/o/{tokens.make(Purpose.OBJECT, workspace.keys().pepper.subject_key(ANN))}"
        (folder / "list.csv").write_text(f"account\n{ANN}\n")
        with Machine(build(folder)) as machine:
            yield Scene(folder, machine, link, key, told)


def _items() -> Iterator[dict[str, Any]]:
    for number in range(40):
        yield item(f"a{number}", ("forum:ann", "forum:ben", "forum:cem")[number % 3], f"I come by train {number}")
        yield item(f"m{number}", "forum:dia", f"@ann came, too {number}", spans=[span(0, 4, "mention", ANN)])


def promised(scene: Scene, act: str, outcome: Outcome) -> Promises:
    """What was told in an outcome, with what was told before it."""
    before = scene.told
    told = Promises([*before.accounts], [*before.checkpoints, *outcome.checkpoints], [*before.versions])
    if act == "publish":
        told.versions += ["v2"] if '"name": "v2"' in outcome.out else []
        return told
    acknowledged = (
        '"reference' in outcome.out or '"recorded": 1' in outcome.out or outcome.statuses[:1] in ([201], [303])
    )
    told.accounts += [ANN] if acknowledged else []
    return told


def check(scene: Scene, act: str, fault: Fault) -> bool:
    """Let something go wrong; all that must hold after. Whether it did go wrong."""
    workspace = scene.fresh()
    outcome = scene.does(workspace, act, fault)
    try:
        told = promised(scene, act, outcome)
        if act in SERVED:
            assert outcome.statuses[0] in ({0} if fault.kills else set()) | {201, 303, 503}
            assert outcome.statuses[1] in (201, 303), "the same request is acknowledged once the disk is well"
            told.accounts = sorted({*told.accounts, ANN})
        else:
            _require_told(outcome, fault)
            told = _again(scene, workspace, act, told)
        require_kept(workspace, told, next_version="v3")
    except BaseException as error:
        step = outcome.steps[fault.at] if fault.at < len(outcome.steps) else "-"
        error.add_note(
            f"{act}: {fault} ({step}); {outcome.exit} {outcome.statuses} {outcome.out} {outcome.said[-2000:]}"
        )
        raise
    shutil.rmtree(workspace.root)
    return outcome.fired


def _require_told(outcome: Outcome, fault: Fault) -> None:
    """A command that failed says so in one sentence."""
    if fault.kills and outcome.fired:
        assert outcome.exit == -9
    elif outcome.exit:
        assert outcome.exit in (1, 2)
        [said] = [line for line in outcome.said.splitlines() if " WARN  lance" not in line]  # which warns on its own
        assert said.endswith(".")
        assert "a bug in demur" not in said


def _again(scene: Scene, workspace: Workspace, act: str, told: Promises) -> Promises:
    """Give the same command again, on a disk that is well."""
    outcome = scene.does(workspace, act)
    if act == "publish" and outcome.exit == 2:
        assert "There is, or was, a version v2" in outcome.said
        return replace(told, versions=[*told.versions, "v2"])
    assert outcome.exit == 0, outcome.said
    if act == "publish":
        return replace(told, versions=[*told.versions, "v2"])
    return replace(told, accounts=sorted({*told.accounts, ANN}), once=act != "command")


def spread(count: int, places: int) -> list[int]:
    """So many of some places, evenly."""
    return [int((number + 0.5) / count * places) for number in range(count)]


def killed(scene: Scene, act: str, number: int, begin: int = 0) -> int:
    """Kill an act so many times, at calls from one on until it is acknowledged; how many it met."""
    kills = [Fault(how, at) for at in scene.until_answered(act)[begin:] for how in KILLING]
    return sum(check(scene, act, kills[place]) for place in spread(number, len(kills)))


def from_commit(scene: Scene, act: str) -> int:
    """The call by which an objection is committed: the last of the register's before the mark's."""
    steps = scene.steps(act)[: scene.until_answered(act).stop]
    return len(steps) - 1 - steps[::-1].index("sync /register.db-wal")


SAMPLED: Final = [("portal", 2), ("api", 2), ("command", 1), ("list", 1), ("publish", 4)]
SOAKED: Final = [*((way, KILLS // 2 // len(WAYS)) for way in WAYS), ("publish", KILLS // 3)]


@pytest.mark.parametrize(
    ("act", "number"), [*SAMPLED, *(pytest.param(*each, marks=pytest.mark.soak) for each in SOAKED)]
)
def test_a_kill_takes_nothing_back(scene: Scene, act: str, number: int) -> None:
    assert killed(scene, act, number) >= number * 0.9


@pytest.mark.parametrize("number", [1, pytest.param(KILLS // 6 // len(WAYS) + 1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("act", WAYS)
def test_a_kill_between_commit_and_answer_takes_nothing_back(scene: Scene, act: str, number: int) -> None:
    assert killed(scene, act, number, from_commit(scene, act)) == number


FAILING: Final = [("portal", 3), ("api", 1), ("list", 1), ("publish", 4)]


@pytest.mark.parametrize(
    ("act", "number"),
    [*FAILING, *(pytest.param(each, 0, marks=pytest.mark.soak) for each in (*WAYS, "publish"))],
)
def test_each_call_fails_once(scene: Scene, act: str, number: int) -> None:
    """All of them where the number is 0."""
    places = len(scene.until_answered(act))
    for at in spread(number or places, places):
        check(scene, act, Fault("once", at))


@pytest.mark.parametrize(
    ("act", "number"),
    [("portal", 1), ("publish", 2)]
    + [pytest.param(each, FULL // 5, marks=pytest.mark.soak) for each in (*WAYS, "publish")],
)
def test_a_full_disk_takes_nothing_back(scene: Scene, act: str, number: int) -> None:
    for at in spread(number, len(scene.until_answered(act))):
        check(scene, act, Fault("full", at, errno.ENOSPC))


@pytest.mark.parametrize("days", [-1, 1, 3652])
@pytest.mark.parametrize("act", ["portal", *(pytest.param(each, marks=pytest.mark.soak) for each in WAYS[1:])])
def test_a_wrong_clock_takes_nothing_back(scene: Scene, act: str, days: int) -> None:
    """Ann objects, a worker looks what is due, and a version is published; then the clock is right again."""
    workspace = scene.fresh()
    outcome = scene.does(workspace, act, days=days)
    told = promised(scene, act, outcome)
    assert ANN in told.accounts, outcome
    told.once = act in SERVED
    for other in ("worker", "publish"):
        outcome = scene.does(workspace, other, days=days)
        assert outcome.exit == 0, outcome.said
    told.versions += ["v2"]
    assert scene.does(workspace, "worker").exit == 0
    require_kept(workspace, told, next_version="v3")
    shutil.rmtree(workspace.root)
