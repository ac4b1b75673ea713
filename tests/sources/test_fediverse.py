"""The fediverse: the handle is the account, wherever its server, its pages and its ids are."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from holding import texts
from making import open_policy

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.policy import Identifiers
from demur.sources.base import load_source
from demur.workspace import Workspace

PUBLIC: Final = "https://www.w3.org/ns/activitystreams#Public"
KEEP: Final = Identifiers(handles="keep", profile_urls="keep", mail="keep")


def actor(identifier: str, user: str, **more: object) -> dict[str, Any]:
    return {"id": identifier, "type": "Person", "preferredUsername": user, "name": user.title(), **more}


def note(author: str, number: int, html: str, *tags: dict[str, str]) -> dict[str, Any]:
    identifier = f"{author}/statuses/{number}"
    written: dict[str, Any] = {"id": identifier, "type": "Note", "attributedTo": author}
    written |= {"content": html, "to": [PUBLIC]}
    written |= {"tag": list(tags), "published": f"2026-03-0{number}T10:00:00Z"}
    activity = {"id": f"{identifier}/activity", "type": "Create", "actor": author, "to": [PUBLIC], "object": written}
    return activity | {"published": written["published"]}


def mention(href: str, name: str) -> dict[str, str]:
    return {"type": "Mention", "href": href, "name": name}


def link(href: str, name: str) -> str:
    return f'<p><a href="{href}" class="u-url mention">@<span>{name}</span></a> thanks</p>'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspaces.create(tmp_path / "place", open_policy(identifiers=KEEP))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "exports"


def archive(folder: Path, name: str, owner: dict[str, Any], *activities: dict[str, Any]) -> str:
    place = folder / name
    place.mkdir(parents=True)
    (place / "actor.json").write_text(json.dumps(owner))
    outbox = {"id": "outbox.json", "type": "OrderedCollection", "orderedItems": list(activities)}
    (place / "outbox.json").write_text(json.dumps(outbox))
    return str(place)


def read(source: str, *paths: str) -> Iterator[pa.RecordBatch]:
    return load_source(source).read(paths, {})


def lodge(workspace: Workspace, *accounts: str) -> None:
    with workspace.register() as register:
        register.objections.lodge(accounts, channel="web")


MILA: Final = "https://social.quarz.example/users/mila"
OTTO: Final = "https://berg.example/users/otto"
TAG: Final = mention(MILA, "@mila@quarz.example")


def both(folder: Path, owner: dict[str, Any], tag: dict[str, str] = TAG) -> tuple[str, str]:
    """The archives of mila and of otto, who mentions her."""
    hers = archive(folder, "mila", owner, note(MILA, 1, "<p>The lighthouse opens.</p>"))
    page = "https://social.quarz.example/@mila"
    return hers, archive(folder, "otto", actor(OTTO, "otto"), note(OTTO, 1, link(page, "mila"), tag))


FINGER: Final = actor(MILA, "mila", url="https://social.quarz.example/@mila", webfinger="mila@quarz.example")
ACCT: Final = actor(MILA, "mila", url=["https://social.quarz.example/@mila", "acct:Mila@quarz.example"])
HANDLE: Final = "mastodon:@mila@quarz.example"
ADDRESS: Final = "mastodon:@mila@social.quarz.example"


@pytest.mark.parametrize(
    ("owner", "order", "when", "account"),
    [
        (FINGER, (0, 1), "first", HANDLE),
        (FINGER, (1, 0), "between", HANDLE),
        (FINGER, (0, 1), "last", HANDLE),
        (FINGER, (1, 0), "first", ADDRESS),
        (FINGER, (0, 1), "between", ADDRESS),
        (ACCT, (1, 0), "last", ADDRESS),
        (ACCT, (0, 1), "between", HANDLE),
    ],
)
def test_a_server_may_live_beside_the_domain_of_its_handles(
    workspace: Workspace, folder: Path, owner: dict[str, Any], order: Sequence[int], when: str, account: str
) -> None:
    archives = both(folder, owner)
    if when == "first":
        lodge(workspace, account)
    for turn, number in enumerate(order):
        import_items(workspace, "mastodon", read("mastodon", archives[number]))
        if when == "between" and turn == 0:
            lodge(workspace, account)
    if when == "last":
        lodge(workspace, account)
    honour(workspace)
    assert texts(workspace) == ["[person] thanks"]


def test_a_mention_without_a_domain_is_of_its_links_actor(workspace: Workspace, folder: Path) -> None:
    owner = actor(MILA, "mila", webfinger="mila@quarz.example")
    for path in both(folder, owner, mention(MILA, "@mila")):
        import_items(workspace, "mastodon", read("mastodon", path))
    assert texts(workspace) == ["@mila thanks", "The lighthouse opens."]
    lodge(workspace, "mastodon:@mila@quarz.example")
    honour(workspace)
    assert texts(workspace) == ["[person] thanks"]


def test_an_opaque_id_is_no_name(workspace: Workspace, folder: Path) -> None:
    kira = "https://mk.example/users/9xk2abcd1q"
    hers = archive(folder, "kira", actor(kira, "kira"), note(kira, 1, "<p>The choir sings.</p>"))
    tag = mention(kira, "@kira@mk.example")
    his = archive(folder, "otto", actor(OTTO, "otto"), note(OTTO, 1, link("https://mk.example/@kira", "kira"), tag))
    lodge(workspace, "mastodon:@kira@mk.example")
    for path in (his, hers):
        import_items(workspace, "mastodon", read("mastodon", path))
    assert texts(workspace) == ["[person] thanks"]


def test_actors_of_a_folder_are_known_before_what_they_wrote(workspace: Workspace, folder: Path) -> None:
    folder.mkdir()
    kira = "https://mk.example/users/9xk2abcd1q"
    (folder / "a-note.json").write_text(json.dumps(note(kira, 1, "<p>The choir sings.</p>")))
    (folder / "z-actor.json").write_text(json.dumps(actor(kira, "kira", webfinger="kira@choir.example")))
    lodge(workspace, "mastodon:@kira@choir.example")
    import_items(workspace, "activitystreams", read("activitystreams", str(folder)))
    assert texts(workspace) == []


def test_a_name_that_has_nothing_to_do_with_its_link_makes_no_two_accounts_one(
    workspace: Workspace, folder: Path
) -> None:
    """A forged mention masks whomever it may mean, and takes nothing else of either out."""
    dora = "https://harbour.example/users/dora"
    tag = mention(dora, "@mila@quarz.example")
    page = "https://harbour.example/@dora"
    his = archive(folder, "otto", actor(OTTO, "otto"), note(OTTO, 1, link(page, "mila"), tag))
    hers = archive(folder, "dora", actor(dora, "dora"), note(dora, 1, "<p>Ships come in.</p>"))
    mine = archive(folder, "mila", actor(MILA, "mila", webfinger="mila@quarz.example"), note(MILA, 1, "<p>Moss.</p>"))
    for path in (his, hers, mine):
        import_items(workspace, "mastodon", read("mastodon", path))
    lodge(workspace, "mastodon:@mila@quarz.example")
    honour(workspace)
    assert texts(workspace) == ["Ships come in.", "[person] thanks"]


def test_the_archives_of_two_people_of_split_domains(workspace: Workspace, shared: Path) -> None:
    place = shared.parent / "trials/files/fediverse"
    if not place.is_dir():
        pytest.skip("there are no trial files")
    lodge(workspace, "mastodon:@mila@quarz.example", "mastodon:@kira@mk.example")
    for name in ("otto", "mila"):
        import_items(workspace, "mastodon", read("mastodon", str(place / name)))
    assert texts(workspace) == ["[person] thanks for the map of the north shore", "[person] the choir sings on Friday"]
