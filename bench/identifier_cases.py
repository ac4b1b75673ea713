"""Recall and precision of the search for phone numbers and addresses on hard cases, by trap.

Run ``python bench/identifier_cases.py [-v]``; -v shows what goes wrong. The cases
(``tests/kernel/cases/numbers.tsv``) are written by hand, in both directions: an identifier counts as found where
exactly its characters are masked; a text without any counts as a false mask where anything in it is masked. Besides,
the example numbers that ``phonenumbers`` has of 35 countries, as they may stand in a text.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import phonenumbers
import pyarrow as pa
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from demur.kernel.identifiers import Category, find_identifiers

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from numbered import Case, cases

COUNTRIES: Final = tuple(
    "AT BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LT LU LV MT NL NO PL PT RO RU SE SI SK UA US".split()  # noqa: SIM905
)
SEEN: Final = (
    ("international", "see", PhoneNumberFormat.INTERNATIONAL, False),
    ("national, country known", "I am at", PhoneNumberFormat.NATIONAL, True),
    ("national behind Tel.", "Tel.", PhoneNumberFormat.NATIONAL, False),
    ("national behind call me at", "call me at", PhoneNumberFormat.NATIONAL, False),
    ("national, no word, no country", "I am at", PhoneNumberFormat.NATIONAL, False),
    ("in one piece, country known", "I am at", None, True),
)
"""How an example number is written, what stands before it, its format (None: digits), and if the country is known."""


def examples() -> list[tuple[str, PhoneNumber]]:
    """A landline and a mobile number of each country."""
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    numbers = [(each, phonenumbers.example_number_for_type(each, kind)) for each in COUNTRIES for kind in kinds]
    return [(each, number) for each, number in numbers if number is not None]


def written(number: PhoneNumber, form: int | None) -> str:
    """The number in a format, or the digits that one dials at home."""
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if form is None else form)
    return re.sub("[^0-9]", "", national) if form is None else national


def recall_of_examples() -> None:
    """Print how many of the example numbers are found, by how they are written."""
    for name, word, form, known in SEEN:
        texts = [(region if known else None, written(number, form)) for region, number in examples()]
        lost = [missed(_example(word, digits, region)) for region, digits in texts]
        print(f"example numbers, {name:30} {lost.count((0, 0))} of {len(lost)} found")


def _example(word: str, digits: str, region: str | None) -> Case:
    start = len(word) + 1
    return Case("example", "phone", region, f"{word} {digits} ok", ((start, start + len(digits)),))


def missed(case: Case) -> tuple[int, int]:
    """How many of the identifiers of a case are not found, and how many masks are none of them."""
    texts = pa.array([case.text], type=pa.large_string())
    hits = find_identifiers(texts, frozenset(Category), [case.region])
    found = set(zip(hits.start.tolist(), hits.end.tolist(), strict=True))
    return len(set(case.spans) - found), len(found - set(case.spans))


def main() -> None:
    """Print the figures."""
    by_trap: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for case in cases():
        lost, false = missed(case)
        tally = by_trap[case.category, case.trap]
        tally[0] += len(case.spans) or 1
        tally[1] += lost
        tally[2] += false
        if "-v" in sys.argv and (lost or false):
            print(f"    {case.trap}, {case.region}: {case.text}  missed {lost}, false {false}")
    for (category, trap), (total, lost, false) in sorted(by_trap.items()):
        print(f"{category:6} {trap:32} {total:4} cases {lost:4} missed {false:4} false masks")
    every = sum(total for (category, _), (total, _, _) in by_trap.items() if category != "none")
    lost, false = (sum(tally[place] for tally in by_trap.values()) for place in (1, 2))
    print(f"hard cases: recall {(every - lost) / every:.4f}, precision {(every - lost) / (every - lost + false):.4f}")
    recall_of_examples()


if __name__ == "__main__":
    main()
