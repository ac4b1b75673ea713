"""Which rule left an item out, and which line of demur.toml to change.

Invariants: every Reason has a rule, and the rule is told with the value it has in the policy at hand. What no
line may change is said in as many words: no key of demur.toml brings back what a person objected to, or a
minor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demur.policy.model import Policy
from demur.policy.text import place, toml_value
from demur.terms import Reason


@dataclass(frozen=True)
class _Rule:
    """A rule of the door or of govern, in words."""

    meaning: str
    """What the rule does, a main clause."""
    key: str | None = None
    """The key of demur.toml that decides it, None where no key does."""
    remedy: str = ""
    """What to do so that such items come in, an imperative or a reason why they never do."""


_RULES: Final[Mapping[Reason, _Rule]] = {
    Reason.SUPERSEDED: _Rule(
        "a later reading of the same item stands in the same import, and the last one counts",
        remedy="nothing is lost, as the later reading was judged in its place",
    ),
    Reason.DELETED: _Rule("the source says that the item was deleted", remedy="what its author deleted stays out"),
    Reason.UNKNOWN_AUTHOR: _Rule(
        "the item names no author, so that nobody could object to its use",
        remedy="have the source deliver the author's account identifier",
    ),
    Reason.UNKNOWN_KIND: _Rule(
        "the item's kind is unknown, and what is unknown is not used",
        remedy="have the source deliver one of the kinds that demur knows",
    ),
    Reason.KIND: _Rule(
        "only these kinds of items come in", "door.kinds", "add their kind to the list, if you may use it"
    ),
    Reason.UNKNOWN_AUDIENCE: _Rule(
        "nobody knows who could read the item, and what is unknown is not used",
        remedy="have the source deliver the audience",
    ),
    Reason.AUDIENCE: _Rule(
        "only items with these audiences come in",
        "door.audiences",
        "add their audience to the list, if you may use it",
    ),
    Reason.ORIGIN: _Rule(
        "only items of these origins come in",
        "door.origins",
        'add the third party to the list, or write "any", if you may use its records',
    ),
    Reason.UNKNOWN_DATE: _Rule(
        "the policy has a time range, and the item has no date",
        "door.since",
        'write "" for no limit, or have the source deliver the date',
    ),
    Reason.BEFORE_SINCE: _Rule(
        "items from before that day are left out", "door.since", 'write an earlier day, or "" for no limit'
    ),
    Reason.UNKNOWN_REGION: _Rule(
        "the policy lists regions, and the author's is unknown",
        "door.unknown_region",
        'write "use", or import the regions with `demur members`',
    ),
    Reason.REGION: _Rule(
        "only authors from these regions come in", "regions", 'add their regions to the list, or write "any"'
    ),
    Reason.UNKNOWN_AGE: _Rule(
        "authors whose age nobody recorded are left out",
        "door.unknown_age",
        'write "use", or import the birth years with `demur members`',
    ),
    Reason.MINOR: _Rule(
        "authors who may be younger are left out",
        "door.minimum_age",
        "minors never come in, so that no value below 18 is possible",
    ),
    Reason.NOT_TOLD: _Rule(
        "only authors who were told come in",
        "notice.required",
        "tell them and import the dates with `demur members`, or write false if no notice is owed",
    ),
    Reason.NOTICE_PERIOD: _Rule(
        "authors come in only so many days after they were told",
        "notice.period_days",
        "wait and import again, or write fewer days if that is a reasonable period",
    ),
    Reason.NO_CONSENT: _Rule(
        "only authors with a recorded consent come in",
        "basis.use",
        "record consents with `demur members` or `demur consent give`, or write another, signed basis",
    ),
    Reason.OBJECTED: _Rule(
        "the author objected (Art. 21 GDPR)",
        remedy="time alone ends no objection: a withdrawal does, or its holder's no",
    ),
    Reason.RESHARE: _Rule("the item passes on what a suppressed person wrote", remedy="such items never come in"),
    Reason.QUOTE: _Rule(
        "items that quote a suppressed person are dropped",
        "others.quotes",
        'write "mask" to keep the items without the quotes',
    ),
    Reason.MENTION: _Rule(
        "items that mention a suppressed person are dropped",
        "others.mentions",
        'write "mask" to keep the items without the names',
    ),
    Reason.COPY: _Rule(
        "items that copy a suppressed person's words are dropped, and so are items that are nothing but a copy",
        "others.copies",
        'write "mask" to keep items with other words without the copies',
    ),
    Reason.NAME: _Rule(
        "items that name a suppressed person by name are dropped",
        "others.names",
        'write "mask" to keep the items without the names',
    ),
    Reason.EMPTY: _Rule(
        "nothing is left of the item, or nothing was there",
        remedy="there is no text in it that could be used",
    ),
}


def rule_of(reason: Reason, policy: Policy) -> str:
    """One sentence that names the rule behind ``reason``: the key, the value it has, and what that means."""
    rule = _RULES[reason]
    if rule.key is None:
        return f"{rule.meaning[0].upper()}{rule.meaning[1:]}."
    return f"`{rule.key} = {toml_value(_value(policy, rule.key))}`: {rule.meaning}."


def door_lines(reasons: Mapping[Reason, int], policy: Policy, path: Path) -> list[str]:
    """For an import that kept nothing: which line to change for each reason, the most frequent first.

    Args:
        reasons: Items left out, by reason.
        policy: What ``path`` was read as.
        path: The file demur.toml.

    Raises:
        OSError: when ``path`` can't be read.
    """
    text = path.read_text("utf-8-sig")
    counted = sorted(((reason, count) for reason, count in reasons.items() if count), key=lambda each: -each[1])
    return [_line(reason, count, policy, path, text) for reason, count in counted]


def _line(reason: Reason, count: int, policy: Policy, path: Path, text: str) -> str:
    rule = _RULES[reason]
    items = "1 item" if count == 1 else f"{count:,} items"
    if rule.key is None:
        return f"{items}: {rule.meaning}; {rule.remedy}."
    value = f"{rule.key.rpartition('.')[2]} = {toml_value(_value(policy, rule.key))}"
    return f"{place(path, rule.key, text)}: {value} left out {items} ({rule.meaning}); {rule.remedy}."


def _value(policy: Policy, key: str) -> object:
    value: object = policy
    for part in key.split("."):
        value = getattr(value, part)
    return value
