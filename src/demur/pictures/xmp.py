"""What an XMP packet reserves: PLUS's Data Mining, and TDMRep.

A property can be an element, an attribute, a resource or a list (ISO 16684-1, 7), under any prefix: XML is parsed, and
names are told by their last part. Sources: the License Data Format of PLUS with its vocabulary of Data Mining
(DMI), which IPTC's Photo Metadata Standard 2023.1 takes up as `plus:DataMining`; the TDM Reservation Protocol (W3C
Final Community Group Report, 10 May 2024), whose `tdm:reservation` is 1 where rights are reserved.

Invariants: a value that is none of those that allow reserves, an unknown or an empty one, too (law 4); a packet with a
document type is damaged (XMP needs none), so that no entity is ever looked at; nothing is fetched.
"""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from demur.pictures.refusals import Damaged, Why

_ALLOWING: Final = frozenset({"dmi-unspecified", "dmi-allowed"})
"""What of the vocabulary of PLUS reserves nothing. What does: DMI-PROHIBITED, -PROHIBITED-AIMLTRAINING,
-PROHIBITED-GENAIMLTRAINING, -PROHIBITED-EXCEPTSEARCHENGINEINDEXING, -PROHIBITED-SEECONSTRAINT,
-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR, -PROHIBITED-SEELINKEDRIGHTSEXPR."""
_UNRESERVED: Final = frozenset({"0"})
_MINING: Final = "datamining"
_TDM: Final = frozenset({"tdm-reservation", "tdm_reservation"})
_RESERVATION: Final = "reservation"
_OF_TDM: Final = "tdm"
"""In the namespace: http://www.w3.org/ns/tdmrep/, which is also written with `#`, or without an end."""
_LAST: Final = re.compile(r"[^/#:]*\Z")
"""Of a URI, or of a name with a prefix."""
_NOT_VALUES: Final = frozenset({"lang", "parseType", "datatype", "nodeID", "about", "ID"})
"""Attributes that say something of a value (RDF 1.1 XML Syntax, 2; XML 1.0, 2.12)."""

WORDS: Final = (b"datamining", b"reservation")
"""One of these stands in each packet that reserves something, once folded: names of XML are written out."""


def folded(data: bytes) -> bytes:
    """Text in small letters, whatever its encoding: what UTF-16 and UTF-32 put between ASCII's characters is gone."""
    return data.translate(None, b"\0").lower()


def reserved(packet: bytes) -> Why | None:
    """What a packet reserves, if anything.

    Raises:
        Damaged: it speaks of something that may be a reservation, and is no XML.
    """
    plain = folded(packet)
    if not any(word in plain for word in WORDS):
        return None
    if b"<!doctype" in plain or b"<!entity" in plain:
        raise Damaged
    # A parser of its own for each: one that is used again keeps what it has seen.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(packet.strip(b"\0 \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Damaged from error
    told = (_told(about, values) for about, values in _properties(root))
    return next((why for why in told if why is not None), None)


def _properties(root: etree._Element) -> Iterator[tuple[Why, list[str]]]:
    """What could reserve, as elements and as attributes: what it would reserve, and what it may mean to say."""
    for element in root.iter(etree.Element):
        why = _reserves(str(element.tag))
        if why is not None:
            yield why, list(_values(element))
        for name, value in element.attrib.items():
            why = _reserves(str(name))
            if why is not None:
                yield why, [str(value)]


def _values(element: etree._Element) -> Iterator[str]:
    for each in element.iter(etree.Element):
        yield from (str(value) for name, value in each.attrib.items() if _local(str(name)) not in _NOT_VALUES)
        yield each.text or ""
        if each is not element:
            yield each.tail or ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _reserves(name: str) -> Why | None:
    """What a property of this name, `{namespace}local`, is about; None is nothing that reserves."""
    namespace, _, local = name.lower().rpartition("}")
    if local == _MINING:
        return Why.MINING
    return Why.TDM if local in _TDM or (local == _RESERVATION and _OF_TDM in namespace) else None


def _told(about: Why, values: list[str]) -> Why | None:
    said = {value.strip().lower() for value in values} - {""}
    if about == Why.MINING:
        said, allowing = {_last(value) for value in said}, _ALLOWING
    else:
        allowing = _UNRESERVED
    return None if said and said <= allowing else about


def _last(value: str) -> str:
    found = _LAST.search(value)
    return found.group() if found else value
