"""Laws 1 and 2: what a loader knows of a version, brought up to date, is what judging the version anew finds.

Whatever comes between two looks: objections and their ends, links, members who are called otherwise, consents, what
officers clear, edits of the policy, honouring, and imports that tell more of threads and of who wrote what.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import NOW, batch, item, open_policy, span

from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.policy import Others, write_policy
from demur.register import Register
from demur.register.members.rows import MEMBER
from demur.versions.judging import Judged, judged
from demur.versions.publish import publish
from demur.words.page import short_keys
from demur.workspace import Workspace, create, find

pytestmark = pytest.mark.law

NAMES: Final = {
    "forum:ann": "Annabella Archerly",
    "forum:bob": "Bartholomew Brockhurst",
    "forum:cyd": "Cydonia Castlemaine",
    "forum:dag": "Dagobert Dunningham",
}
PEOPLE: Final = tuple(NAMES)
OTHERS: Final = ("forum:eve", "forum:fay", "forum:gus")
WORDS: Final = (
    "the old mill by the weir hums at dusk like a choir that has forgotten all but one of its hymns",
    "my grandfather kept nineteen clocks in the pantry because he trusted bread more than he did time",
    "whoever painted that ferry orange must have quarrelled with the sea long before breakfast and lost",
    "every third lamp on our street is out of tune with the moon and the cats have begun to notice it",
)
"""What each of them wrote, and somebody copied."""

Act = tuple[str, int, int]

ACTS: Final = (
    *("object", "object", "object", "end", "honour", "honour", "link", "unlink"),
    *("rename", "namesake", "consent", "clear", "policy", "import", "copied", "erase"),
)
acts: st.SearchStrategy[list[Act]] = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=6
)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each of four begins a thread, and is mentioned, named in full and in part, quoted, tagged and copied."""
    made = create(tmp_path_factory.mktemp("founded") / "w", open_policy())
    with made.register() as register:
        called(register, NAMES)
    items: list[dict[str, Any]] = []
    for number, person in enumerate(PEOPLE):
        following, third = PEOPLE[(number + 1) % 4], PEOPLE[(number + 2) % 4]
        first, last = NAMES[person].split()
        picture = {"uri": f"{number}.jpg", "type": "image/jpeg", "alt": None, "tagged": [person]}
        root = {"thread": f"forum:{number}-own", "parent": f"forum:{number}-own"}
        items += [
            item(f"{number}-own", person, WORDS[number]),
            item(f"{number}-mention", following, "see @x there", spans=[span(4, 6, "mention", person)]),
            item(f"{number}-quote", following, "> so it is\nno", spans=[span(0, 10, "quote", person)], media=[picture]),
            item(f"{number}-name", following, f"yesterday I met {first} {last} at the market"),
            item(f"{number}-last", third, f"no sign of {last} there"),
            item(f"{number}-first", third, f"I think {first} has seen it too", **root),
            item(f"{number}-reply", following, f"Hi {first}, that is true", **root),
            item(f"{number}-copy", third, f"as somebody said: {WORDS[number]}"),
        ]
    import_items(made, "table", [batch(items)], now=NOW)
    publish(made, "v1", now=NOW)
    return made.root


def called(register: Register, names: dict[str, str]) -> None:
    members = [{"account": account, "names": [name]} for account, name in names.items()]
    register.members.import_all([pa.RecordBatch.from_pylist(members, schema=MEMBER)], now=NOW)


class Doing:
    """What happens to a workspace."""

    def __init__(self, workspace: Workspace, register: Register) -> None:
        self.workspace, self.register = workspace, register
        self.objections: list[str] = []
        self.links: set[tuple[str, str]] = set()
        self.number = 0

    def do(self, act: Act) -> None:
        step: Callable[[int, int], None] = getattr(self, f"_{act[0]}")
        step(act[1], act[2])

    def _object(self, one: int, other: int) -> None:
        who = [PEOPLE[one], *(PEOPLE[other : other + 1] if other > one else ())]
        self.objections.append(self.register.objections.lodge(who, channel="letter", now=NOW).reference)

    def _end(self, one: int, _: int) -> None:
        if self.objections:
            self.register.objections.withdraw(self.objections.pop(one % len(self.objections)), now=NOW)

    def _honour(self, *_: int) -> None:
        honour(self.workspace, now=NOW)

    def _link(self, one: int, other: int) -> None:
        pair = (PEOPLE[min(one, other)], (*PEOPLE, *OTHERS)[max(one, other) + one])
        if pair[0] != pair[1] and pair not in self.links:
            self.register.members.link(*pair, now=NOW)
            self.links.add(pair)

    def _unlink(self, *_: int) -> None:
        if self.links:
            self.register.members.unlink(*self.links.pop(), now=NOW)

    def _rename(self, one: int, other: int) -> None:
        called(self.register, {PEOPLE[one]: f"{NAMES[PEOPLE[other]].split()[0]} Winterbourne"})

    def _namesake(self, one: int, other: int) -> None:
        called(self.register, {OTHERS[one % 3]: f"{NAMES[PEOPLE[other]].split()[0]} Somersby"})

    def _consent(self, one: int, other: int) -> None:
        self.register.members.consent([PEOPLE[one]], given=other > 1, now=NOW)

    def _clear(self, one: int, _: int) -> None:
        pepper = self.workspace.keys().pepper
        item = short_keys(pa.array([pepper.item_key(f"forum:{one}-name")], pa.binary(16)))[0]
        self.register.names.clear(int(item), int(pepper.subject_key(PEOPLE[one])), by="staff", now=NOW)

    def _policy(self, one: int, other: int) -> None:
        others = Others(names=("mask", "drop")[one % 2], mentions=("mask", "drop")[other % 2])
        write_policy(open_policy(others=others), self.workspace.policy_path)

    def _import(self, one: int, other: int) -> None:
        """Somebody answers in a thread, and is called by its beginner's name; an older demur's reading goes."""
        first = NAMES[PEOPLE[other]].split()[0]
        root = {"thread": f"forum:{one}-own", "parent": f"forum:{one}-own"}
        self._read(item(f"new-{self.number}", OTHERS[other % 3], f"Hi {first}, that is true", **root))

    def _copied(self, one: int, other: int) -> None:
        """Another one wrote the same; or the post itself is read anew."""
        self._read(
            item(f"same-{self.number}" if other else f"{one}-own", (*OTHERS, PEOPLE[one])[other - 1], WORDS[one])
        )

    def _erase(self, one: int, other: int) -> None:
        """The source says that a post is gone."""
        self._read(item(f"{one}-{('own', 'first', 'copy', 'name')[other]}", PEOPLE[one], None, deleted=True))

    def _read(self, row: dict[str, Any]) -> None:
        self.number += 1
        import_items(self.workspace, "table", [batch([row])], now=NOW)


