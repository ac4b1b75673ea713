"""Laws 1 and 4: whatever is lodged before and while rows are handed out, none comes out that concerns who objected.

What people do is drawn: they object and withdraw, accounts are linked, and in between some rows are taken. Each row is
judged by what the register has acknowledged when it comes out, as its people say: by author, by everybody in spans,
subjects and tags, by their names, and by words of theirs. Nothing of the loader's own judgement is used.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from loads import ALWAYS
from making import NOW, batch, item, open_policy, span

import demur
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.errors import DemurError
from demur.loading import Loader
from demur.loading.overlay import Overlay
from demur.loading.watching import Watch
from demur.register import Register
from demur.register.members.rows import MEMBER
from demur.versions.leave import export
from demur.versions.publish import publish
from demur.workspace import Workspace, create, find

pytestmark = pytest.mark.law

NAMES = {
    "forum:ann": "Annabella Archerly",
    "forum:bob": "Bartholomew Brockhurst",
    "forum:cyd": "Cydonia Castlemaine",
    "forum:dag": "Dagobert Dunningham",
}
PEOPLE = tuple(NAMES)
WORDS = {
    "forum:ann": "the old mill by the weir hums at dusk like a choir that has forgotten all but one of its hymns",
    "forum:bob": "my grandfather kept nineteen clocks in the pantry because he trusted bread more than he did time",
    "forum:cyd": "whoever painted that ferry orange must have quarrelled with the sea long before breakfast and lost",
    "forum:dag": "every third lamp on our street is out of tune with the moon and the cats have begun to notice it",
}
"""What each of them wrote, and somebody copied."""

Act = tuple[Literal["take", "object", "withdraw", "link", "honour"], int, int]

acts: st.SearchStrategy[list[Act]] = st.lists(
    st.tuples(
        st.sampled_from(("take", "take", "take", "object", "object", "object", "withdraw", "link", "honour")),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=5,
)


LODGED: list[Act] = [("take", 1, 0), ("object", 0, 0), ("object", 2, 0)]
"""Enough for the law to tell a loader that keeps it from one that does not."""
BACK: list[Act] = [("object", 3, 0), ("honour", 0, 0), ("withdraw", 3, 0), ("object", 1, 0)]
"""The first two wrote the same words at one time: what the corpus lost for the one, the other may object to later."""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each of four writes, is mentioned, quoted, tagged and named by the next, and copied by the one after that."""
    made = create(tmp_path_factory.mktemp("founded") / "w", open_policy())
    members = [{"account": account, "names": [name]} for account, name in NAMES.items()]
    with made.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(members, schema=MEMBER)], now=NOW)
    items: list[dict[str, Any]] = []
    for number, person in enumerate(PEOPLE):
        following, third = PEOPLE[(number + 1) % 4], PEOPLE[(number + 2) % 4]
        picture = {"uri": f"{number}.jpg", "type": "image/jpeg", "alt": None, "tagged": [person]}
        items += [
            item(f"{number}-own", person, WORDS[person]),
            item(f"{number}-mention", following, "see @x there", spans=[span(4, 6, "mention", person)]),
            item(f"{number}-quote", following, "> so it is\nno", spans=[span(0, 10, "quote", person)]),
            item(f"{number}-tag", following, "look", media=[picture]),
            item(f"{number}-name", following, f"yesterday I met {NAMES[person]} at the market"),
            item(f"{number}-copy", third, f"as somebody said: {WORDS[person]}"),
        ]
    import_items(made, "table", [batch(items)], now=NOW)
    publish(made, "v1")
    export(made, "v1", made.root.parent / "export")
    return made.root


