"""Pictures with metadata in all the places where it can lie, built by hand."""

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Final

import cbor2
import pillow_heif
from PIL import Image

from _pictures import chunk, saved

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PLUS: Final = "http://ns.useplus.org/ldf/xmp/1.0/"
DMI: Final = "http://ns.useplus.org/ldf/vocab/"
TDM: Final = "http://www.w3.org/ns/tdmrep/"


def image(width: int = 48, height: int = 32) -> Image.Image:
    """Red above blue."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (0, height // 2, width, height))
    return picture


def packet(body: str, attributes: str = "") -> bytes:
    """An XMP packet, with the prefixes `plus`, `tdm` and `v` bound."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" xmlns:plus="{PLUS}" xmlns:tdm="{TDM}" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        f'{" " * 100}<?xpacket end="w"?>'
    ).encode()


def forms_of(name: str, value: str) -> list[bytes]:
    """Packets in which a property has a value: as element, attribute, resource, list, and value with a qualifier."""
    return [
        packet(f"<{name}>{value}</{name}>"),
        packet("", f'{name}="{value}"'),
        packet(f'<{name} rdf:resource="{value}"/>'),
        packet(f"<{name}><rdf:Bag><rdf:li>{value}</rdf:li></rdf:Bag></{name}>"),
        packet(f'<{name}><rdf:Seq><rdf:li rdf:resource="{value}"/></rdf:Seq></{name}>'),
        packet(f'<{name} rdf:parseType="Resource"><rdf:value>\n{value} </rdf:value></{name}>'),
    ]


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(*segments: bytes, file: bytes | None = None) -> bytes:
    """A JPEG with these segments in front."""
    file = saved(image(), "JPEG") if file is None else file
    return file[:2] + b"".join(segments) + file[2:]


def jpeg_with(xmp: bytes) -> bytes:
    """A JPEG with a packet."""
    return with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))


def jpeg_with_more(xmp: bytes) -> bytes:
    """A JPEG whose packet stands in the extension, in two segments, the second one first."""
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">I", len(xmp))
    half = len(xmp) // 2
    parts = [segment(0xE1, head + struct.pack(">I", at) + part) for at, part in ((half, xmp[half:]), (0, xmp[:half]))]
    return with_segments(*parts)


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks in front."""
    file = saved(image(), "PNG")
    return file[:33] + b"".join(chunks) + file[33:]


def itxt(xmp: bytes, *, packed: bool = False) -> bytes:
    """A packet in the chunk for it."""
    body = zlib.compress(xmp) if packed else xmp
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + (b"\1" if packed else b"\0") + b"\0\0\0" + body)


def webp_with(kind: bytes, body: bytes) -> bytes:
    """A WebP with a chunk at its end."""
    file = saved(image(), "WEBP", lossless=True)
    more = file[12:] + kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    head = b"VP8X" + struct.pack("<I", 10) + b"\x04\0\0\0" + (47).to_bytes(3, "little") + (31).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(more)) + b"WEBP" + head + more


def heic(picture: Image.Image | None = None, xmp: bytes | None = None, exif: bytes | None = None) -> bytes:
    """A HEIC."""
    file = io.BytesIO()
    told = {name: value for name, value in (("xmp", xmp), ("exif", exif)) if value is not None}
    pillow_heif.from_pillow(picture or Image.new("RGB", (64, 48), "red")).save(file, quality=60, **told)
    return file.getvalue()


def heic_with(store: bytes) -> bytes:
    """A HEIC with a store of Content Credentials."""
    body = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest\0" + bytes(8) + store
    return heic() + struct.pack(">I4s", 8 + len(body), b"uuid") + body


def gif_with(store: bytes) -> bytes:
    """A GIF with one."""
    file = saved(image(), "GIF")
    blocks = b"".join(bytes((len(part),)) + part for part in (store[at : at + 255] for at in range(0, len(store), 255)))
    return file[:-1] + b"\x21\xff\x0bC2PA_GIF\x01\0\0" + blocks + b"\0;"


def box(kind: bytes, body: bytes, *, long: bool = False) -> bytes:
    """A box of JUMBF."""
    if long:
        return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body
    return struct.pack(">I4s", 8 + len(body), kind) + body


def superbox(label: str, *inner: bytes, kind: bytes = b"cbor", long: bool = False) -> bytes:
    """A box of boxes, with its description."""
    uuid = kind + bytes.fromhex("00110010800000aa00389b71")
    return box(b"jumb", box(b"jumd", uuid + b"\3" + label.encode() + b"\0") + b"".join(inner), long=long)


def store_of(*assertions: bytes, ingredients: tuple[bytes, ...] = ()) -> bytes:
    """A manifest store, whose active manifest has these assertions."""
    claimed = cbor2.dumps({"assertions": [{"url": "self#jumbf=c2pa.assertions/c2pa.hash.data"}]})
    manifest = superbox(
        "urn:c2pa:active",
        superbox("c2pa.assertions", superbox("c2pa.hash.data", box(b"cbor", cbor2.dumps({"pad": b""}))), *assertions),
        superbox("c2pa.claim.v2", box(b"cbor", claimed)),
        superbox("c2pa.signature", box(b"cbor", cbor2.dumps(cbor2.CBORTag(18, [b"", {}, None, b"nobody's"])))),
        kind=b"c2ma",
    )
    return superbox("c2pa", *ingredients, manifest, kind=b"c2pa")


def training(entries: Mapping[str, object], label: str = "c2pa.training-mining", *, bare: bool = False) -> bytes:
    """The assertion."""
    return superbox(label, box(b"cbor", cbor2.dumps(dict(entries) if bare else {"entries": dict(entries)})))


def jpeg_with_store(store: bytes, room: int = 60_000) -> bytes:
    """A JPEG with it, in as many segments as it takes."""
    head = 16 if store[:4] == b"\0\0\0\1" else 8
    body = store[head:]
    parts = [body[at : at + room] for at in range(0, len(body), room)] or [b""]
    return with_segments(
        *(
            segment(0xEB, b"JP" + struct.pack(">HI", 1, number) + store[:head] + part)
            for number, part in enumerate(parts, 1)
        )
    )
