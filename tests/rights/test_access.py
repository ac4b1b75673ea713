"""A person's copy says all that is held of and about them, and nothing of anybody who was merely named with them."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib
import pyarrow as pa
import pytest
from dossier import ALIAS, FLORA, LATER, MAIL, OTHERS, REASON, SAID, settled_again, settled_aside
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CorpusError, IdentityError, UsageError
from demur.objecting.channels import Route
from demur.policy import Accounts, Door, render_policy
from demur.register import JSON, MEMBER, ObjectionPhase
from demur.rights import access
from demur.rights.access import Copy, UnknownPersonError, copy_of
from demur.rights.erasing import erase
from demur.rights.words import CHANNELS, KINDS, NOTICE_CHANNELS, NOTICES, ROLES, STANDS, STEPS, Teller
from demur.terms import Audience, Channel, EntryKind, Kind, NoticeStatus, Role
from demur.versions.publish import retire
from demur.workspace import Workspace

PROFILES = "https://forum.example/u/{name}"
REPOSITORY = Path(__file__).resolve().parent.parent.parent
POLICY = open_policy(door=Door(unknown_age="use", audiences=(Audience.PUBLIC, Audience.FOLLOWERS)))


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    return workspaces.create(fast_tmp / "w", POLICY)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a settled workspace was made, once."""
    folder = tmp_path_factory.mktemp("settled")
    return settled_aside(folder / "w", POLICY, exports=folder / "secret folder" / "v1-for-lab")


@pytest.fixture
def settled(place: Path) -> Iterator[Workspace]:
    with settled_again(place) as workspace:
        yield workspace


def told(copy: Copy) -> dict[str, Any]:
    with zipfile.ZipFile(copy.path) as archive:
        assert archive.namelist() == ["copy.json", "copy.html"]
        found: dict[str, Any] = json.loads(archive.read("copy.json"))
    return found


def page(copy: Copy) -> str:
    with zipfile.ZipFile(copy.path) as archive:
        return archive.read("copy.html").decode()


def texts(part: dict[str, Any]) -> set[str]:
    return {row["text"] for row in part["rows"]}


def test_the_copy_holds_the_rows_of_and_about_the_person(settled: Workspace, fast_tmp: Path) -> None:
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    assert (copy.accounts, copy.claimed, copy.own, copy.about, copy.versions) == (3, 0, 3, 4, 2)
    found = told(copy)
    own = [row for row in found["corpus"]["rows"] if row["how"] == ["author"]]
    assert {row["text"] for row in own} == set(SAID)
    assert {row["kind"] for row in own} == {"post"}
    about = {tuple(row["how"]) for row in found["corpus"]["rows"] if row["how"] != ["author"]}
    assert about == {("mention",), ("quote",), ("reshare",), ("tag",)}
    assert not {OTHERS[0], "Item number 3"} & texts(found["corpus"])


def test_versions_are_told_with_what_they_hold_and_where_they_went_by_name(settled: Workspace, fast_tmp: Path) -> None:
    with settled.register() as register:
        register.objections.lodge([FLORA], channel="mail", now=LATER)
    honour(settled, now=LATER)
    retire(settled, "v2", now=LATER)
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    found = told(copy)
    assert found["corpus"] == {"rows": [], "own": 0, "about": 0}
    (version,) = found["versions"]
    assert (version["name"], version["own"], version["about"]) == ("v1", 3, 4)
    assert set(SAID) <= texts(version), "a stale version still holds what the corpus has lost"
    assert [each["to"] for each in version["exports"]] == ["v1-for-lab"]
    assert "secret folder" not in page(copy) + json.dumps(found)


def test_details_objections_and_what_was_said_are_in_it(settled: Workspace, fast_tmp: Path) -> None:
    with settled.register() as register:
        first = register.objections.lodge([FLORA], channel="letter", reason=REASON, now=NOW).reference
        register.objections.confirm(first, now=LATER)
        register.objections.withdraw(first, now=LATER)
        register.objections.lodge([ALIAS], channel="web", statement={"names": ["Flo"]}, now=LATER)
        register.attachments.add(first, "proof.pdf", "application/pdf", b"%PDF-1.7")
    found = told(copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER))
    assert found["accounts"] == [FLORA, *sorted([ALIAS, f"mail:{MAIL}"], key=found["accounts"].index)]
    assert found["members"][0]["names"] == ["Flora Quince"]
    assert found["members"][0]["birth_year"] == 1980
    ended, standing = found["objections"]
    assert [step["phase"] for step in ended["steps"]] == ["lodged", "confirmed", "withdrawn"]
    assert (ended["reference"], ended["reason"], ended["binding"]) == (first, REASON, False)
    assert ended["attachments"] == [{"name": "proof.pdf", "type": "application/pdf", "size": 8}]
    assert (standing["statement"], standing["binding"]) == ({"names": ["Flo"]}, True)


