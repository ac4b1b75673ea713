"""What is known of an objection without opening what was said with it: the few facts that officers look for.

Invariants: a fact is yes, no or a word of ours, never a part of what somebody said; the address they gave is a subject
key, as every account is. Facts stand in the row of the sealed words and go with it: an erasure leaves none.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from demur.register.database.records import JSON
from demur.register.members.people import People, mail_account

_WORD: Final = re.compile("[a-z][a-z0-9-]{0,39}")
_OTHER: Final = "other"


def facts_of(people: People, reason: str | None, statement: Mapping[str, JSON] | None) -> dict[str, Any]:
    """The facts about what is said with an objection, as the columns of `detail` have them.

    Args:
        people: whose rule of spelling makes a key of the address.
        reason: why, if they say.
        statement: what else they say: `for` whom (`child` is how it was once), `text`, `contact`, and the `warning` of
            whoever took it in.
    """
    said = statement or {}
    return {
        "child": bool(said.get("child")) or said.get("for") == "child",
        "written": bool(reason or said.get("text")),
        "warning": _word(said.get("warning")),
        "contact": _contact(people, said.get("contact")),
    }


def _word(said: JSON) -> str | None:
    """A warning, which is one word of ours; whatever else stands there is not told in the clear."""
    if not said:
        return None
    return said if isinstance(said, str) and _WORD.fullmatch(said) else _OTHER


def _contact(people: People, said: JSON) -> int | None:
    spelt = mail_account(said, people.names) if isinstance(said, str) else None
    return None if spelt is None else int(people.spelt_keys([spelt])[0])
