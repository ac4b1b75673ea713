"""Why words of the demo's examples are masked, or stay: what was found in each, its tier, its score and its reasons.

Invariants: it asks the same finders as an import does, with what the workspace knows at the end; a line repeats words
of people who do not exist.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from demur.corpus.session import reading
from demur.demo.items import Item, batches
from demur.kernel.evidence import writing_of
from demur.kernel.keying import Keyer, keyed
from demur.kernel.rules import Rules
from demur.kernel.wording import page_of
from demur.people.context import Context
from demur.people.explaining import explained
from demur.people.finds import Tier
from demur.words.page import Page
from demur.workspace import Workspace

_SHOWN = 40
"""Characters of a place that are repeated."""


def reasons_of(workspace: Workspace, items: Sequence[Item]) -> list[tuple[str, ...]]:
    """For each item a line for everything that is found in its words, as :data:`report.Example.reasons` has them."""
    if not items:
        return []
    with reading(workspace) as session:
        rules, _ = session.rules()
        rows = pa.Table.from_batches(keyed(batch, Keyer(rules.pepper)) for batch in batches(iter(items)))
        (row_batch,) = rows.combine_chunks().to_batches()
        context = session.threads(rules).context(writing_of(row_batch).thread)
        found: list[dict[str, None]] = [{} for _ in items]
        for row, line in _lines(page_of(row_batch, rules), rules, context, [item.text for item in items]):
            found[row][line] = None  # a person's accounts give the same line each
    return [tuple(each) for each in found]


def _lines(page: Page, rules: Rules, context: Context, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
    others = rules.policy.others
    if rules.people is not None:
        for find in explained(page, rules.people, context):
            if find.subject != page.writing.author[find.row]:
                outcome = "masked" if find.score >= others.names_from else "left"
                words = _short(texts[find.row][find.start : find.end])
                yield find.row, f"{words}: {_tier(find.tier)}, {find.score}, {outcome} ({', '.join(find.reasons)})"
    if rules.copies is not None:
        finds = rules.copies.found(page)
        for row, start, end, score in zip(finds.row, finds.start, finds.end, finds.score, strict=True):
            outcome = "masked" if score >= others.copies_from else "left"
            yield int(row), f"{_short(texts[row][start:end])}: {_tier(Tier.COPY)}, {score}, {outcome}"


def _tier(tier: Tier) -> str:
    return tier.name.lower().replace("_", " ")


def _short(words: str) -> str:
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
