"""A register made by the first release, which knew one rule of spelling, keeps covering whom it covered."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import pytest
from holding import kept, texts
from making import item, open_policy, span

from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.corpus.session import reading
from demur.policy import write_policy
from demur.register import ObjectionPhase
from demur.rights.access import copy_of
from demur.tokens import Purpose, Tokens
from demur.workspace import Workspace

GOLDEN: Final = Path(__file__).parent / "golden"
LINKS: Final[dict[str, dict[str, Any]]] = json.loads((GOLDEN / "links.json").read_text())

SPELT: Final = {
    "mail:ann@straße.example": ("mail:Ann@STRAẞE.example", "mail:ann@xn--strae-oqa.example"),
    "mail:bo@ολος.example": ("mail:bo@xn--wxahbm.example",),
    "mail:ﬁona@inbox.example": ("mail:ﬁona@INBOX.example",),
    "mail:Cap.Ital@Inbox.example": ("mail:cap.ital@inbox.example",),
    "mail:dan@xn--mller-kva.example": ("mail:dan@müller.example", "mail:Dan@XN--MLLER-KVA.example"),
    "mail:eva@müller.example": ("mail:eva@xn--mller-kva.example", "mail:eva@MÜLLER.example"),
    "mail:\uff47us@inbox.example": ("mail:\uff47us@inbox.example",),
    "x:İnci": ("x:İnci",),
    "x:Straße": ("x:straße",),
    "irc:Nick[x]": ("irc:nick{x}", "irc:NICK[X]"),
    "irc:tilde~": ("irc:tilde^",),
    "mastodon:@mila@social.quarz.example": ("mastodon:mila@SOCIAL.quarz.example",),
    "mastodon:@Kim@Straße.example": ("mastodon:@kim@xn--strae-oqa.example",),
    "instagram:Ann.Berg": ("instagram:ann.berg",),
    "facebook:Bo.Berg": ("facebook:BO.BERG",),
    "threads:Cy_Berg": ("threads:cy_berg",),
    "forum:Ben": ("forum:Ben",),
    "member:ß": ("member:ß",),
    "mail:gone@straße.example": ("mail:gone@xn--strae-oqa.example", "mail:Gone@straße.example"),
    "irc:gone{x": ("irc:gone[x", "irc:Gone{x"),
    "mastodon:@gone@ολος.example": ("mastodon:@gone@xn--wxahbm.example",),
    "mail:left@xn--mller-kva.example": ("mail:left@müller.example",),
}
"""How else a new source may write whoever objected then."""
EVERY: Final = [(old, new) for old, others in SPELT.items() for new in dict.fromkeys((old, *others))]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "place"
    (root / "keys").mkdir(parents=True)
    for number, name in enumerate(("pepper", "sealing", "signing")):
        (root / "keys" / f"{name}.key").write_bytes(bytes(range(32 * number, 32 * number + 32)))
    with sqlite3.connect(root / "register.db") as connection:
        connection.executescript(gzip.decompress((GOLDEN / "register.sql.gz").read_bytes()).decode())
    write_policy(open_policy(), root / "demur.toml")
    return Workspace(root)


def test_every_spelling_of_every_objector_of_then_stays_out(workspace: Workspace) -> None:
    assert set(SPELT) | {"forum:dora"} == set(LINKS["objected"])
    items = [item(f"forum:{n}", new, f"words of {old}") for n, (old, new) in enumerate(EVERY)]
    assert kept(workspace, item("forum:other", "forum:stranger", "mine"), *items) == ["mine"]


def test_every_spelling_of_every_objector_of_then_is_masked_in_what_others_wrote(workspace: Workspace) -> None:
    named = [
        item(f"forum:{n}-{role}", "forum:stranger", "ab cd", spans=[span(0, 2, role, new)])
        for n, (_, new) in enumerate(EVERY)
        for role in ("mention", "quote")
    ]
    shown = [
        item(
            f"forum:{n}-tag",
            "forum:stranger",
            f"tag {n}",
            media=[{"uri": "a", "type": None, "alt": None, "tagged": [new]}],
        )
        for n, (_, new) in enumerate(EVERY)
    ]
    found = kept(workspace, *named, *shown)
    assert set(found) - {f"tag {n}" for n in range(len(EVERY))} == {"[person] cd", "[quote] cd"}
    with reading(workspace) as session:
        rows = [row for part in session.corpus.batches() for row in part.to_pylist()]
    assert not any(row["media"] or row["subjects"] for row in rows)


@pytest.mark.parametrize("account", sorted(LINKS["silent"]))
def test_the_old_link_of_somebody_erased_objects_for_rows_that_came_since(workspace: Workspace, account: str) -> None:
    others = {
        "mail:later@straße.example": "mail:later@xn--strae-oqa.example",
        "irc:later|x": r"irc:Later\x",
        "mail:late@müller.example": "mail:late@xn--mller-kva.example",
    }
    items = [item("forum:1", account, "one"), item("forum:2", others[account], "two")]
    assert kept(workspace, *items, item("forum:3", "forum:stranger", "mine")) == ["mine", "one", "two"]
    subject = Tokens.of(workspace.keys(), 1).read(LINKS["silent"][account], Purpose.OBJECT).number
    with workspace.register() as register:
        assert register.members.identifiers(register.persons.own_of(subject)) == [None]
        register.objections.lodge_for_key(subject, channel="signed-link")
    honour(workspace)
    assert texts(workspace) == ["mine"]
    assert kept(workspace, *items) == ["mine"], "and the next import leaves them out"


@pytest.mark.parametrize("account", sorted(LINKS["objected"]))
def test_an_old_receipt_still_withdraws_and_only_then_the_content_returns(workspace: Workspace, account: str) -> None:
    given = LINKS["objected"][account]
    sequence = Tokens.of(workspace.keys(), 1).read(given["receipt"], Purpose.RECEIPT).number
    with workspace.register() as register:
        reference = register.objections.reference_of(sequence)
        assert reference is not None
        assert reference == given["reference"]
        assert register.objections.withdraw(reference).phase is ObjectionPhase.WITHDRAWN
    mine = item("forum:1", account, "mine")
    assert kept(workspace, mine) == ["mine"]


def test_whom_rule_one_made_one_person_is_shown_nothing_of_the_other(
    workspace: Workspace, copied: Callable[[Workspace, str], dict[str, Any]]
) -> None:
    kept(
        workspace,
        *(item(f"forum:{name}", f"forum:{name}", f"words of {name}") for name in ("jana", "other", "frank", "finn")),
    )
    for one in ("jana", "other", "frank", "finn"):
        copy = copied(workspace, f"forum:{one}")
        assert [member["account"] for member in copy["members"]] == [f"forum:{one}"]
        assert [row["text"] for row in copy["corpus"]["rows"]] == [f"words of {one}"]
    with workspace.register() as register:
        assert register.members.identifiers(register.persons.own("mail:jana@strasse.example")) == [
            *sorted(["forum:other", "mail:jana@strasse.example"], key=workspace.keys().pepper.subject_key)
        ]
        assert register.members.identifiers(register.persons.own("mail:jana@straße.example")) == [
            "mail:jana@straße.example"
        ]


def test_a_row_that_may_be_of_either_of_two_who_were_one_key_is_shown_to_neither(
    workspace: Workspace, copied: Callable[[Workspace, str], dict[str, Any]]
) -> None:
    """The corpus of then holds rows of both under this key."""
    both = item("forum:1", "mail:jana@strasse.example", "of jana, or of other")
    assert kept(workspace, both, item("forum:2", "mail:lene@müller.example", "of lene")) == [
        "of jana, or of other",
        "of lene",
    ]
    for one, words in (("jana", []), ("other", []), ("lene", ["of lene"])):
        assert [row["text"] for row in copied(workspace, f"forum:{one}")["corpus"]["rows"]] == words
        assert [row.text for row in find(workspace, f"forum:{one}").rows] == words


def test_a_verified_address_of_which_rule_one_folded_nothing_still_proves(workspace: Workspace) -> None:
    with workspace.register() as register:
        theirs = set(register.members.identifiers(register.persons.own("forum:lene")))
    assert theirs == {"forum:lene", "mail:lene@müller.example"}


def test_an_objection_now_covers_whom_the_mail_address_covered_then(workspace: Workspace) -> None:
    words = item("forum:1", "forum:jana", "words of jana")
    assert kept(workspace, words) == ["words of jana"]
    with workspace.register() as register:
        register.objections.lodge(["mail:jana@straße.example"], channel="web")
    honour(workspace)
    assert texts(workspace) == []


def test_rows_at_rest_under_the_old_key_go_with_an_objection_under_the_new_one(workspace: Workspace) -> None:
    """As the corpus of then has them: its rows hold the key of the folded name, which another account now has."""
    old = item("forum:1", "mail:zoe@strasse.example", "of then")
    assert kept(workspace, old) == ["of then"]
    with workspace.register() as register:
        register.objections.lodge(["mail:zoe@straße.example"], channel="web")
    honour(workspace)
    assert texts(workspace) == []


def test_opening_it_again_changes_nothing(workspace: Workspace) -> None:
    with workspace.register() as register:
        first = register.log.head(), register.standing.suppressed().tolist()
    with workspace.register() as register:
        assert (register.log.head(), register.standing.suppressed().tolist()) == first


@pytest.fixture
def copied() -> Callable[[Workspace, str], dict[str, Any]]:
    def read(workspace: Workspace, account: str) -> dict[str, Any]:
        copy = copy_of(workspace, account, language="en")
        with ZipFile(copy.path) as zipped:
            told: dict[str, Any] = json.loads(zipped.read("copy.json"))
        copy.discard()
        return told

    return read
