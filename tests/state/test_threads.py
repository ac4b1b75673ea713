"""What is known of threads: a row's answer is the same, whichever threads are asked for with its own."""

from dataclasses import replace
from itertools import combinations
from typing import Final

import pyarrow as pa
import pytest
from making import PEPPER, batch, item, rules

from demur.corpus.datasets.evidence import Evidence, Recalled
from demur.corpus.threads import Threads, govern_at_rest
from demur.kernel.evidence import EVIDENCE
from demur.kernel.govern import govern
from demur.kernel.rules import Rules
from demur.people.compiled import Compiler
from demur.people.context import no_pairs
from demur.people.index import PeopleIndex

EDDA: Final = PEPPER.subject_key("forum:edda")
THREADS: Final = {
    "one": [("forum:edda", "Hello."), ("forum:bo", "Hello."), ("forum:cy", "Hi Edda, thanks for that.")],
    "two": [("forum:bo", "So it is.\n\n-- Edda"), ("forum:cy", "Hi Edda, thanks for that.")],
    "three": [("forum:edda", "Hello."), ("forum:dee", "Well.\n\n-- Edda"), ("forum:cy", "Hi Edda, thanks for that.")],
}
"""Edda objected. A stranger who takes part in the first signs so in the second, and another one in the third."""


class Told(Evidence):
    """Evidence that was read of the threads."""

    def __init__(self, told: pa.Table) -> None:
        super().__init__(None)
        self.told = told

    def lines(self) -> pa.Table:
        """All of it."""
        return self.told


@pytest.fixture(scope="module")
def known() -> Rules:
    """Rules that know somebody by name."""
    bare = rules(objected=["forum:edda"])
    return replace(bare, people=PeopleIndex.build([(EDDA, Compiler(bare.word_keys).name("Edda Brennick"))]))


@pytest.fixture(scope="module")
def threads(known: Rules) -> Threads:
    """What all of them tell."""
    told = [govern(rows_of(name), known).evidence.select(EVIDENCE.names) for name in THREADS]
    return Threads(Recalled(Told(pa.Table.from_batches(told))), lambda _: no_pairs(), known)


def rows_of(*names: str) -> pa.RecordBatch:
    """The items of some threads."""
    return batch(
        [
            item(f"{name} {number}", author, text, thread=f"forum:{name}")
            for name in names
            for number, (author, text) in enumerate(THREADS[name])
        ]
    )


def answered(threads: Threads, *names: str) -> dict[bytes, str]:
    """The texts of some threads that are governed together."""
    at_rest = govern(rows_of(*names), rules()).kept
    kept = govern_at_rest(at_rest, threads.rules, threads).kept
    return {row["item"]: row["text"] for row in kept.to_pylist()}


def test_who_signs_in_one_thread_is_no_second_bearer_in_another(threads: Threads) -> None:
    assert "Hi [person], thanks for that." in answered(threads, "one").values()


def test_who_signs_in_the_thread_is_one(threads: Threads) -> None:
    assert "Hi Edda, thanks for that." in answered(threads, "three").values()


@pytest.mark.parametrize("names", [*combinations(THREADS, 2), tuple(THREADS)], ids="-".join)
def test_threads_that_are_asked_for_together_answer_as_alone(threads: Threads, names: tuple[str, ...]) -> None:
    alone = {key: text for name in names for key, text in answered(threads, name).items()}
    assert answered(threads, *names) == alone
