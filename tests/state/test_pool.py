"""Workers of an import: the same answers as without them, and nothing secret on disk."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from making import PEPPER, batch, item, rules

from demur.corpus.engines.names import LOCAL
from demur.corpus.engines.starting import started
from demur.corpus.pool import Asked
from demur.kernel.govern import Answer
from demur.kernel.rules import Rules
from demur.people.compiled import Compiler
from demur.people.context import Context
from demur.people.index import PeopleIndex

STREAM: Final = 14
"""Batches: more than are governed without workers."""
EDDA: Final = PEPPER.subject_key("forum:edda")


@pytest.fixture
def known() -> Rules:
    """Rules that know somebody by name."""
    bare = rules(objected=["forum:edda"])
    index = PeopleIndex.build([(EDDA, Compiler(bare.word_keys).name("Edda Brennick"))])
    return replace(bare, people=index)


def asked(context: Context | None = None) -> Iterator[Asked]:
    """Batches of one item each; most name somebody."""
    for number in range(STREAM):
        yield batch([item(f"post {number}", text=f"Edda Brennick wrote {number}" if number else "nobody")]), context


def said(answers: list[Answer]) -> list[Any]:
    """What answers come down to."""
    return [(answer.items, answer.kept, answer.codes.tolist()) for answer in answers]


def test_workers_answer_as_this_process_in_every_stream(tmp_path: Path, known: Rules) -> None:
    with started(LOCAL, known, 1, tmp_path / "alone") as kernel:
        alone = list(kernel.answers(asked())), list(kernel.answers(asked(Context())))
    assert not (tmp_path / "alone").exists()
    with started(LOCAL, known, 2, tmp_path / "rules") as kernel:
        short = next(kernel.answers(iter([next(asked())])))
        assert not (tmp_path / "rules").exists()  # no worker for so few
        shared = list(kernel.answers(asked())), list(kernel.answers(asked(Context())))
    assert [said(stream) for stream in shared] == [said(stream) for stream in alone]
    assert said([short]) == said(alone[0][:1])
    assert shared[1][1].kept.column("text").to_pylist() == ["[person] wrote 1"]


def test_what_is_secret_reaches_workers_through_no_file(tmp_path: Path, known: Rules) -> None:
    with started(LOCAL, known, 2, tmp_path / "rules") as kernel:
        assert len(list(kernel.answers(asked()))) == STREAM
        written = (tmp_path / "rules").read_bytes()
    assert known.objected.keys.tobytes() in written
    assert PEPPER.secret not in written