@pytest.mark.parametrize(("channel", "asked"), [("letter", False), ("typed-in", False), ("api", True)])
def test_what_nobody_checked_is_in_no_copy_until_it_is(
    settled: Workspace, fast_tmp: Path, channel: str, *, asked: bool
) -> None:
    with settled.register() as register:
        until = LATER if asked else None
        first = register.objections.lodge([FLORA], channel=channel, reason=REASON, confirm_by=until, now=NOW).reference
        register.attachments.add(first, "proof.pdf", "application/pdf", b"%PDF-1.7")
    copy = copy_of(settled, FLORA, to=fast_tmp / "before.zip", now=LATER)
    (before,) = told(copy)["objections"]
    assert (before["unchecked"], before["reference"]) == (True, first)
    assert "nobody has checked" in page(copy)
    assert not [each for each in (REASON, "proof.pdf") if each in page(copy) + json.dumps(before)]
    with settled.register() as register:
        register.objections.confirm(first, now=LATER)
        register.objections.withdraw(first, now=LATER)
    (after,) = told(copy_of(settled, FLORA, to=fast_tmp / "after.zip", now=LATER))["objections"]
    assert (after["unchecked"], after["reason"], len(after["attachments"])) == (False, REASON, 1)


def test_the_legal_information_is_in_it_in_the_language_asked_for(settled: Workspace, fast_tmp: Path) -> None:
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", language="de-AT", now=LATER)
    sections = told(copy)["information"]
    assert {"objecting", "used", "purpose", "recipients", "rights", "contact"} <= {each["key"] for each in sections}
    assert any(each["language"] == "de" for section in sections for each in section["paragraphs"])
    assert 'lang="de"' in page(copy)


def test_the_page_is_in_the_language_on_file_unless_another_is_asked_for(settled: Workspace, fast_tmp: Path) -> None:
    rows = [{"account": FLORA, "names": ["Flora Quince"], "locale": "de-AT", "mail": MAIL, "linked": [ALIAS]}]
    with settled.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
    own = copy_of(settled, FLORA, to=fast_tmp / "own.zip", now=LATER)
    assert (own.language, 'lang="de"' in page(own), "1. März 2026" in page(own)) == ("de", True, True)
    assert '<html lang="el"' in page(copy_of(settled, FLORA, to=fast_tmp / "el.zip", language="el", now=LATER))
    policys = copy_of(settled, "forum:u1", to=fast_tmp / "u1.zip", now=LATER)
    assert policys.language == "en", "the first language of the policy's notices, where none is on file"


def test_the_page_tells_their_own_posts_first_then_others_then_the_register(settled: Workspace, fast_tmp: Path) -> None:
    with settled.register() as register:
        register.objections.lodge([FLORA], channel="signed-link", now=NOW)
    declared = settled.policy().model_copy(update={"accounts": Accounts(profiles={"forum": PROFILES})})
    settled.policy_path.write_text(render_policy(declared))
    written = page(copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER))
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(written)
    titles = [each.get("id") for each in tree.iter("h2")]
    assert titles[:6] == ["own", "about", "versions", "models", "objections", "notices"]
    places = [written.index(said) for said in (SAID[0], SAID[1], SAID[2], OTHERS[2], "By the link in our email")]
    assert max(places[:3]) < places[3] < places[4]
    cards = [each for each in tree.iter("article") if each.find("blockquote") is not None]
    assert "".join(cards[0].itertext()).split()[:5] == ["Post", "·", "1", "March", "2026"]
    links = [each.get("href") for card in cards[:3] for each in card.iter("a")]
    assert sorted(links) == [f"{PROFILES[:-6]}flora.quince"] * 2 + [f"{PROFILES[:-6]}quincette"]
    assert not [each for card in cards[3:7] for each in card.iter("a")], "nobody learns who wrote about them"


