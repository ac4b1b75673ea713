"""Law 2 for what chats' adapters read: objecting before an import and after it leaves the same.

A few people write, mention, share and forward each other's words in a Slack channel and in a Telegram group. What the
adapters make of the exports is governed twice: with everybody's objections known before, and one objection after
another on what was kept before. Both must leave the same rows.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import open_policy, rules

from demur.kernel.govern import govern
from demur.policy import Others, Policy
from demur.sources import load_source

pytestmark = pytest.mark.law

PEOPLE: Final = ("1001", "1002", "1003")
NAMES: Final = {"1001": "Ann", "1002": "Ben", "1003": "Ann"}
EXAMPLES: Final = settings().max_examples

words = st.sampled_from(("hello", "«é»", "\U0001f642", "[person]", "@Ann", "mail ann@mail.example", "a &lt;b&gt;"))
people = st.sampled_from(PEOPLE)
texts = st.lists(st.one_of(words, st.builds(lambda who: (who,), people)), max_size=5)
"""Words, and people who are mentioned between them."""
messages = st.lists(st.tuples(people, texts, st.one_of(st.none(), st.tuples(people, texts))), min_size=1, max_size=5)
"""Who writes what, and whose words they share."""

Text = Sequence[str | tuple[str]]


def slack(written: Sequence[tuple[str, Text, tuple[str, Text] | None]]) -> Mapping[str, object]:
    def mrkdwn(text: Text) -> str:
        return " ".join(part if isinstance(part, str) else f"<@{part[0]}>" for part in text)

    def shared(share: tuple[str, Text] | None) -> list[object]:
        return [{"is_share": True, "author_id": share[0], "text": mrkdwn(share[1])}] if share else []

    day = [
        {"user": who, "text": mrkdwn(text), "attachments": shared(share), "ts": f"1772000000.{number:06}"}
        for number, (who, text, share) in enumerate(written)
    ]
    users = [{"id": who, "profile": {"display_name": name}} for who, name in NAMES.items()]
    return {"channels.json": [{"id": "C1", "name": "x"}], "users.json": users, "x/2026-02-25.json": day}


def telegram(written: Sequence[tuple[str, Text, tuple[str, Text] | None]]) -> Mapping[str, object]:
    def parts(text: Text) -> list[object]:
        return [
            part if isinstance(part, str) else {"type": "mention_name", "text": NAMES[part[0]], "user_id": int(part[0])}
            for part in text
        ]

    told = [
        {"id": number, "type": "message", "date_unixtime": "1772000000", "from_id": f"user{who}", "text": parts(text)}
        | ({} if share is None else {"forwarded_from_id": f"user{share[0]}", "text": parts(share[1])})
        for number, (who, text, share) in enumerate(written)
    ]
    return {"result.json": {"type": "public_supergroup", "id": 7, "messages": told}}


def read(source: str, tree: Mapping[str, object], **options: object) -> list[pa.RecordBatch]:
    with tempfile.TemporaryDirectory() as folder:
        for name, value in tree.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(value))
        return list(load_source(source).read([folder], options))


def left(items: Iterable[pa.RecordBatch], policy: Policy, steps: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What is left of items when each step's objections are honoured on what the step before left."""
    kept = list(items)
    for objected in steps:
        kept = [govern(part, rules(policy, objected)).kept for part in kept if len(part)]
    return [row for part in kept for row in part.to_pylist()]


@settings(max_examples=max(EXAMPLES // 4, 10))
@given(messages, st.permutations(PEOPLE), st.integers(1, 3), st.sampled_from(("mask", "drop")))
def test_objecting_before_and_after_an_import_leave_the_same(
    written: Sequence[tuple[str, Text, tuple[str, Text] | None]], order: Sequence[str], many: int, how: str
) -> None:
    policy = open_policy(others=Others(mentions=how, quotes=how))  # type: ignore[arg-type]  # one of its words
    for source, account, tree, options in (
        ("slack", "slack:", slack(written), {"channels_audience": "public"}),
        ("telegram", "telegram:user", telegram(written), {}),
    ):
        objected = [f"{account}{who}" for who in order[:many]]
        items = read(source, tree, **options)

        once = left(items, policy, [objected])
        later = left(items, policy, [objected[:count] for count in range(many + 1)])

        assert later == once
