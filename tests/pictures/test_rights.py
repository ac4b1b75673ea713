"""What somebody reserved in a picture is found wherever it stands, and whatever can't be read counts as reserved."""

import json
import random
import time
import zlib

import pytest
from picturing import (
    DMI,
    box,
    forms_of,
    gif_with,
    heic,
    heic_with,
    image,
    itxt,
    jpeg_with,
    jpeg_with_more,
    jpeg_with_store,
    packet,
    png_with,
    segment,
    store_of,
    superbox,
    training,
    webp_with,
    with_segments,
)
from PIL import ImageFile

from _pictures import chunk, photo, png_with_text, saved
from demur.pictures import working
from demur.pictures.anew import opened
from demur.pictures.kinds import Kind, kind_of
from demur.pictures.refusals import Refused, Why
from demur.pictures.rights import reserved

PROHIBITIONS = (
    "DMI-PROHIBITED",
    "DMI-PROHIBITED-AIMLTRAINING",
    "DMI-PROHIBITED-GENAIMLTRAINING",
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
    "DMI-PROHIBITED-SEECONSTRAINT",
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR",
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR",
)
USES = ("c2pa.ai_training", "c2pa.ai_generative_training", "c2pa.data_mining", "c2pa.ai_inference")
ALLOWED = {use: {"use": "allowed"} for use in USES}


def why(file: bytes) -> Why | None:
    return reserved(file, kind_of(file))


def places_of(xmp: bytes) -> dict[str, bytes]:
    return {
        "JPEG": jpeg_with(xmp),
        "JPEG, in the extension": jpeg_with_more(xmp),
        "JPEG, behind its end": saved(image(), "JPEG") + xmp,
        "PNG": png_with(itxt(xmp)),
        "PNG, packed": png_with(itxt(xmp, packed=True)),
        "PNG, as hex": png_with(
            chunk(b"tEXt", b"Raw profile type xmp\0\nxmp\n%8d\n" % len(xmp) + xmp.hex().encode() + b"\n")
        ),
        "WebP": webp_with(b"XMP ", xmp),
        "HEIC": heic(xmp=xmp),
        "GIF": saved(image(), "GIF")[:-1]
        + b"\x21\xff\x0bXMP DataXMP"
        + xmp
        + b"\1"
        + bytes(range(255, -1, -1))
        + b"\0;",
    }


def stores_of(store: bytes) -> dict[str, bytes]:
    return {
        "JPEG": jpeg_with_store(store),
        "JPEG, in many segments": jpeg_with_store(store, 50),
        "PNG": png_with(chunk(b"caBX", store)),
        "WebP": webp_with(b"C2PA", store),
        "HEIC": heic_with(store),
        "GIF": gif_with(store),
    }


@pytest.mark.parametrize("value", PROHIBITIONS)
def test_each_prohibition_reserves_in_each_form(value: str) -> None:
    for written in (value, DMI + value, f"plus-vocab:{value}", value.lower()):
        for xmp in forms_of("plus:DataMining", written):
            assert why(jpeg_with(xmp)) == Why.MINING


@pytest.mark.parametrize("value", ["DMI-ALLOWED", "DMI-UNSPECIFIED", DMI + "DMI-ALLOWED", f" {DMI}DMI-UNSPECIFIED\n"])
def test_what_allows_reserves_nothing(value: str) -> None:
    for xmp in forms_of("plus:DataMining", value):
        assert {place: why(file) for place, file in places_of(xmp).items()} == dict.fromkeys(places_of(b""))


def test_places() -> None:
    for xmp in forms_of("plus:DataMining", DMI + PROHIBITIONS[1])[:2]:
        assert set(map(why, places_of(xmp).values())) == {Why.MINING}
    for xmp in forms_of("tdm:reservation", "1")[:2]:
        assert set(map(why, places_of(xmp).values())) == {Why.TDM}


@pytest.mark.parametrize("value", ["DMI-FORBIDDEN", "", "yes", "DMI-ALLOWED, not", "&#68;MI-PROHIBI&#84;ED"])
def test_a_value_that_nobody_knows_reserves(value: str) -> None:
    for xmp in forms_of("plus:DataMining", value):
        assert why(jpeg_with(xmp)) == Why.MINING


def test_allowing_beside_a_prohibition_reserves() -> None:
    both = packet("<plus:DataMining>DMI-ALLOWED</plus:DataMining>", 'plus:DataMining="DMI&#45;PROHIBITED"')
    assert why(jpeg_with(both)) == Why.MINING


