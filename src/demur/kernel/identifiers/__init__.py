"""Find the direct identifiers of anyone in text: handles, profile URLs, mail addresses, phone numbers, IBANs, IPs.

Invariants: the answer for a text depends on that text and its author's region, never on which others share the
batch; and with each hit replaced by its mask (:data:`MASKS`) nothing more is found in the text. A vectorised gate
(:mod:`.gate`) sorts out the rows that need no closer look, so that maintained libraries see only the rest
(:mod:`.scan`). What is found, and what is not on purpose, is told in docs/identifiers.md.
"""

from demur.kernel.identifiers.find import find_identifiers
from demur.kernel.identifiers.hits import MASKS, Category, Hits

__all__ = ["MASKS", "Category", "Hits", "find_identifiers"]
