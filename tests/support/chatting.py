"""Chats for the laws: what a few people write, share and forward, as exports of Slack and of Telegram, read back.

Nobody's message is real: they are drawn, written down as the platform would write them, and read by its adapter.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from hypothesis import strategies as st

from demur.sources import load_source

SOURCES: Final[Mapping[str, str]] = {"slack": "slack:", "telegram": "telegram:user"}
"""The chats that are drawn, and what the accounts of their people begin with."""
NAMES: Final = {"1001": "Ann", "1002": "Ann"}
"""What chats show people as; the second bears the first one's name."""
ACCOUNTS: Final = tuple(f"{begins}{who}" for begins in SOURCES.values() for who in NAMES)
"""Everybody who may appear in a chat."""

Text = Sequence[str | tuple[str]]
"""Words, and people who are mentioned between them."""


class Message(NamedTuple):
    """What somebody wrote in a chat, and whose words they passed on with it."""

    number: int
    """Which message of the chat it is: a later reading has the same."""
    who: str
    text: Text
    shared: tuple[str, Text] | None
    gone: bool
    """Whether only a gravestone is left."""


_words = st.sampled_from(("hello", "«é»", "\U0001f642", "[person]", "@Ann", "mail ann@mail.example", "a &lt;b&gt;"))
_people = st.sampled_from(sorted(NAMES))
_texts = st.lists(st.one_of(_words, st.tuples(_people)), min_size=1, max_size=5)
_shared = st.one_of(st.none(), st.tuples(_people, _texts))
_messages = st.builds(
    Message,
    st.integers(0, 3),
    _people,
    st.one_of(_texts, _texts, st.just(())),
    _shared,
    st.sampled_from((False, False, False, False, True)),
)


class Chat(NamedTuple):
    """An export of one chat."""

    source: str
    messages: Sequence[Message]
    open: bool
    """Whether everybody can read it."""

    def read(self) -> list[pa.RecordBatch]:
        """What its adapter makes of the export."""
        tree = (_slack if self.source == "slack" else _telegram)(self)
        options = {"channels_audience": "public"} if self.source == "slack" and self.open else {}
        with tempfile.TemporaryDirectory() as folder:
            for name, value in tree.items():
                path = Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(value))
            return list(load_source(self.source).read([folder], options))


chats = st.builds(
    Chat,
    st.sampled_from(sorted(SOURCES)),
    st.lists(_messages, min_size=1, max_size=3),
    st.sampled_from((True, True, True, False)),
)
"""Chats of a few messages, most of them open to everybody."""


def _slack(chat: Chat) -> Mapping[str, object]:
    """Slack shares messages below what somebody writes; a message that was taken away leaves a tombstone."""

    def mrkdwn(text: Text) -> str:
        return " ".join(part if isinstance(part, str) else f"<@{part[0]}>" for part in text)

    def record(message: Message) -> dict[str, Any]:
        said = {"user": message.who, "text": mrkdwn(message.text), "ts": f"1772000000.{message.number:06}"}
        if message.gone:
            return {**said, "subtype": "tombstone"}
        if message.shared is None:
            return said
        author, text = message.shared
        return {**said, "attachments": [{"is_share": True, "author_id": author, "text": mrkdwn(text)}]}

    users = [{"id": who, "profile": {"display_name": name}} for who, name in NAMES.items()]
    day = [record(message) for message in chat.messages]
    return {"channels.json": [{"id": "C1", "name": "x"}], "users.json": users, "x/2026-02-25.json": day}


def _telegram(chat: Chat) -> Mapping[str, object]:
    """Telegram forwards what others wrote as it is; what was deleted is not in an export."""

    def parts(text: Text) -> list[object]:
        return [
            part if isinstance(part, str) else {"type": "mention_name", "text": NAMES[part[0]], "user_id": int(part[0])}
            for part in text
        ]

    def record(message: Message) -> dict[str, Any]:
        said = {"id": message.number, "type": "message", "date_unixtime": "1772000000", "from_id": f"user{message.who}"}
        if message.shared is None:
            return {**said, "text": parts(message.text)}
        author, text = message.shared
        return {**said, "forwarded_from_id": f"user{author}", "text": parts(text)}

    told = [record(message) for message in chat.messages if not message.gone]
    kind = "public_supergroup" if chat.open else "private_supergroup"
    return {"result.json": {"type": kind, "id": 7, "messages": told}}
