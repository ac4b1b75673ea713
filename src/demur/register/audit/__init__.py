"""Whether the register is what its entries say: every entry checked, what stands replayed and compared.

What is checked: numbers count from 1 without a gap; each commitment is recomputed from what is stored; kinds are known,
`binding` follows from `kind`, times can be read; what was said with an objection is what its entry digests; an entry
without salts is named, content and all, by a later erasure that the workspace signed; and objections, the accounts that
they name, links, persons, consents, members' facts, notices, keyed names and
decisions about them are those that the entries make (effects.py). No
progress mark has a name that demur does not set. The tiles of the log's tree, and every checkpoint on record, are those
that the commitments make, and each checkpoint is signed by the log's key, the one that its entries lead to;
cosignatures are of the checkpoints beside which they are kept.

Entries of the first format say less, and are taken at their word: how many accounts an objection names, and among which
subjects; phases, channels, deadlines and days exactly; which accounts links may connect, how many there are at least,
and that nobody whom a link joined is apart without an entry that unlinked them.

What can't be seen here: entries that are missing at the end, or that somebody wrote anew together with everything that
follows from them. For that a digest outside of the register is needed: a manifest's, or the mark's. So a caller gives
the numbers up to which it holds digests, and gets what the register says there, with the end that was seen.

Memory grows with what stands, not with the number of entries.
"""

from demur.register.audit.log import Audited, audit

__all__ = ["Audited", "audit"]
