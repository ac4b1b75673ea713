"""The README's examples run as they stand, on an archive with invented people, and do what the README says."""

import io
import json
import re
import shlex
import tomllib
import zipfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from email import message_from_bytes
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import pytest

from demur.cli import run
from demur.sources.table import TableSource

README: Final = (Path(__file__).resolve().parents[2] / "README.md").read_text()
HOST: Final = "https://example.org"
PUBLIC: Final = "https://www.w3.org/ns/activitystreams#Public"
MEMBERS: Final = """\
account,mail,mail_verified,region,birth_year,told_on
mastodon:@ben@example.org,ben@mail.example,true,DE,1980,2020-01-31
mastodon:@ann@example.org,ann@mail.example,true,DE,1985,2020-01-31
"""


def _note(number: int, content: str, *, to: str = PUBLIC, tag: list[dict[str, str]] | None = None) -> dict[str, object]:
    """A post of Ben's as Mastodon archives write it (ActivityStreams 2.0)."""
    url, actor, published = f"{HOST}/users/ben/statuses/{number}", f"{HOST}/users/ben", "2024-05-01T12:00:00Z"
    stamp: dict[str, object] = {"published": published, "to": [to], "cc": [f"{actor}/followers"]}
    note = {"id": url, "type": "Note", "attributedTo": actor, "url": url, "content": content, "tag": tag or []}
    return {"id": f"{url}/activity", "type": "Create", "actor": actor, "object": note | stamp} | stamp


def _outbox() -> dict[str, object]:
    mention = {"type": "Mention", "href": f"{HOST}/users/ann", "name": "@ann"}
    link = f'<a href="{HOST}/@ann" class="u-url mention">@<span>ann</span></a>'
    items = [
        _note(1, "<p>The library opens at nine.</p>"),
        _note(2, f"<p>{link} do you bake tomorrow?</p>", tag=[mention]),
        _note(3, "<p>A private word.</p>", to=f"{HOST}/users/cem"),
    ]
    return {"id": "outbox.json", "type": "OrderedCollection", "totalItems": len(items), "orderedItems": items}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README asks for, an archive and a table of members, after its first example."""
    folder = tmp_path_factory.mktemp("desk")
    actor = {"id": f"{HOST}/users/ben", "type": "Person", "preferredUsername": "ben", "url": f"{HOST}/@ben"}
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("actor.json", json.dumps(actor | {"outbox": "outbox.json"}))
        archive.writestr("outbox.json", json.dumps(_outbox()))
    (folder / "members.csv").write_text(MEMBERS)
    for line in _blocks("sh")[0].splitlines():
        if line.startswith("demur publish"):
            _sign(folder / "community" / "demur.toml")
        _run(line, folder)
    return folder


def _blocks(language: str) -> list[str]:
    """The README's fenced blocks in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(found) == {"sh": 2, "toml": 3}[language]
    return found


def _sign(policy: Path) -> None:
    """Does by hand what the README asks for before publishing: fills the table of the basis in use."""
    filled = _blocks("toml")[0]
    header = filled.splitlines()[0]
    keys = len(filled.splitlines()) - 1
    text, signed = re.subn(rf"^{re.escape(header)}\n(?:.+\n){{{keys}}}", filled, policy.read_text(), flags=re.MULTILINE)
    assert signed == 1
    policy.write_text(text)


def _run(line: str, folder: Path, code: int = 0) -> str:
    program, *arguments = shlex.split(line)
    assert program == "demur"
    with chdir(folder), redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        ended = run(arguments)
    assert ended == code, f"{line}\n{out.getvalue()}{err.getvalue()}"
    return out.getvalue()


def test_the_example_runs_and_its_export_honours_the_objection(desk: Path) -> None:
    files = sorted(desk.glob("training-data/**/*.parquet"))
    texts = [text for file in files for text in pq.read_table(file)["text"].to_pylist()]
    assert sorted(texts) == ["The library opens at nine.", "[person] do you bake tomorrow?"]


def test_the_example_of_a_table_reads_a_forum(tmp_path: Path) -> None:
    said = '<aside class="quote" data-username="ann"><p>Nine.</p></aside><p>Ten!</p>'
    row = {"post_id": 7, "username": "ben", "created_at": "2024-05-01T12:00:00Z", "cooked": said}
    (tmp_path / "any name.jsonl").write_text(json.dumps(row))
    options = tomllib.loads(_blocks("toml")[1])["sources"]["table"]

    [batch] = TableSource().read([str(tmp_path / "any name.jsonl")], options)

    (item,) = batch.to_pylist()
    assert (item["item"], item["author"], item["text"]) == ("forum:7", "forum:ben", "Nine.\n\nTen!")
    assert item["spans"] == [{"start": 0, "end": 5, "role": "quote", "account": "forum:ann"}]


def test_people_are_told_given_their_copy_and_erased_as_it_says(desk: Path) -> None:
    check, *lines = _blocks("sh")[1].splitlines()
    _run(check, desk, code=1)
    policy = desk / "community" / "demur.toml"
    policy.write_text(policy.read_text() + "\n" + _blocks("toml")[2])
    mails = {line: _said_and_mails(line, desk) for line in (check, *lines)}
    (worker,) = (line for line in lines if line.startswith("demur worker"))
    assert mails[worker] == {
        "ann@mail.example": ["Example Town Forum: We have received your objection"],  # so Ben alone is told
        "ben@mail.example": ["Example Town Forum: You can object to AI training with your content"],
    }
    assert (desk / "ben.zip").is_file()
    found = json.loads(_run("demur find -w community --account mastodon:@ben@example.org --json", desk))
    assert (found["own"], found["about"]) == (0, 0)


def _said_and_mails(line: str, folder: Path) -> dict[str, list[str]]:
    """The subjects of the outbox's mails, by whom they are for, after a command that says something."""
    assert _run(line, folder)
    found: dict[str, list[str]] = {}
    for path in (folder / "community" / "outbox").glob("*.eml"):
        mail = message_from_bytes(path.read_bytes())
        found.setdefault(str(mail["To"]), []).append(str(mail["Subject"]))
    return found


def test_the_table_of_members_that_it_shows_is_the_one_that_is_read() -> None:
    assert f"| {MEMBERS.splitlines()[0].replace(',', ' | ')} |" in README


def test_what_it_says_of_the_policy_is_toml() -> None:
    assert all(tomllib.loads(block) for block in _blocks("toml"))