@pytest.mark.parametrize(("value", "is_reserved"), [("1", True), ("0", False), ("", True), ("2", True), ("true", True)])
def test_tdm_reservation(value: str, is_reserved: bool) -> None:  # noqa: FBT001
    for xmp in forms_of("tdm:reservation", value):
        assert (why(jpeg_with(xmp)) == Why.TDM) is is_reserved
        assert (why(jpeg_with(xmp.replace(b"tdmrep/", b"tdmrep#"))) == Why.TDM) is is_reserved
        assert (why(jpeg_with(xmp.replace(b"tdm:", b"t:").replace(b"xmlns:tdm", b"xmlns:t"))) == Why.TDM) is is_reserved


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_packet_in_another_encoding_reserves(encoding: str) -> None:
    text = forms_of("tdm:reservation", "1")[0].decode()
    assert all(map(why, places_of(text.encode(encoding)).values()))


@pytest.mark.parametrize("name", ["plus:DataMining", "tdm:reservation"])
def test_what_is_broken_and_speaks_of_it_reserves(name: str) -> None:
    for xmp in forms_of(name, "0" if name.startswith("tdm") else "DMI-ALLOWED"):
        cut = xmp[: xmp.index(b"</rdf:RDF") if b"</rdf:RDF" in xmp else -9]
        for file in places_of(cut).values():
            assert why(file) == Why.UNCLEAR
    entity = b'<!DOCTYPE a [<!ENTITY e "DMI-ALLOWED">]>' + forms_of(name, "&amp;e;")[0].replace(b"&amp;", b"&")
    assert why(jpeg_with(entity)) == Why.UNCLEAR


def test_no_entity_is_looked_at() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%b">' % (at + 1, b"&%c;" % at * 10) for at in range(97, 107)
    )
    assert why(jpeg_with(bomb + b"]><plus:DataMining>&k;</plus:DataMining>")) == Why.UNCLEAR
    outside = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a reservation="">tdm:reservation</a>'
    assert why(jpeg_with(outside)) == Why.UNCLEAR


@pytest.mark.parametrize(
    "file",
    [
        with_segments(
            segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\x1c\x1c\x02\x28\0\x17DMI-PROHIBITED as said")
        ),
        with_segments(segment(0xFE, b"dmi-prohibited-aimltraining")),
        png_with(chunk(b"tEXt", b"Comment\0DMI-PROHIBITED")),
        png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"DMI-PROHIBITED"))),
        saved(image(), "JPEG") + saved(image(), "JPEG") + "DMI-PROHIBITED".encode("utf-16"),
    ],
)
def test_a_prohibition_anywhere_reserves(file: bytes) -> None:
    assert why(file) == Why.MINING


def test_nothing_is_lost_between_the_parts_of_a_file() -> None:
    xmp = forms_of("plus:DataMining", PROHIBITIONS[0])[0]
    headless = png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0" + xmp), chunk(b"iTXt", b"XML:com.adobe.xmp\0" + xmp))
    assert why(headless) == Why.MINING
    more = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)
    twice = [segment(0xE1, more + xmp), segment(0xE1, more + packet("")), segment(0xE1, more[:-20] + xmp[:20])]
    assert why(with_segments(*twice)) == Why.MINING
    boxes = [segment(0xEB, b"JP\0\1\0\0\0\1" + part) for part in (store_of(), b"DMI-PROHIBITED", store_of())]
    assert why(with_segments(*boxes)) == Why.MINING
    assert why(png_with(chunk(b"zTXt", b"Comment\0DMI-PROHIBITED"))) == Why.MINING


def test_words_that_are_no_reservation() -> None:
    for xmp in (
        packet("<dc:description>A reservation at the hotel</dc:description>"),
        packet("<tdm:policy>https://a.example/policy</tdm:policy>"),
        packet("<dc:reservation>1</dc:reservation>"),
        packet(""),
    ):
        assert set(map(why, places_of(xmp).values())) == {None}
    for picture in (photo(1, 300, 200), image()):
        assert {why(saved(picture, name)) for name in ("JPEG", "PNG", "WEBP", "GIF")} == {None}


@pytest.mark.parametrize("use", ["notAllowed", "constrained", "Allowed", "unheard-of", None, 1, ["allowed"]])
@pytest.mark.parametrize("label", ["c2pa.training-mining", "cawg.training-mining", "cawg.training-mining.v2__1"])
def test_credentials_reserve_whatever_is_not_allowed(use: object, label: str) -> None:
    for entry in (*USES, "cawg.ai_training", "com.example.anything"):
        for bare in (False, True):
            assertion = training(ALLOWED | {entry: {"use": use}}, label, bare=bare)
            assert why(jpeg_with_store(store_of(assertion))) == Why.CREDENTIALS


def test_places_of_credentials() -> None:
    store = store_of(training(ALLOWED | {"c2pa.ai_training": {"use": "notAllowed"}}))
    assert set(map(why, stores_of(store).values())) == {Why.CREDENTIALS}
    long = superbox("c2pa", superbox("urn:a", training({"a": {"use": "constrained"}}), long=True), long=True)
    assert set(map(why, stores_of(long).values())) == {Why.CREDENTIALS}
    for allowing in (store_of(training(ALLOWED)), store_of(training(ALLOWED, bare=True)), store_of()):
        assert {place: why(file) for place, file in stores_of(allowing).items()} == dict.fromkeys(stores_of(b""))


