"""What is kept of somebody to honour their objection alone: told in counts, kept by an erasure, and readable to nobody.

Everybody in here is invented.
"""

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.register import MEMBER
from demur.rights.access import UnknownPersonError, copy_of
from demur.rights.erasing import erase
from demur.versions.publish import publish
from demur.workspace import Workspace

CYD: Final = "forum:cyd_steele"
SAYING: Final = "the plums in my garden want water every evening and shade at noon or they dry out long before autumn"
ITEMS: Final = (
    item("own", CYD, f"I say: {SAYING}.", thread="forum:garden"),
    item("other", CYD, "short", thread="forum:kitchen"),
    item("left", CYD, "This one is not for everybody.", thread="forum:closed", audience="direct"),
    item("full", "forum:gus", "Yesterday I met Cyd Steele at the market.", thread="forum:market"),
    item("copy", "forum:hal", f"Somebody told me that {SAYING}, which is true."),
)


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    workspace = workspaces.create(fast_tmp / "w", open_policy())
    row = {"account": CYD, "names": ["Cyd Steele"], "locale": "en"}
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)], now=NOW)
    import_items(workspace, "table", [batch(ITEMS)], now=NOW)
    return workspace


def kept(workspace: Workspace, to: Path) -> dict[str, int]:
    copy = copy_of(workspace, CYD, to=to, now=NOW)
    with zipfile.ZipFile(copy.path) as archive:
        told: dict[str, Any] = json.loads(archive.read("copy.json"))
        page = archive.read("copy.html").decode()
    assert all(f"<dt><code>{name}</code></dt>" in page for name in told["kept"])
    return dict(told["kept"])


def test_the_copy_counts_what_is_kept_beside_the_rows(workspace: Workspace, fast_tmp: Path) -> None:
    """Who takes part is known of everybody, of items that were left out as well; names and fingerprints of nobody."""
    found = kept(workspace, fast_tmp / "1.zip")
    nothing = dict.fromkeys(("named", "fingerprints", "uncertain", "spellings", "waiting"), 0)
    assert found == {"threads": 3, **nothing}
    erase(workspace, CYD, now=NOW)
    found = kept(workspace, fast_tmp / "2.zip")  # her name and her handle
    assert (found["threads"], found["named"], found["spellings"], found["waiting"]) == (3, 1, 2, 0)
    assert found["fingerprints"] >= 1


def test_an_erasure_keeps_what_finds_name_and_words_and_says_so(workspace: Workspace) -> None:
    publish(workspace, "v1", now=NOW)
    erased = erase(workspace, CYD, now=NOW)
    assert (erased.kept.threads, erased.kept.named, erased.kept.spellings) == (3, 1, 2)
    import_items(workspace, "table", [batch(ITEMS)], now=NOW)
    with reading(workspace, NOW) as session:
        texts = [text for rows in session.corpus.batches() for text in rows.column("text").to_pylist()]
    assert len(texts) == 2
    assert not [text for text in texts if "Steele" in text or "plums" in text]
    publish(workspace, "v2", now=NOW)
    files = [path for folder in ("evidence", "suppression") for path in (workspace.root / folder).rglob("*")]
    words = (b"teele", b"plums", b"cyd_steele")
    assert not [path for path in files if path.is_file() and any(word in path.read_bytes() for word in words)]


def test_who_only_took_part_has_a_copy_and_who_did_not_has_none(workspace: Workspace, fast_tmp: Path) -> None:
    """Of somebody all of whose items were left out, it is known where they wrote."""
    import_items(workspace, "table", [batch([item("x", "forum:ivo", "hm", audience="direct")])], now=NOW)
    assert copy_of(workspace, "forum:ivo", to=fast_tmp / "ivo.zip", known=True, now=NOW).own == 0
    with pytest.raises(UnknownPersonError):
        copy_of(workspace, "forum:never", to=fast_tmp / "never.zip", known=True, now=NOW)
