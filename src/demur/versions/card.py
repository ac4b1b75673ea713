"""The data card of an export: what it is, what stayed out of it, how to read and how to check it.

Invariants: everything on it comes from the signed manifest and the shards; text from the policy can't break out of
its place; it states facts, and promises nothing about the law.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from demur.versions.manifest import Manifest

_SIZES: Final = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
)
"""Size categories of the Hugging Face Hub: rows below the number."""

_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(-|$)")

COLUMNS: Final = {
    "item": "Keyed hash of the item's id at its source, 32 hexadecimal digits.",
    "author": "Subject key of the author's account, 16 hexadecimal digits.",
    "kind": "What the item is: post, comment, caption, review and so on.",
    "audience": "Who could read it at its source.",
    "region": "Country of the author's account, ISO 3166-1 alpha-2, or null.",
    "created": "When it was written, UTC, or null.",
    "language": "BCP 47 tag, or null.",
    "text": "Plain text; people named by handle or link, and direct identifiers, are masked as the policy says.",
    "spans": "What the markup said of a stretch of the text: start and end in code points, role, subject key.",
    "subjects": "Subject keys of everybody that spans and media name.",
    "parent": "Keyed hash of the item it answers, or null.",
    "thread": "Keyed hash of the first item of its thread, or null.",
    "group": "Keyed hash of its group, page or channel, or null.",
    "rating": "Rating of a review, or null.",
    "media": "Photos and films: a keyed hash in place of the address, media type, description, who is tagged.",
    "origin": "first-party, or the name of the third party it came from.",
    "source": "The adapter that read it.",
}
"""What each column of an export means."""

_BODY: Final = """
# {title}

{rows:,} items ({megabytes:,.1f} MB of text) by and about {subjects:,} people, published as version `{name}` on
{time} by {controller}.

- Purpose: {purpose}
- Legal basis (Art. 6(1) GDPR): {basis}; assessment: {document}, signed {signed} by {signed_by}
- Policy in effect from {effective}

## Objections

This version honours every objection that the register held up to its entry {binding}: what those people wrote is
not in it, and their traces in what others wrote are masked or left out.
Files can't forget. When someone objects later, `demur recall {name}` lists the items to remove from every copy, and
from what was made with it; then take a new version.

## What is in it

{counts}

## What stayed out

{stayed_out}

{left_out}

## Columns

{columns}

## Read it

```python
from datasets import load_dataset

items = load_dataset("parquet", data_files="data/*.parquet", split="train")
```

## Check it

{check}
A row's hash is SHA-256 over its canonical JSON (RFC 8785).

Made with {software}.
"""

_STAYED_OUT: Final = {
    1: "Items that were read and left out, each counted once, by the first reason that held.",
    2: (
        "Items that their last reading left out, each counted once, by the first reason that held. What was removed\n"
        "after it had come in, by an objection for instance, is not counted."
    ),
}
"""What the counts of left-out items mean, by the manifest's format."""

_CHECK: Final = {
    1: "`manifest.json` is signed (Ed25519). `demur verify {name}` compares every row with it.",
    2: (
        "`manifest.json` and `files.json` are signed (Ed25519). `demur verify {name} --export DIR` compares every row\n"
        "with the one, and every file with the other."
    ),
}
"""How to check an export, by the manifest's format: the card of an old export is compared with what it says here."""


def card(manifest: Manifest) -> str:
    """README.md of an export: front matter as the Hugging Face Hub reads it, then a page for people."""
    content, basis = manifest.content, manifest.basis
    counts = {"Kind": content.kinds, "Language": content.languages, "Region": content.regions}
    body = _BODY.format(
        title=cell(title(manifest)),
        name=cell(manifest.name),
        rows=content.rows,
        megabytes=content.text_bytes / 1e6,
        subjects=content.subjects,
        time=f"{manifest.time:%Y-%m-%d}",
        controller=cell(manifest.controller),
        purpose=cell(manifest.purpose),
        basis=cell(basis.use),
        document=cell(basis.document),
        signed=cell(basis.date),
        signed_by=cell(basis.signed_by),
        effective=manifest.effective.isoformat(),
        binding=manifest.checkpoint.binding,
        counts="\n\n".join(table((head, "Items"), rows.items()) for head, rows in counts.items()),
        stayed_out=_STAYED_OUT[manifest.format],
        check=_CHECK[manifest.format].format(name=cell(manifest.name)),
        left_out=table(("Reason", "Items"), manifest.left_out.items()),
        columns=table(("Column", "Meaning"), COLUMNS.items()),
        software=", ".join(f"{name} {release}" for name, release in sorted(manifest.software.items())),
    )
    return front_matter(manifest) + body


def title(manifest: Manifest) -> str:
    """What the export is called, on one line."""
    return " ".join(f"{manifest.controller}: {manifest.name}".split())


def front_matter(manifest: Manifest) -> str:
    """The YAML block at the head of the card; each value is JSON, which YAML 1.2 reads."""
    facts: Mapping[str, object] = {
        "pretty_name": title(manifest),
        "language": languages(manifest),
        "size_categories": [size(manifest.content.rows)],
        "task_categories": ["text-generation"],
        "tags": ["demur"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/*.parquet"}]}],
    }
    lines = [f"{key}: {orjson.dumps(value).decode()}" for key, value in facts.items() if value]
    return "\n".join(["---", *lines, "---", ""])


def languages(manifest: Manifest) -> list[str]:
    """The ISO 639 codes among the languages counted."""
    tags = map(_LANGUAGE.match, manifest.content.languages)
    return sorted({tag[1] for tag in tags if tag})


def size(rows: int) -> str:
    """The Hub's size category of so many rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>10B")


def cell(text: str, nothing: str = "not said") -> str:
    """``text`` on one line, with nothing in it that Markdown or HTML acts on; ``nothing`` where it is empty."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", " ".join(text.split())) or nothing


def table(head: tuple[str, str], rows: Iterable[tuple[str, int | str]]) -> str:
    """A Markdown table of two columns; a number gets its thousands marked."""
    lines = [f"| {cell(name)} | {f'{value:,}' if isinstance(value, int) else value} |" for name, value in rows]
    return "\n".join([f"| {head[0]} | {head[1]} |", "| --- | --- |", *lines])