def test_what_somebody_said_has_names_and_what_is_demur_s_own_is_folded(workspace: Workspace, fast_tmp: Path) -> None:
    spoken_for: tuple[dict[str, JSON], ...] = ({"child": True}, {"for": "other"}, {})
    for number, behalf in enumerate(spoken_for):
        account = f"person:{number:032x}"
        said: dict[str, JSON] = {"names": ["Nora", "Norah"], "answer_by": "2026-08-01", **behalf}
        with workspace.register() as register:
            register.objections.lodge([account], channel="no-account", statement=said, now=NOW)
        written = page(copy_of(workspace, account, to=fast_tmp / f"{number}.zip", known=True, now=LATER))
        seen = re.sub(r"<details>.*?</details>", "", written, flags=re.DOTALL)
        assert "Nora\nNorah" in seen
        assert ("For a child" in seen, "For somebody else" in seen) == (number == 0, number == 1)
        assert ("2026-08-01" in written, "2026-08-01" in seen) == (True, False)
        assert account not in seen, "a random value says nothing to anybody"
        assert "We know you by your objection alone." in seen


def test_what_was_added_later_is_in_the_copy_of_whoever_is_proven_to_be_the_person(
    settled: Workspace, fast_tmp: Path
) -> None:
    """Names, former names, and what they named elsewhere: in the words in which they said it, for nobody else."""
    with settled.register() as register:
        lodged = register.objections.lodge([ALIAS], channel=Route.SIGNED_IN, statement={"names": ["Flo"]}, now=NOW)
        register.objections.add_names(lodged.reference, ["Florrie Quince"], former=["Flora Mills"], now=NOW)
        later = ("mastodon:@flo@far.example", "https://far.example/posts/7")
        register.objections.add_names(lodged.reference, [], elsewhere=later, now=LATER)
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    (objection,) = told(copy)["objections"]
    assert objection["statement"] == {
        "names": ["Flo", "Florrie Quince"],
        "former": ["Flora Mills"],
        "elsewhere": list(later),
    }
    seen = re.sub(r"<details>.*?</details>", "", page(copy), flags=re.DOTALL)
    assert all(each in seen for each in ("Flo\nFlorrie Quince", "Flora Mills", "Accounts and links", *later))
    other = copy_of(settled, "forum:ben", to=fast_tmp / "other.zip", now=LATER)
    assert not any(each in json.dumps(told(other)) for each in ("Florrie", "Mills", "far.example"))


def test_what_was_added_later_goes_with_an_erasure(settled: Workspace) -> None:
    with settled.register() as register:
        lodged = register.objections.lodge([FLORA], channel=Route.SIGNED_IN, now=NOW)
        register.objections.add_names(lodged.reference, ["Florrie"], now=NOW)
        register.objections.add_names(lodged.reference, [], elsewhere=["https://far.example/posts/7"], now=NOW)
    erase(settled, FLORA, now=LATER)
    with settled.register() as register:
        assert register.objections.statement(lodged.reference) is None
        found: list[str] = []
        register.audit(found.append)
        assert not found


def test_keys_are_folded_and_nothing_else_is(settled: Workspace, fast_tmp: Path) -> None:
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page(copy))
    folded = "".join(text for each in tree.iter("details") for text in each.itertext())
    for each in [*tree.iter("details")]:
        each.clear()
    seen = "".join(tree.itertext())
    for row in told(copy)["corpus"]["rows"]:
        assert (row["item"] in folded, row["item"] in seen) == (True, False)
        assert row["text"] in seen


def test_all_that_is_held_has_words_of_its_own() -> None:
    for known, words in (
        (Kind, KINDS),
        (Role, ROLES),
        (Route, CHANNELS),
        (ObjectionPhase, STANDS),
        (ObjectionPhase, STEPS),
        (Channel, NOTICE_CHANNELS),
        (NoticeStatus, NOTICES),
    ):
        assert set(words) >= {each.value for each in known}
    tell = Teller("en", {})
    assert (tell.kind("post"), tell.came("app-switch")) == ("Post", "app-switch")
    assert tell.how(("mention", "tag")) == "It names you. It shows you in a picture or video."
    assert [tell.country("DE"), tell.tongue("tlh"), tell.tongue("de-AT")] == ["Germany", "tlh", "Deutsch"]


