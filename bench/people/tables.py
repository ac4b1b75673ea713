"""The judges' word tables: names with their case forms, sentences and traps, one TOML file a language in ``words/``.

A file holds, besides ``cases``, ``order`` (which of ``given`` and ``surname`` comes first) and ``declines`` (``both``
parts of a full name, or only the ``last``):

- ``men``, ``women``: a given name a line, its forms in the order of ``cases``, then after ``|`` those of a nickname.
  One form alone stands for every case, and ``·`` for a space within a form.
- ``surnames``: the forms for a man, then after ``|`` those for a woman where they differ.
- ``greet``, ``about``, ``handle``, ``sign``, ``fill``: sentences. ``{gen}`` is a name in that case, ``{h}`` a handle,
  ``[a|b]`` a choice, ``<he|she>`` a choice by the sex of who is named.
- ``traps``: a name of the tables -> kind -> sentences in which ``{}`` surrounds the part that reads like it.
- ``word_handles``: a handle that is a word -> sentences that use the word, with ``{}`` around it.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

HERE: Final = Path(__file__).parent / "words"
INFLECTED: Final = frozenset({"de", "pl", "cs", "fi", "hu", "el", "lt", "ru"})
"""The eight languages that a figure is given for."""

Forms: TypeAlias = dict[str, str]
"""Case -> form; ``nom`` and ``voc`` always stand there."""


@dataclass(frozen=True)
class Given:
    """A given name."""

    sex: str
    """``m`` or ``f``."""
    forms: Forms
    nick: Forms | None


@dataclass(frozen=True)
class Words:
    """Everything that one language's file says."""

    language: str
    order: str
    declines: str
    given: tuple[Given, ...]
    surnames: tuple[dict[str, Forms], ...]
    """Each by sex."""
    sentences: dict[str, tuple[str, ...]]
    """``greet``, ``about``, ``handle``, ``sign``, ``fill`` -> templates."""
    traps: dict[str, dict[str, list[str]]]
    word_handles: dict[str, list[str]]


def _forms(row: str, cases: list[str]) -> Forms:
    """Read the forms of one name.

    Raises:
        ValueError: There are neither one nor as many forms as cases.
    """
    found = [form.replace("·", " ") for form in row.split()]
    if len(found) not in {1, len(cases)}:
        raise ValueError(f"{row!r} has {len(found)} forms, not {len(cases)}: write one form for each of {cases}")
    forms = dict(zip(cases, found if len(found) > 1 else found * len(cases), strict=True))
    forms.setdefault("voc", forms["nom"])
    return forms


def _given(sex: str, rows: list[str], cases: list[str]) -> list[Given]:
    """Read the given names of one sex."""
    split = [row.partition("|") for row in rows]
    return [Given(sex, _forms(name, cases), _forms(nick, cases) if nick.strip() else None) for name, _, nick in split]


def _surname(row: str, cases: list[str]) -> dict[str, Forms]:
    """Read one surname, by sex."""
    man, _, woman = row.partition("|")
    return {"m": _forms(man, cases), "f": _forms(woman if woman.strip() else man, cases)}


def _words(language: str, table: dict[str, Any]) -> Words:
    """Turn a language's table into words."""
    cases = table["cases"].split()
    given = _given("m", table["men"], cases) + _given("f", table["women"], cases)
    return Words(
        language=language,
        order=table.get("order", "given"),
        declines=table.get("declines", "last"),
        given=tuple(given),
        surnames=tuple(_surname(row, cases) for row in table["surnames"]),
        sentences={what: tuple(table[what]) for what in ("greet", "about", "handle", "sign", "fill")},
        traps=table.get("traps", {}),
        word_handles=table.get("word_handles", {}),
    )


@cache
def languages() -> dict[str, Words]:
    """The words of every language that has a file, by language."""
    files = sorted(HERE.rglob("*.toml"), key=lambda path: path.stem)
    return {path.stem: _words(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in files}
