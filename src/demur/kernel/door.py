"""The door: which items may come in at all, by the policy and by what members say of the author.

Invariants: reasons are tried in the order of ``terms.Reason`` and the first that holds is the item's reason (law 5);
whatever is unknown is *not used* unless the policy says otherwise in so many words (law 4).
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel.rules import EPOCH, NEVER, Bools, Rules, start_of, under_age
from demur.terms import Audience, Basis, Kind, Reason

Codes = npt.NDArray[np.int8]

REASONS: Final = tuple(Reason)
KEPT: Final = -1
"""The code of an item that no rule leaves out; other codes are positions in :data:`REASONS`."""

WAITS: Final = -2
"""The code of an item of which nothing is said before its thread is known."""

_CODE: Final = {reason: code for code, reason in enumerate(REASONS)}

Test = Callable[["Visitor"], Bools]


class Visitor:
    """A keyed batch at the door, with what members say of each author; arrays have shape (rows,)."""

    def __init__(self, rows: pa.RecordBatch, rules: Rules) -> None:
        self.rows = rows
        self.rules = rules
        self.author = pc.fill_null(rows.column("author"), -1).to_numpy(zero_copy_only=False)
        facts = rules.facts
        at = np.searchsorted(facts.keys, self.author)
        self._at = np.minimum(at, max(len(facts.keys) - 1, 0))
        self._known = np.zeros(len(rows), bool)
        if len(facts.keys):
            self._known = facts.keys[self._at] == self.author

    def fact(self, values: npt.NDArray[np.generic], unknown: object) -> npt.NDArray[np.generic]:
        """One fact of each author, ``unknown`` where the author is no member."""
        out = np.full(len(self.author), unknown, dtype=values.dtype)
        out[self._known] = values[self._at[self._known]]
        return out

    def among(self, column: str, allowed: Sequence[str]) -> Bools:
        """Whether a column's value is one of ``allowed``; null is not."""
        values = pa.array([str(value) for value in allowed], pa.string())
        return _bools(pc.is_in(self.rows.column(column), value_set=values))

    @property
    def region(self) -> npt.NDArray[np.bytes_]:
        """The region the item's source gave, else the member's; b"" where neither is known."""
        given = pc.cast(pc.fill_null(self.rows.column("region"), ""), pa.binary())
        stated = np.array(given.to_pylist(), dtype="S2") if len(given) else np.zeros(0, "S2")
        member = self.fact(self.rules.facts.region, b"")
        return np.where(stated == b"", member, stated)

    @property
    def told_on(self) -> npt.NDArray[np.int32]:
        """The day each author was told, in days since 1970-01-01, or NEVER."""
        return self.fact(self.rules.facts.told_on, NEVER).astype(np.int64)


def regions(rows: pa.RecordBatch, rules: Rules) -> pa.Array:
    """The region of each row, schema.ROW: what its source gave, else what is on file of its author; null if unknown."""
    given = rows.column("region")
    if given.null_count == 0:
        return given
    member = pa.array(Visitor(rows, rules).fact(rules.facts.region, b"")).cast(pa.string())
    return pc.coalesce(given, pc.if_else(pc.equal(member, ""), pa.scalar(None, pa.string()), member))


def door(rows: pa.RecordBatch, rules: Rules) -> Codes:
    """The code of the first reason that holds for each row, shape (rows,), or :data:`KEPT`."""
    visitor = Visitor(rows, rules)
    codes = np.full(len(rows), KEPT, np.int8)
    for reason, test in _TESTS:
        codes[test(visitor) & (codes == KEPT)] = _CODE[reason]
    return codes


def mark(codes: Codes, reason: Reason, where: Bools) -> None:
    """Gives ``reason`` to the rows that have none yet."""
    codes[where & (codes == KEPT)] = _CODE[reason]


def _bools(values: pa.Array) -> Bools:
    return np.asarray(pc.fill_null(values, fill_value=False).to_numpy(zero_copy_only=False), dtype=bool)


def _no(visitor: Visitor) -> Bools:
    return np.zeros(len(visitor.rows), bool)


