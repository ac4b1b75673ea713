"""The README's example runs as it stands, on an archive with invented people, and does what the README says."""

import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import pytest

README: Final = (Path(__file__).resolve().parents[2] / "README.md").read_text()
HOST: Final = "https://example.org"
PUBLIC: Final = "https://www.w3.org/ns/activitystreams#Public"
MEMBERS: Final = """\
account,region,birth_year,told_on
mastodon:@ben@example.org,DE,1980,2020-01-31
mastodon:@ann@example.org,DE,1985,2020-01-31
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


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the README asks for: an archive, and a table of members."""
    actor = {"id": f"{HOST}/users/ben", "type": "Person", "preferredUsername": "ben", "url": f"{HOST}/@ben"}
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("actor.json", json.dumps(actor | {"outbox": "outbox.json"}))
        archive.writestr("outbox.json", json.dumps(_outbox()))
    (tmp_path / "members.csv").write_text(MEMBERS)
    return tmp_path


def _block(language: str) -> str:
    """The README's one fenced block in a language."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (block,) = blocks
    return block


def _sign(policy: Path) -> None:
    """Does by hand what the README asks for before publishing: fills the table of the basis in use."""
    filled = _block("toml")
    header = filled.splitlines()[0]
    keys = len(filled.splitlines()) - 1
    text, signed = re.subn(rf"^{re.escape(header)}\n(?:.+\n){{{keys}}}", filled, policy.read_text(), flags=re.MULTILINE)
    assert signed == 1
    policy.write_text(text)


def _run(line: str, folder: Path) -> None:
    program, *arguments = shlex.split(line)
    assert program == "demur"
    command = [sys.executable, "-c", "from demur.cli import main; main()", *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"


def test_the_example_runs_and_its_export_honours_the_objection(desk: Path) -> None:
    for line in _block("sh").splitlines():
        if line.startswith("demur publish"):
            _sign(desk / "community" / "demur.toml")
        _run(line, desk)
    files = sorted(desk.glob("training-data/**/*.parquet"))
    texts = [text for file in files for text in pq.read_table(file)["text"].to_pylist()]
    assert sorted(texts) == ["The library opens at nine.", "[person] do you bake tomorrow?"]
