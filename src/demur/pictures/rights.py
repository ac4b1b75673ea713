"""What is reserved in the metadata of a picture, read before all of it is left out.

Art. 4(3) of Directive (EU) 2019/790 lets rightholders reserve text and data mining of what is online by
machine-readable means; Art. 53(1)(c) of Regulation (EU) 2024/1689 asks providers of general-purpose models to identify
such reservations and to comply with them. Three such means are read: PLUS's Data Mining and TDMRep in XMP (xmp.py), and
training and mining assertions of Content Credentials (credentials.py).

Invariants: where the file speaks of a reservation and that can't be read to its end, it is reserved (law 4); so it is
where one of PLUS's prohibitions stands anywhere in the file, whatever holds it. That a file says nothing proves
nothing: platforms remove metadata when something is posted.
"""

from typing import Final

from demur.pictures import credentials, xmp
from demur.pictures.kinds import Kind
from demur.pictures.metadata import Metadata, metadata_of, packets_in
from demur.pictures.refusals import Damaged, Why
from demur.pictures.xmp import folded

_PROHIBITED: Final = b"dmi-prohibited"
"""How every prohibition in the vocabulary of PLUS begins, in small letters."""
_LOOSE: Final = (
    (b"plus:datamining",),
    (b"useplus.org/ldf", b"datamining"),
    (b"tdm:reservation",),
    (b"tdm-reservation",),
    (b"tdmrep", b"reservation"),
    (credentials.WORD,),
)
"""What speaks of a reservation where none could be read: all words of one of these."""


def reserved(data: bytes, kind: Kind) -> Why | None:
    """What is reserved in a file, if anything.

    Raises:
        Refused: its metadata is too large to be looked at.
    """
    found = metadata_of(data, kind)
    rest = folded(found.rest)
    if any(word in rest for word in xmp.WORDS):  # rarely
        packets, without = packets_in(found.rest)
        found.packets += packets
        rest = folded(without)
    return _of_packets(found, rest)


def packet_reserves(packet: bytes) -> Why | None:
    """What is reserved in a packet that a decoder found, if anything."""
    return _of_packets(Metadata([packet]), b"")


def _of_packets(found: Metadata, rest: bytes) -> Why | None:
    unread = [rest]
    for parts, reserved_in in ((found.packets, xmp.reserved), (found.stores, credentials.reserved)):
        for part in parts:
            plain = folded(part)
            if _PROHIBITED in plain:
                return Why.MINING
            try:
                why = reserved_in(part)
            except Damaged:
                unread.append(plain)
            else:
                if why is not None:
                    return why
    if _PROHIBITED in rest:
        return Why.MINING
    return Why.UNCLEAR if any(_speaks(plain) for plain in unread) else None


def _speaks(plain: bytes) -> bool:
    return any(all(word in plain for word in words) for words in _LOOSE)
