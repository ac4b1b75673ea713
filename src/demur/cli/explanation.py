"""What ``demur policy explain`` prints: what became of an item, and what the imports kept and left out."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from demur.cli.output import count
from demur.cli.tables import reasons_table
from demur.corpus.explain import Explanation
from demur.corpus.imports import Counts, LastImport
from demur.policy import Policy, door_lines, rule_of
from demur.terms import Reason


def item_lines(told: Explanation, policy: Policy, path: Path) -> Iterator[str]:
    """What became of an item, for people.

    Args:
        told: What became of it.
        policy: The policy now.
        path: Where it stands.
    """
    if told.kept:
        masks = ", ".join(f"{mask} {count(number, 'time')}" for mask, number in told.masks.items())
        yield f"Kept: it is in the corpus, as {told.item}."
        yield f"Masks in its text: {masks}." if masks else "Nothing in its text is masked."
    elif told.reason is None:
        yield "Not in the corpus, and no import has left it out:"
        yield "it was never read, or was kept and removed since, as someone objected or the policy changed."
    else:
        yield f"Left out by import {told.left_out_by}, by the reason {told.reason}. {rule_of(told.reason, policy)}"
        yield from door_lines({told.reason: 1}, policy, path)
        if told.imports > (told.left_out_by or 0):
            yield f"Should one of the imports since ({told.imports} is the last) have kept it, it was removed again."


def item_data(told: Explanation, policy: Policy, path: Path) -> dict[str, object]:
    """What became of an item, for machines."""
    rule = rule_of(told.reason, policy) if told.reason else None
    line = door_lines({told.reason: 1}, policy, path) if told.reason else []
    return {**vars(told), "rule": rule, "to_change": line}


def counts_lines(imports: list[LastImport], totals: Counts, now: Mapping[Reason, int], policy: Policy) -> Iterator[str]:
    """What the last import from each source did, all imports together, and what is left out now, for people."""
    if not imports:
        yield "Nothing was imported yet: `demur import SOURCE PATH...` does."
        return
    for each in imports:
        yield f"Import {each.number}, the last from {each.source}: {_sentence(each.counts)}"
        yield from _details(each.counts, policy)
        yield ""
    yield f"All {imports[-1].number:,} imports together: {_sentence(totals)}"
    yield from _details(totals, policy)
    yield ""
    yield f"Left out now, each item once, by its last reading: {sum(now.values()):,}."
    yield from reasons_table(now, policy) if now else ()


def counts_data(
    imports: list[LastImport], totals: Counts, now: Mapping[Reason, int], policy: Policy
) -> dict[str, object]:
    """How many items each reason keeps out, for machines."""
    return {
        "last": [{**vars(each), "counts": vars(each.counts)} for each in imports],
        "total": vars(totals),
        "left_out_now": now,
        "rules": {reason: rule_of(reason, policy) for reason in totals.left_out},
    }


def _sentence(counts: Counts) -> str:
    return f"{count(counts.read, 'item')} read, {counts.kept:,} kept, {sum(counts.left_out.values()):,} left out."


def _details(counts: Counts, policy: Policy) -> Iterator[str]:
    if counts.kinds:
        yield "  read: " + ", ".join(f"{kind or 'unknown kind'} {number:,}" for kind, number in counts.kinds.items())
    if counts.left_out:
        yield from reasons_table(counts.left_out, policy)
