"""Made-up pictures: photos to measure with, and files that ask a decoder for more than it may take."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

OCTAVES: Final = ((3, 60.0), (12, 35.0), (50, 18.0), (200, 9.0), (800, 2.0))
"""Points across, and height in grey levels, of the noises that make up a photo."""


def photo(seed: int, width: int = 1600, height: int = 1200) -> Image.Image:
    """Soft shapes with fine grain, as much of each as lets a JPEG of 1,600 by 1,200 have about 200 KB."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128.0, np.float32)
    for across, high in OCTAVES:
        points = rng.normal(0, high, (across * 3 // 4, across, 3)).clip(-128, 127) + 128
        noise = Image.fromarray(points.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        pixels += np.asarray(noise, np.float32) - 128
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, name: str, **how: object) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    image.save(file, name, **how)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_zeros(width: int, height: int, bits: int = 1, colour: int = 0) -> bytes:
    """A PNG in black, of whatever size; ``colour`` is the type: 0 grey, 2 RGB, 6 RGBA."""
    row = bytes(1 + (width * bits * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
    packing = zlib.compressobj(9)
    rows = [packing.compress(row * 100) for _ in range(height // 100)] + [packing.compress(row * (height % 100))]
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", b"".join(rows) + packing.flush()) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def webp_of_one_colour(width: int, height: int) -> bytes:
    """A WebP of some dozens of bytes: where all pixels are the same, lossless coding takes no bits for any of them."""
    data = bytearray(saved(Image.new("RGB", (16, 16), "red"), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    size = int.from_bytes(data[at : at + 4], "little") >> 28 << 28
    data[at : at + 4] = (size | (height - 1) << 14 | (width - 1)).to_bytes(4, "little")
    return bytes(data)


def gif_without_end(frames: int) -> bytes:
    """A GIF that says to go on for ever, and has so many frames and no end."""
    file = saved(Image.new("P", (64, 64)), "GIF")
    head, frame = file[: file.index(b"\x2c")], file[file.index(b"\x2c") : -1]
    return head + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00" + frame * frames


BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "PNG, 900 MP": lambda: png_of_zeros(30_000, 30_000),
    "PNG, 144 MP": lambda: png_of_zeros(12_000, 12_000),
    "WebP, 256 MP": lambda: webp_of_one_colour(16_000, 16_000),
    "progressive JPEG, 81 MP": lambda: saved(Image.new("L", (9000, 9000)), "JPEG", progressive=True),
    "GIF without an end": lambda: gif_without_end(200_000),
    "PNG, text of 1 GB": lambda: png_with_text(1 << 30),
}
"""What is refused, or costs no more than one picture."""

HEAVY: Final[dict[str, Callable[[], bytes]]] = {
    "PNG, RGBA, 16 bit, 49 MP": lambda: png_of_zeros(7000, 7000, 16, 6),
    "WebP, 49 MP": lambda: webp_of_one_colour(7000, 7000),
    "JPEG, progressive, CMYK, 49 MP": lambda: saved(Image.new("CMYK", (7000, 7000)), "JPEG", progressive=True),
    "GIF, 49 MP": lambda: saved(Image.new("P", (7000, 7000)), "GIF"),
}
"""The largest that are read."""


def png_with_text(size: int) -> bytes:
    """A small PNG with a compressed text."""
    packing = zlib.compressobj(9)
    text = b"".join(packing.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packing.flush()
    file = saved(Image.new("RGB", (16, 16)), "PNG")
    return file[:33] + chunk(b"zTXt", b"Comment\0\0" + text) + file[33:]
