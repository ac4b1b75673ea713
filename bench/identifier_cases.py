"""Recall and precision of the search for phone numbers and addresses on hard cases, by trap.

Run ``python bench/identifier_cases.py``. The cases (``tests/kernel/cases/numbers.tsv``) are written by hand, in both
directions: an identifier counts as found where exactly its characters are masked; a text without any counts as a
false mask where anything in it is masked.
"""

import sys
from collections import defaultdict
from pathlib import Path

import pyarrow as pa

from demur.kernel.identifiers import Category, find_identifiers

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from numbered import Case, cases


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
    print(f"recall {(every - lost) / every:.4f}, precision {(every - lost) / (every - lost + false):.4f}")


if __name__ == "__main__":
    main()