@pytest.mark.parametrize(
    ("account", "address"),
    [
        ("forum:ann", "https://forum.example/u/ann"),
        ('forum:"><script>/../x', "https://forum.example/u/%22%3E%3Cscript%3E%2F..%2Fx"),
        ("mastodon:@ann@town.example", "https://town.example/@ann"),
        ("mastodon:@ann@evil.example/x?y=town.example", ""),
        ("x:ann", "https://x.com/ann"),
        ("irc:ann", ""),
        ("mail:ann@town.example", ""),
        (None, ""),
    ],
)
def test_a_profile_has_the_address_that_its_policy_or_platform_gives_it(account: str | None, address: str) -> None:
    assert Teller("en", {"forum": PROFILES}).profile(account) == address


def test_who_may_hear_it_is_told_that_nothing_is_held(settled: Workspace, fast_tmp: Path) -> None:
    with settled.register() as register:
        before = register.log.head().seq
        register.objections.lodge(["forum:objector"], channel="letter", now=NOW)
    with pytest.raises(UnknownPersonError, match="Nothing is held of or about forum:never"):
        copy_of(settled, "forum:never.heard.of", to=fast_tmp / "no.zip", known=True, now=LATER)
    assert not list(fast_tmp.glob("*.zip*"))
    with settled.register() as register:
        assert register.log.head().seq == before + 1, "that nothing was given is no entry"
    for number, known in enumerate(["forum:u1", "forum:objector", ALIAS, f"mail:{MAIL}"]):
        copy_of(settled, known, to=fast_tmp / f"{number}.zip", known=True, now=LATER)
    erase(settled, "forum:u1", now=LATER)
    copy_of(settled, "forum:u1", to=fast_tmp / "erased.zip", known=True, now=LATER)


def test_an_account_named_by_an_objection_opens_nothing_of_its_own(settled: Workspace, fast_tmp: Path) -> None:
    """Somebody proves the account forum:u1 and claims Flora's; nothing of hers may be handed out."""
    with settled.register() as register:
        hers = register.objections.lodge([FLORA], channel="letter", reason=REASON, now=NOW).reference
        register.objections.confirm(hers, now=NOW)
        shared = register.objections.lodge(["forum:u1", FLORA], channel="form", reason="both are me", now=NOW).reference
    copy = copy_of(settled, "forum:u1", to=fast_tmp / "copy.zip", now=LATER)
    everything = page(copy) + json.dumps(told(copy))
    for secret in (*SAID, REASON, MAIL, "flora", "quincette", "Flora Quince", hers, shared):
        assert secret not in everything
    found = told(copy)
    assert (copy.claimed, found["named_together"], found["accounts"]) == (1, 1, ["forum:u1"])
    assert [each["shared"] for each in found["objections"]] == [True]
    theirs = told(copy_of(settled, FLORA, to=fast_tmp / "hers.zip", now=LATER))
    assert [(each["reason"], each["shared"]) for each in theirs["objections"]] == [(REASON, False), (None, True)]
    assert "both are me" not in json.dumps(theirs)


def test_what_not_everybody_could_read_shows_only_what_is_about_the_person(
    workspace: Workspace, fast_tmp: Path
) -> None:
    text = "Between us: Flo owes me money, and I am ill"
    spans = [span(12, 15, "mention", FLORA)]
    import_items(workspace, "table", iter([batch([item("1", "forum:ben", text, audience="followers", spans=spans)])]))
    copy = copy_of(workspace, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    (row,) = told(copy)["corpus"]["rows"]
    assert (row["text"], len(row["passages"])) == (None, 1)
    assert "I am ill" not in page(copy)
    (found,) = find(workspace, FLORA, now=LATER).rows
    assert (found.shown, "I am ill" in found.text) == (row["passages"][0], True)


def test_the_page_is_valid_escaped_and_loads_nothing(settled: Workspace, fast_tmp: Path) -> None:
    hostile = '<script>alert(1)</script><img src="https://evil.example/x"> & "quoted"'
    hers = [item("h", FLORA, hostile), item("h2", FLORA, "</blockquote><h1>hi", language="x-klingon")]
    import_items(settled, "table", iter([batch(hers)]), now=NOW)
    with settled.register() as register:
        register.objections.lodge(
            [FLORA], channel="</dd><script>", reason=hostile, statement={"<b>": [hostile]}, now=NOW
        )
    written = page(copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER))
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(written)
    assert not list(tree.iter("script")) + list(tree.iter("img")) + list(tree.iter("link")) + list(tree.iter("iframe"))
    assert tree.find("head/title").text
    assert tree.get("lang") == "en"
    assert not re.findall(r'(?:src|href)="(?!#)', written)
    assert len(tree.findall(".//h1")) == 1
    ids = re.findall(r'id="([^"]+)"', written)
    assert len(ids) == len(set(ids))
    assert {link.get("href")[1:] for link in tree.iter("a")} <= set(ids)