@dataclass
class Community:
    """What people did so far, as they would tell it."""

    workspace: Workspace
    register: Register
    objections: dict[str, str] = field(default_factory=dict)
    """The reference of each person's own objection in force."""
    links: list[set[str]] = field(default_factory=list)

    def do(self, act: Act) -> None:
        """What somebody does; acknowledged when this returns."""
        kind, one, other = act[0], PEOPLE[act[1]], PEOPLE[act[2]]
        if kind == "object" and one not in self.objections:
            self.objections[one] = self.register.objections.lodge([one], channel="api").reference
        elif kind == "withdraw" and one in self.objections:
            self.register.objections.withdraw(self.objections.pop(one))
        elif kind == "link" and one != other:
            self.register.members.link(one, other)
            self.links.append({one, other})
        elif kind == "honour":
            honour(self.workspace)

    @property
    def out(self) -> set[str]:
        """Who has objected, with whoever is linked with them."""
        found = set(self.objections)
        while more := {each for link in self.links if link & found for each in link} - found:
            found |= more
        return found

    def judge(self, row: dict[str, Any]) -> None:
        """Nothing of who is out may be in a row."""
        people = {f"{self.workspace.keys().pepper.subject_key(each):016x}": each for each in self.out}
        named = [row["author"], *row["subjects"], *(each["subject"] for each in row["spans"])]
        named += [key for each in row["media"] for key in each["tagged"]]
        assert not [people[key] for key in named if key in people], row
        for person in self.out:
            assert NAMES[person] not in row["text"], row
            assert WORDS[person] not in row["text"], row


def play(founded: Path, folder: Path, before: Sequence[Act], during: Sequence[Act], *, exported: bool) -> None:
    """Everything happens in its order; rows are judged as they come out, and counted at the end."""
    workspace = find(Path(shutil.copytree(founded, folder / "w")))
    try:
        with workspace.register() as register:
            people = Community(workspace, register)
            for act in before:
                people.do(act)
            with opened(founded, workspace, exported=exported) as loader:
                for row in taking(loader, people, during):
                    people.judge(row)
                authors = [row["author"] for row in loader]
            own = {
                f"{int(workspace.keys().pepper.subject_key(each)):016x}" for each in PEOPLE if each not in people.out
            }
            assert set(authors) == own  # whoever did not object is still there
    finally:
        shutil.rmtree(folder / "w")


def opened(founded: Path, workspace: Workspace, *, exported: bool) -> Loader:
    if not exported:
        return demur.load(workspace.root, "v1", check_every=ALWAYS)
    folder = founded.parent / "export"
    return demur.load(folder, head=workspace.root, stale="leave-out", check_every=ALWAYS)


def taking(loader: Loader, people: Community, acts: Sequence[Act]) -> Iterator[dict[str, Any]]:
    """The rows: some are taken where an act says so, the rest at the end."""
    rows = iter(loader)
    for act in acts:
        people.do(act)
        for _ in range(act[1] + 1 if act[0] == "take" else 0):
            if (row := next(rows, None)) is None:
                return
            yield row
    yield from rows


@given(before=acts, during=acts, exported=st.booleans())
@settings(max_examples=6)
@example(before=[], during=LODGED, exported=False)
@example(before=BACK, during=[], exported=True)
@example(before=[], during=[("take", 1, 0), ("object", 1, 0), ("take", 0, 0), ("link", 1, 2)], exported=False)
def test_no_row_comes_out_that_concerns_who_objected(
    founded: Path, tmp_path_factory: pytest.TempPathFactory, before: list[Act], during: list[Act], *, exported: bool
) -> None:
    play(founded, tmp_path_factory.mktemp("play"), before, during, exported=exported)


def once(watch: Watch) -> Overlay:
    """A head that is read when the version is opened, and never again."""
    return watch.latest


def never(_: Watch) -> Overlay:
    """A head that is not listened to at all."""
    return Overlay()


@pytest.mark.parametrize(("mutant", "before", "during"), [(once, [], LODGED), (never, LODGED, [])])
def test_a_loader_that_ignores_the_head_is_caught(
    founded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutant: Any,  # noqa: ANN401  # a function in place of a method
    before: list[Act],
    during: list[Act],
) -> None:
    monkeypatch.setattr(Watch, "overlay", mutant)
    with pytest.raises(AssertionError):
        play(founded, tmp_path, before, during, exported=False)


def test_a_loader_that_leaves_out_and_rewrites_nothing_of_words_is_caught(
    founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Overlay.applied

    def without_changes(self: Overlay, rows: pa.RecordBatch, places: Any) -> Any:  # noqa: ANN401  # as the method
        return real(Overlay(gone=self.gone), rows, places)

    monkeypatch.setattr(Overlay, "applied", without_changes)
    with pytest.raises((AssertionError, DemurError)):
        play(founded, tmp_path, [], LODGED, exported=False)
