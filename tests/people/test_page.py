"""docs/people.md says every reason that a find may have, and every tier."""

from pathlib import Path

from demur.people.finding.reasons import WORDS
from demur.people.finding.tiers import WEIGHTS

PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")


def _listed(opening: str) -> set[str]:
    """What stands in the paragraph that opens so, between its colon and its full stop."""
    (paragraph,) = (part for part in PAGE.split("\n\n") if part.startswith(opening))
    return {each.strip() for each in " ".join(paragraph.split()).partition(":")[2].rstrip(".").split(";")}


def test_every_reason_is_told_with_what_it_does() -> None:
    speaking_for = {words for reason, words in WORDS.items() if WEIGHTS[reason] > 0}
    table = PAGE.partition("| tier | begins with |")[2].partition("\n\n")[0]
    assert {words for words in speaking_for if words not in table} == _listed("Speaks for it")
    assert {words for reason, words in WORDS.items() if WEIGHTS[reason] < 0} == _listed("Speaks against it")