def _deleted(visitor: Visitor) -> Bools:
    return _bools(visitor.rows.column("deleted")) if "deleted" in visitor.rows.schema.names else _no(visitor)


def _unknown_author(visitor: Visitor) -> Bools:
    return _bools(pc.is_null(visitor.rows.column("author")))


def _origin(visitor: Visitor) -> Bools:
    allowed = visitor.rules.policy.door.origins
    if allowed == "any":
        return _bools(pc.is_null(visitor.rows.column("origin")))
    return ~visitor.among("origin", allowed)


def _unknown_date(visitor: Visitor) -> Bools:
    if visitor.rules.policy.door.since is None:
        return _no(visitor)
    return _bools(pc.is_null(visitor.rows.column("created")))


def _before_since(visitor: Visitor) -> Bools:
    since = visitor.rules.policy.door.since
    if since is None:
        return _no(visitor)
    return _bools(pc.less(visitor.rows.column("created"), pa.scalar(start_of(since), pa.timestamp("us", "UTC"))))


def _unknown_region(visitor: Visitor) -> Bools:
    policy = visitor.rules.policy
    if policy.regions == "any" or policy.door.unknown_region == "use":
        return _no(visitor)
    return np.asarray(visitor.region == b"")


def _region(visitor: Visitor) -> Bools:
    regions = visitor.rules.policy.regions
    if regions == "any":
        return _no(visitor)
    region = visitor.region
    return np.asarray((region != b"") & ~np.isin(region, np.array([code.encode() for code in regions], "S2")))


def _unknown_age(visitor: Visitor) -> Bools:
    if visitor.rules.policy.door.unknown_age == "use":
        return _no(visitor)
    return np.asarray(visitor.fact(visitor.rules.facts.birth_year, 0) == 0)


def _minor(visitor: Visitor) -> Bools:
    years = visitor.fact(visitor.rules.facts.birth_year, 0).astype(np.int16)
    young = under_age(years, visitor.rules.policy.door.minimum_age, visitor.rules.today)
    return young | visitor.rules.is_minor(visitor.author)


def _not_told(visitor: Visitor) -> Bools:
    if not visitor.rules.policy.notice.required:
        return _no(visitor)
    return np.asarray(visitor.told_on == NEVER)


def _notice_period(visitor: Visitor) -> Bools:
    notice = visitor.rules.policy.notice
    if not notice.required:
        return _no(visitor)
    today = (visitor.rules.today - EPOCH).days
    return np.asarray(visitor.told_on + notice.period_days > today)


def _no_consent(visitor: Visitor) -> Bools:
    if visitor.rules.policy.basis.use is not Basis.CONSENT:
        return _no(visitor)
    return ~np.asarray(visitor.fact(visitor.rules.facts.consented, unknown=False), dtype=bool)


_TESTS: Final[tuple[tuple[Reason, Test], ...]] = (
    (Reason.DELETED, _deleted),
    (Reason.UNKNOWN_AUTHOR, _unknown_author),
    (Reason.UNKNOWN_KIND, lambda v: ~v.among("kind", tuple(Kind))),
    (Reason.KIND, lambda v: ~v.among("kind", v.rules.policy.door.kinds)),
    (Reason.UNKNOWN_AUDIENCE, lambda v: ~v.among("audience", tuple(Audience))),
    (Reason.AUDIENCE, lambda v: ~v.among("audience", v.rules.policy.door.audiences)),
    (Reason.ORIGIN, _origin),
    (Reason.UNKNOWN_DATE, _unknown_date),
    (Reason.BEFORE_SINCE, _before_since),
    (Reason.UNKNOWN_REGION, _unknown_region),
    (Reason.REGION, _region),
    (Reason.UNKNOWN_AGE, _unknown_age),
    (Reason.MINOR, _minor),
    (Reason.NOT_TOLD, _not_told),
    (Reason.NOTICE_PERIOD, _notice_period),
    (Reason.NO_CONSENT, _no_consent),
    (Reason.OBJECTED, lambda v: v.rules.is_objector(v.author)),
)
"""The door's tests in the order of ``terms.Reason``."""