def test_its_file_is_for_its_owner_alone_and_replaces_nothing(settled: Workspace, fast_tmp: Path) -> None:
    copy = copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    assert copy.path.stat().st_mode & 0o777 == 0o600
    assert copy.size == copy.path.stat().st_size
    with pytest.raises(UsageError, match="exists already"):
        copy_of(settled, FLORA, to=copy.path, now=LATER)
    with pytest.raises(UsageError, match="in the workspace"):
        copy_of(settled, FLORA, to=settled.root / "outbox" / "copy.zip", now=LATER)
    with pytest.raises(IdentityError):
        copy_of(settled, "flora", to=fast_tmp / "other.zip", now=LATER)
    assert not (fast_tmp / "other.zip").exists()


def test_without_a_place_it_has_one_of_its_own_until_it_is_discarded(settled: Workspace) -> None:
    copy = copy_of(settled, FLORA, now=LATER)
    assert copy.path.parent.stat().st_mode & 0o777 == 0o700
    assert told(copy)["corpus"]["own"] == 3
    copy.discard()
    assert not copy.path.parent.exists()


def test_that_a_copy_was_given_is_on_record_and_not_what_it_says(settled: Workspace, fast_tmp: Path) -> None:
    copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    with settled.register() as register:
        (entry,) = register.log.entries(EntryKind.COPY_GIVEN)
    assert entry.payload == {"about": 4, "accounts": 3, "own": 3, "versions": 2}


def test_an_account_that_nobody_knows_gets_a_copy_of_the_same_shape(settled: Workspace, fast_tmp: Path) -> None:
    known = told(copy_of(settled, FLORA, to=fast_tmp / "known.zip", now=LATER))
    copy = copy_of(settled, "forum:never.heard.of", to=fast_tmp / "copy.zip", now=LATER)
    found = told(copy)
    assert known.keys() == found.keys()
    assert found["accounts"] == ["forum:never.heard.of"]
    assert (copy.own, copy.about, copy.versions, found["members"], found["objections"]) == (0, 0, 0, [], [])
    html5lib.HTMLParser(strict=True).parse(page(copy))


def test_files_that_vanish_meanwhile_leave_no_half_copy(
    settled: Workspace, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json = access._write_json

    def and_then_lose(out: Any, person: Any) -> Any:  # noqa: ANN401  # as it is written
        for path in (settled.corpus_path / "data").iterdir():
            path.unlink()
        return write_json(out, person)

    monkeypatch.setattr(access, "_write_json", and_then_lose)
    with pytest.raises(CorpusError, match="ask for it again"):
        copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    assert not list(fast_tmp.glob("*copy.zip*"))


def test_every_member_of_the_json_is_described(settled: Workspace, fast_tmp: Path) -> None:
    with settled.register() as register:
        register.objections.lodge([FLORA], channel="letter", reason=REASON, now=NOW)
    described = (REPOSITORY / "docs" / "rights.md").read_text()
    found = told(copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER))
    nested = [found["corpus"]["rows"][0], found["versions"][0], found["objections"][0], found["members"][0]]
    nested += [
        found["information"][0],
        (found["information"][0]["points"] and found["information"][0]["points"][0]) or {},
    ]
    for name in {*found, *(key for each in nested for key in each)}:
        assert f"`{name}`" in described, name


def test_reading_for_a_copy_changes_nothing_but_the_log(settled: Workspace, fast_tmp: Path) -> None:
    with reading(settled) as session:
        before = (session.corpus.version, session.register.log.head().binding)
    copy_of(settled, FLORA, to=fast_tmp / "copy.zip", now=LATER)
    with reading(settled) as session:
        assert (session.corpus.version, session.register.log.head().binding) == before
