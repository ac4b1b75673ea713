"""Makes the workspace of demur's first release (f7abe7e) that tests/state/test_adoption.py adopts.

Run it with that release's code: ``PYTHONPATH=CHECKOUT/src python tests/state/golden/make.py``. It writes
``workspace.tar.gz`` beside itself: a register with an objection that stands, one that was withdrawn, a link, an erased
person and members; a corpus of two imports; a published version and its export; and the leavings of a publishing that
was killed. All names are invented.
"""

# mypy: ignore-errors
# ruff: noqa: I001
# The first release had other modules and names.

import sqlite3
import tarfile
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from demur import workspace as workspaces
from demur.corpus.handover import export
from demur.corpus.importing import import_items
from demur.corpus.publish import publish
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.register import MEMBER
from demur.rights.erase import erase
from demur.terms import ITEM

HERE = Path(__file__).parent
PEOPLE = ("ann", "ben", "cyd", "dag", "eve")


def _policy() -> Policy:
    assessment = Assessment(document="lia.pdf", date=date(2026, 1, 10), signed_by="DPO")
    return Policy(
        effective_date=date(2026, 2, 1),
        basis=LegalBasis(legitimate_interests=assessment),
        notice=Notice(required=False),
        door=Door(unknown_age="use"),
    )


def _items() -> pa.RecordBatch:
    rows = [
        {
            "item": f"forum:{name}",
            "author": f"forum:{name}",
            "kind": "post",
            "audience": "public",
            "text": f"{name} wrote these very words",
            "created": datetime(2026, 3, 1, tzinfo=UTC),
            "origin": "first-party",
        }
        for name in PEOPLE
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ITEM)


def _members() -> pa.RecordBatch:
    rows: list[dict[str, object]] = [
        {"account": "forum:ann", "names": ["Ann Archer"], "region": "DE", "linked": ["forum:ann2"]},
        {"account": "forum:ben", "mail": "ben@mail.example", "mail_verified": True},
    ]
    return pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | row for row in rows], schema=MEMBER)


def main() -> None:
    """Writes the archive."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = workspaces.create(Path(folder) / "workspace", _policy())
        import_items(workspace, "table", [_items()])
        with workspace.register() as register:
            register.import_members([_members()])
            register.lodge(["forum:ann2"], channel="letter", reason="my own words")
            taken_back = register.lodge(["forum:cyd"], channel="letter").reference
            register.withdraw(taken_back)
        publish(workspace, "v1")
        erase(workspace, "forum:dag")
        import_items(workspace, "table", [_items()])
        publish(workspace, "v2")
        export(workspace, "v2", workspace.root / "exported")
        publish(workspace, "v3")
        # A publishing that was killed after it had signed, and before its entry: v3 without its last entry.
        with sqlite3.connect(workspace.root / "register.db") as database:
            database.execute("DELETE FROM entry WHERE kind = 'version.published' AND payload LIKE '%\"v3\"%'")
        database.close()
        with tarfile.open(HERE / "workspace.tar.gz", "w:gz") as archive:
            archive.add(workspace.root, "workspace")


if __name__ == "__main__":
    main()