def test_a_large_store_is_joined_over_its_segments() -> None:
    picture = superbox("c2pa.thumbnail.claim", box(b"bidb", random.Random(1).randbytes(200_000)))
    file = jpeg_with_store(store_of(picture, training(ALLOWED), picture))
    assert why(file) is None
    assert why(jpeg_with_store(store_of(picture, training({"a": {"use": "constrained"}})))) == Why.CREDENTIALS


def test_what_a_picture_was_made_of_reserves() -> None:
    earlier = superbox("urn:c2pa:earlier", superbox("c2pa.assertions", training({"a": {"use": "notAllowed"}})))
    assert why(jpeg_with_store(store_of(training(ALLOWED), ingredients=(earlier,)))) == Why.CREDENTIALS


def test_credentials_in_json() -> None:
    for use, found in (("allowed", None), ("notAllowed", Why.CREDENTIALS)):
        body = json.dumps({"entries": {"c2pa.data_mining": {"use": use}}}).encode()
        assert why(jpeg_with_store(store_of(superbox("c2pa.training-mining", box(b"json", body))))) == found


@pytest.mark.parametrize(
    "content",
    [
        (),
        (box(b"cbor", b""),),
        (box(b"cbor", b"\xa1"),),
        (box(b"cbor", b"\x81" * 100),),
        (box(b"cbor", b"\xbb" + b"\xff" * 8),),
        (box(b"json", b"{"),),
        (box(b"json", b"[" * 100_000),),
        (box(b"uuid", bytes(100)),),
    ],
)
def test_an_assertion_that_cannot_be_read_reserves(content: tuple[bytes, ...]) -> None:
    for file in stores_of(store_of(superbox("c2pa.training-mining", *content))).values():
        assert why(file) == Why.UNCLEAR


@pytest.mark.parametrize("body", [b"\xa0", b"\xa1\x67entries\xa0", b"\x80", b"\x01", b"\xa1\x67entries\x67allowed"])
def test_an_assertion_without_an_entry_reserves(body: bytes) -> None:
    assertion = superbox("c2pa.training-mining", box(b"cbor", body))
    assert why(jpeg_with_store(store_of(assertion))) == Why.CREDENTIALS


def test_a_damaged_store_reserves_where_it_speaks_of_it() -> None:
    store = store_of(training(ALLOWED))
    damaged = bytearray(store)
    damaged[store.index(b"jumd") - 4 : store.index(b"jumd")] = b"\x7f\xff\xff\xff"
    for file in (
        *stores_of(bytes(damaged)).values(),
        *stores_of(store[:-200]).values(),
        saved(image(), "JPEG") + store,
    ):
        assert why(file) == Why.UNCLEAR
    assert set(map(why, stores_of(store_of()[:-20]).values())) == {None}
    claimed = superbox("c2pa.claim", box(b"json", b'["self#jumbf=c2pa.assertions/c2pa.training-mining"]'))
    assert why(jpeg_with_store(store_of(claimed))) == Why.UNCLEAR
    assert why(jpeg_with_store(store_of(superbox("urn:packed", box(b"brob", b"c2ma\x0b"))))) == Why.UNCLEAR


def test_beginnings_without_an_end_take_no_time() -> None:
    plain = saved(image(), "JPEG")
    began = time.process_time()
    many = b"".join(b"<a%d:RDF >" % number for number in range(300_000))
    assert why(plain + b"reservation" + many) is None
    assert why(plain + b"reservation" + b"<rdf:RDF >" * 300_000 + b"tdm:reservation") == Why.UNCLEAR
    deep = b"<a>" * 200 + b"<b/>" * 20_000 + b"</a>" * 200
    assert why(jpeg_with_more(b"<x reservation=''>" + deep + b"</x>")) is None
    assert time.process_time() - began < 5


def test_too_much_metadata_is_not_read() -> None:
    for file in (png_with_text(20 << 20), webp_with(b"XMP ", bytes(17 << 20))):
        with pytest.raises(Refused, match="its metadata is larger than 16 MB"):
            why(file)


def test_a_packet_that_only_the_decoder_finds_reserves(monkeypatch: pytest.MonkeyPatch) -> None:
    """In HEIC it can lie compressed."""

    def unpacked(data: bytes, kind: Kind) -> ImageFile.ImageFile:
        found = opened(data, kind)
        found.info["xmp"] = forms_of("tdm:reservation", "1")[1]
        return found

    monkeypatch.setattr(working, "opened", unpacked)
    with pytest.raises(Refused, match="tdm:reservation"):
        working.read_one(heic(), 1024)


def test_a_reservation_in_a_damaged_picture_is_told_first() -> None:
    with pytest.raises(Refused, match="plus:DataMining"):
        working.read_one(jpeg_with(forms_of("plus:DataMining", PROHIBITIONS[0])[0])[:-100], 1024)