def told(found: Judged) -> dict[bytes, Any]:
    """What becomes of each stale row: its reason, or how it would stand."""
    if (part := found.rows) is None:
        return {}
    after = iter(part.answer.kept.to_pylist())
    items = part.stored.column("item").to_pylist()
    assert len(items) == len(set(items)) == len(part.addresses)
    return {
        key: reason if gone else next(after)
        for key, reason, gone in zip(items, part.reasons, part.left_out.tolist(), strict=True)
    }


def judge(workspace: Workspace, register: Register, before: Judged | None) -> Judged:
    with reading(workspace, NOW, rows=False, register=register) as session:
        return judged(session, "v1", before)


def play(founded: Path, folder: Path, acts: list[Act], looks: list[bool]) -> None:
    workspace = find(Path(shutil.copytree(founded, folder / "w")))
    try:
        with workspace.register() as register:
            doing = Doing(workspace, register)
            known: Judged | None = None
            for act, look in zip(acts, looks, strict=False):
                doing.do(act)
                if look:
                    known = judge(workspace, register, known)
                    assert told(known) == told(judge(workspace, register, None)), act
    finally:
        shutil.rmtree(folder / "w")


LOOKS: Final = [True] * 6
STEPS: Final[list[list[Act]]] = [
    [("object", 0, 0), ("honour", 0, 0), ("object", 2, 0), ("end", 0, 0), ("clear", 0, 0), ("object", 3, 0)],
    [("object", 1, 0), ("namesake", 1, 1), ("link", 0, 1), ("rename", 0, 2), ("object", 0, 2), ("unlink", 0, 0)],
    [("object", 1, 0), ("policy", 1, 1), ("object", 0, 0), ("import", 0, 0), ("copied", 0, 2), ("object", 3, 0)],
]


@given(acts=acts, looks=st.lists(st.sampled_from((True, True, False)), min_size=6, max_size=6))
@settings(max_examples=1)
@example(acts=STEPS[0], looks=LOOKS)
@example(acts=STEPS[1], looks=LOOKS)
@example(acts=STEPS[2], looks=LOOKS)
def test_going_on_finds_what_judging_anew_finds(
    founded: Path, tmp_path_factory: pytest.TempPathFactory, acts: list[Act], looks: list[bool]
) -> None:
    play(founded, tmp_path_factory.mktemp("play"), acts, looks)


def test_only_what_an_entry_concerns_is_judged_again(founded: Path, tmp_path: Path) -> None:
    workspace = find(Path(shutil.copytree(founded, tmp_path / "w")))
    with workspace.register() as register:
        reference = register.objections.lodge(PEOPLE[:2], channel="letter", now=NOW).reference
        known = judge(workspace, register, None)
        assert known.again is None
        stale = len(told(known))
        register.objections.lodge(OTHERS[:1], channel="letter", now=NOW)  # nothing of theirs is in the version
        known = judge(workspace, register, known)
        assert known.again == 0
        register.objections.lodge(PEOPLE[2:3], channel="letter", now=NOW)
        known = judge(workspace, register, known)
        assert known.again is not None
        assert 0 < known.again < 20  # of 32: theirs, and what holds a word of their name or of what they wrote
        assert len(told(known)) > stale
        honour(workspace, now=NOW)
        register.objections.withdraw(reference, now=NOW)
        known = judge(workspace, register, known)
        assert known.again is not None  # what was stale, and what they wrote
        assert len(told(known)) < stale
