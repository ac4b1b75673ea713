"""What a policy declares of names reaches every door, and what it declared before still covers."""

from pathlib import Path

import pyarrow as pa
import pytest
from erasing import erase_details
from holding import kept, texts
from making import item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.errors import PolicyError
from demur.objecting.naming import account_of
from demur.policy import Accounts, Identifiers, load_policy, write_policy
from demur.register import MEMBER
from demur.workspace import Workspace

FORUM = Accounts(ignore_case=("forum",), profiles={"forum": "https://Forum.example/members/{name}/"})
KEEP = Identifiers(handles="keep", profile_urls="keep", mail="keep")


def made(root: Path, accounts: Accounts) -> Workspace:
    return workspaces.create(root, open_policy(accounts=accounts, identifiers=KEEP))


def lodge(workspace: Workspace, *accounts: str) -> None:
    with workspace.register() as register:
        register.objections.lodge(accounts, channel="web")
    honour(workspace)


def test_a_forum_without_case_is_one_from_the_source_to_the_objection(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", FORUM)
    named = item("forum:2", "forum:Stranger", "@ANN said so", spans=[span(0, 4, "mention", "forum:ANN")])
    linked = item("forum:3", "forum:Stranger", "see https://forum.example/members/Ann/ and go")
    mine = item("forum:1", "forum:Ann", "mine")
    assert len(kept(workspace, mine, named, linked)) == 3
    found = find(workspace, "forum:aNN")
    assert (found.own, found.about) == (1, 2)
    lodge(workspace, "forum:anN")
    assert texts(workspace) == ["[person] said so", "see [person] and go"]
    assert texts(workspace) == kept(workspace, mine, named, linked), "and the same when they are read again"
    with workspace.register() as register:
        assert register.standing.snapshot().alike.size == 0, "declared before the first import, it costs nothing"


def test_a_typed_link_to_a_profile_is_the_declared_account() -> None:
    assert account_of("https://forum.example/members/Ann/", "", FORUM.names) == "forum:ann"
    assert account_of("forum.example/members/J%C3%B6rg/", "", FORUM.names) == "forum:jörg"


def test_names_that_differ_by_more_than_case_stay_two(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", FORUM)
    lodge(workspace, "forum:straße", "forum:ﬁ")
    assert kept(workspace, *(item(f"forum:{n}", f"forum:{n}", n) for n in ("strasse", "fi"))) == ["fi", "strasse"]


@pytest.mark.parametrize("erased", [False, True])
def test_declared_later_it_covers_what_was_objected_before(tmp_path: Path, *, erased: bool) -> None:
    workspace = made(tmp_path / "w", Accounts())
    rows = [item(f"forum:{name}", f"forum:{name}", name) for name in ("Ann", "ann", "Ben")]
    lodge(workspace, "forum:Ann")
    assert kept(workspace, *rows) == ["Ben", "ann"]
    if erased:
        with workspace.register() as register:
            erase_details(register, "forum:Ann")
    write_policy(open_policy(accounts=FORUM, identifiers=KEEP), workspace.policy_path)
    assert kept(workspace, *rows) == ["Ben"], "one account now, and it objected"


def test_declared_no_more_it_still_covers_and_proves_no_more(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", FORUM)
    people = [
        {"account": "forum:Ann", "linked": ["x:first"], "mail": None},
        {"account": "forum:ann", "linked": ["x:second"], "mail": None},
    ]
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(people, schema=MEMBER)])
        assert len(register.persons.own("x:first")) == 3
    lodge(workspace, "forum:ann")
    write_policy(open_policy(identifiers=KEEP), workspace.policy_path)
    with workspace.register() as register:
        assert register.members.identifiers(register.persons.own("x:first")) == ["x:first"]
    assert kept(workspace, item("forum:1", "forum:Ann", "one"), item("forum:2", "forum:ann", "two")) == []


def test_two_verified_addresses_that_look_alike_are_two_people(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", Accounts())
    pairs = [("strasse", "straße"), ("ολοσ", "ολος")]
    people = [
        {"account": f"forum:{domain}", "mail": f"ann@{domain}.example", "mail_verified": True}
        for pair in pairs
        for domain in pair
    ]
    people += [
        {"account": f"forum:{name}", "mail": f"{name}@in.example", "mail_verified": True} for name in ("ﬁ", "fi")
    ]
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(people, schema=MEMBER)])
    kept(workspace, *(item(f"forum:{p['account']}", str(p["account"]), str(p["account"])) for p in people))
    for person in people:
        found = find(workspace, str(person["account"]))
        assert [row.text for row in found.rows] == [person["account"]]
    lodge(workspace, "forum:straße")
    assert "forum:straße" not in texts(workspace)
    assert "forum:strasse" in texts(workspace), "whose mail address only looks like the objector's"


def test_an_objection_covers_a_look_alike_name_and_shows_nothing_of_it(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", Accounts())
    alike = item("list:1", "mail:ann@strasse.example", "of the other")
    assert kept(workspace, alike, item("list:2", "mail:ann@straße.example", "mine")) == ["mine", "of the other"]
    assert [row.text for row in find(workspace, "mail:ann@straße.example").rows] == ["mine"]
    assert [row.text for row in find(workspace, "mail:ann@strasse.example").rows] == ["of the other"]
    lodge(workspace, "mail:ann@xn--strae-oqa.example")
    assert texts(workspace) == []


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('ignore_case = ["Forum"]', 'has "Forum", which is no namespace'),
        ('ignore_case = ["mail"]', "mail_case"),
        ('profiles = {forum = "forum.example/u/{name}"}', "no address of a profile"),
        ('profiles = {forum = "https://forum.example/u/"}', "no address of a profile"),
        ('profiles = {forum = "https://{name}.example/"}', "no address of a profile"),
        ('profiles = {forum = "https://forum.example/u/{name}{name}"}', "no address of a profile"),
        ('mail_case = "fold"', "mail_case"),
    ],
)
def test_a_declaration_that_can_not_be_is_told(tmp_path: Path, said: str, wrong: str) -> None:
    path = tmp_path / "demur.toml"
    path.write_text(f"effective_date = 2026-01-01\n[accounts]\n{said}\n")
    with pytest.raises(PolicyError, match=wrong):
        load_policy(path)
