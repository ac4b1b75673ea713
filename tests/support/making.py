"""Small values for tests: items, policies, rules. All names are invented."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from demur.identity import Pepper, SubjectKeys
from demur.kernel.rules import NEVER, Facts, Known, Rules, compile_rules
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.terms import ITEM

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PEPPER = Pepper(bytes(range(32)))


def open_policy(**changes: Any) -> Policy:  # noqa: ANN401  # fields of a model
    """A signed policy that lets in everybody of unknown age, untold; single tables may be changed."""
    assessment = Assessment(document="lia.pdf", date=date(2026, 1, 10), signed_by="DPO")
    base: dict[str, Any] = {
        "effective_date": date(2026, 2, 1),
        "basis": LegalBasis(legitimate_interests=assessment),
        "notice": Notice(required=False),
        "door": Door(unknown_age="use"),
    }
    return Policy(**(base | changes))


def item(name: str, author: str | None = "forum:ann", text: str | None = "hello", **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # fields of an item
    """One public first-party post."""
    base: dict[str, Any] = {
        "item": name if ":" in name else f"forum:{name}",
        "author": author,
        "kind": "post",
        "audience": "public",
        "text": text,
        "created": datetime(2026, 3, 1, tzinfo=UTC),
        "origin": "first-party",
    }
    return base | fields


def span(start: int, end: int, role: str, account: str | None) -> dict[str, Any]:
    """One span of an item."""
    return {"start": start, "end": end, "role": role, "account": account}


def batch(items: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    """Items as the batch that a source yields."""
    return pa.RecordBatch.from_pylist([dict(each) for each in items], schema=ITEM)


def facts(members: Mapping[str, Mapping[str, Any]]) -> Facts:
    """What members say of themselves: region, birth_year, told_on (a date), consented."""
    known = sorted((PEPPER.subject_key(account), told) for account, told in members.items())
    epoch = date(1970, 1, 1)
    return Facts(
        keys=np.array([key for key, _ in known], np.int64),
        region=np.array([told.get("region", "").encode() for _, told in known], "S2"),
        birth_year=np.array([told.get("birth_year", 0) for _, told in known], np.int16),
        told_on=np.array(
            [(told["told_on"] - epoch).days if "told_on" in told else NEVER for _, told in known], np.int32
        ),
        consented=np.array([told.get("consented", False) for _, told in known], bool),
    )


def keys(*accounts: str) -> SubjectKeys:
    """Subject keys, sorted."""
    return np.sort(PEPPER.subject_keys(accounts))


def rules(
    policy: Policy | None = None,
    objected: Iterable[str] = (),
    members: Mapping[str, Mapping[str, Any]] | None = None,
    now: datetime = NOW,
) -> Rules:
    """Rules as the register and the policy would give them."""
    snapshot = Known(keys(*objected), facts(members or {}))
    return compile_rules(policy or open_policy(), PEPPER, snapshot, now)
