"""The loop on a forum's table: 50 people object, and nothing that markup says is theirs is handed over.

One table holds Discourse's HTML, another what its members typed; both go through ``markup`` of demur.toml alone. The
checks read only the exported Parquet.
"""

import json
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from making import open_policy

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.policy import Others
from demur.sources import load_source
from demur.versions.leave import export
from demur.versions.publish import publish

PEOPLE = 120
OBJECTORS = 50
COLUMNS = {"item": "id", "thread": "topic", "text": "body"}
OPTIONS: dict[str, Any] = {"columns": COLUMNS, "namespace": "forum", "number": "nr"}


def words(person: int) -> str:
    """What only this person says."""
    return f"word{person}x of person number{person}x"


def posts(markup: str) -> list[dict[str, Any]]:
    """One post by each; and each is quoted, previewed and mentioned by the next but some."""
    rows = []
    for person in range(PEOPLE):
        cited = (person * 7 + 3) % PEOPLE
        name, quote = f"person_{cited}", words(cited)
        ways = {
            "html": [
                (
                    f'<aside class="quote" data-username="{name}" data-post="1" data-topic="{cited}"><div>'
                    f"<img class='avatar'>{name}:</div><blockquote><p>{quote}</p></blockquote></aside>"
                ),
                (
                    f'<aside class="quote quote-modified" data-post="1" data-topic="{cited}"><div class="title">T</div>'
                    f"<blockquote>{quote}</blockquote></aside>"
                ),
                f"<blockquote><p>{quote}</p><p>-- {name}</p></blockquote>",
                f'<p><a class="mention" href="/u/{name}">@{name}</a></p>',
            ],
            "markdown": [
                f'[quote="{name}, post:1, topic:{cited}"]\n{quote}\n[/quote]\n',
                f"> {name} wrote:\n> {quote}\n",
                f"> {quote}\n> -- {name}\n",
                f'<a class="mention" href="/u/{name}">@{name}</a>',
            ],
        }[markup]
        own = words(person) + f" mine{person}x"
        rows.append({"topic": person, "nr": 1, "author": f"person_{person}", "body": own})
        rows.extend(
            {"topic": person, "nr": nr, "author": f"person_{person}", "body": f"{way}\n\nanswer{nr} by the author"}
            for nr, way in enumerate(ways, start=2)
        )
    return [
        {"id": f"{markup}-{at}", "kind": "post", "audience": "public", "created": "2026-03-01T10:00:00Z"} | row
        for at, row in enumerate(rows)
    ]


def exported(root: Path, quotes: Literal["mask", "drop"]) -> tuple[pa.Table, list[int]]:
    """What leaves once the first 50 people have objected, half of them before the import, and how often was read."""
    workspace = workspaces.create(root / "w", open_policy(others=Others(quotes=quotes, mentions=quotes)))
    accounts = [f"forum:person_{person}" for person in range(OBJECTORS)]
    balances = []
    with workspace.register() as register:
        for account in accounts[::2]:
            register.objections.lodge([account], channel="letter")
    for markup in ("html", "markdown"):
        path = root / f"{markup}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in posts(markup)))
        report = import_items(workspace, "table", load_source("table").read([str(path)], {**OPTIONS, "markup": markup}))
        balances.append(report.read - report.kept - sum(report.left_out.values()))
    with workspace.register() as register:
        for account in accounts[1::2]:
            register.objections.lodge([account], channel="letter")
    honour(workspace)
    publish(workspace, "v1")
    export(workspace, "v1", workspace.root / "exported")
    return ds.dataset(workspace.root / "exported" / "data", format="parquet").to_table(), balances


@pytest.mark.parametrize("quotes", ["mask", "drop"])
def test_no_quote_mention_or_name_of_theirs_is_exported(tmp_path: Path, quotes: Literal["mask", "drop"]) -> None:
    rows, balances = exported(tmp_path, quotes)

    texts = rows["text"].to_pylist()
    said = "\n".join(texts) + " "
    assert balances == [0, 0]
    for person in range(OBJECTORS):
        assert f"word{person}x" not in said
        assert f"person_{person}:" not in said
        assert not any(f"person_{person}" in text.replace(":", " ").split() for text in texts)
    assert "data-username" not in said
    assert all(f"word{person}x" in said for person in range(OBJECTORS, PEOPLE))
    answers = sum("by the author" in text for text in texts)
    kept = 2 * 4 * (PEOPLE - OBJECTORS)  # of those who did not object, in two tables
    assert answers == kept if quotes == "mask" else kept / 4 < answers < kept
