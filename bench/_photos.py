"""The pictures that bench/copied_pictures.py works on: photographs and some drawings out of Debian's packages.

They are fetched once by ``apt-get download``, unpacked into bench/data/pictures without being installed, and never
committed. Most are photographs out of GCompris: tools, animals, buildings; of buildings and animals there are several
photographs that show the same. The others are wallpapers and the large stamps of Tux Paint, objects on a pale ground.
"""

import hashlib
import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

DATA: Final = Path(__file__).parent / "data" / "pictures"
PACKAGES: Final = (
    "gcompris-qt-data",
    "gnome-backgrounds",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "tuxpaint-stamps-default",
    "ukui-wallpapers",
)
SIDE: Final = 640
"""Pixels of the longest side of an original: larger ones are shrunk, smaller ones stay."""
LEAST: Final = 200
"""Pixels of the shortest side of a picture that counts."""

TWICE: Final = 2
"""Levels by which two pictures of 16 by 16 pixels differ on average, from which they are not the same one."""

_ACTIVITIES: Final = (
    "categorization",
    "erase",
    "explore_farm_animals",
    "explore_monuments",
    "explore_world_animals",
    "explore_world_music",
    "paintings",
)
_STAMP_BYTES: Final = 60_000
_AGAIN: Final = ("_dark", "screenshot", "720x1440", "1080x1920", "1622x2880", "Elephants_", "-no-logo", "-l.webp")
"""What is in the name of a file that shows another one again, in another shape or colour."""


@dataclass(frozen=True)
class Photo:
    """One picture."""

    name: str
    image: Image.Image
    """RGB, longest side at most 640."""

    @property
    def tuned_on(self) -> bool:
        """Whether thresholds were chosen on it; figures are reported on the others."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2 == 0


def photos() -> list[Photo]:
    """All of them, by name; no picture twice: some activities show the same photo."""
    _fetch()
    found: list[Photo] = []
    small: list[npt.NDArray[np.int16]] = []
    for name, image in sorted([*_carved(), *_files()], key=lambda each: each[0]):
        if min(image.size) < LEAST:
            continue
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        here = np.asarray(image.convert("L").resize((16, 16)), np.int16)
        if all(np.abs(here - each).mean() >= TWICE for each in small):
            found.append(Photo(name, image))
            small.append(here)
    return found


def _fetch() -> None:
    """Unpacks the packages that are not there yet."""
    for package in PACKAGES:
        folder = DATA / package
        if folder.exists():
            continue
        DATA.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", "-q", package], cwd=DATA, check=True, stdout=subprocess.DEVNULL)
            (archive,) = DATA.glob(f"{package}_*.deb")
            subprocess.run(["dpkg", "-x", archive, folder], check=True)
            archive.unlink()
        except (OSError, subprocess.CalledProcessError, ValueError) as wrong:
            sys.exit(f"The Debian package {package} could not be fetched ({wrong}): run this where apt-get can.")


def _carved() -> Iterator[tuple[str, Image.Image]]:
    """The WebP pictures in GCompris' resource files, which hold them as they are."""
    for activity in _ACTIVITIES:
        (path,) = DATA.glob(f"gcompris-qt-data/**/{activity}.rcc")
        held = path.read_bytes()
        at = held.find(b"RIFF")
        while at >= 0:
            (size,) = struct.unpack("<I", held[at + 4 : at + 8])
            if held[at + 8 : at + 12] == b"WEBP":
                image = Image.open(io.BytesIO(held[at : at + 8 + size]))
                if image.mode == "RGB":
                    yield f"{activity}-{at}", image.convert("RGB")
            at = held.find(b"RIFF", at + 4)


def _files() -> Iterator[tuple[str, Image.Image]]:
    """The wallpapers, one file of each, and the stamps."""
    for package in PACKAGES[1:]:
        for path in sorted((DATA / package).rglob("*")):
            if path.is_symlink() or path.suffix not in {".jpg", ".png", ".webp"} or any(w in str(path) for w in _AGAIN):
                continue
            stamp = "tuxpaint" in str(path)
            if stamp and (path.stat().st_size < _STAMP_BYTES or "mirror" in path.name):
                continue
            image: Image.Image = Image.open(path)
            if stamp:
                image.thumbnail((SIDE, SIDE))
                ground = Image.new("RGBA", image.size, (236, 232, 224))
                image = Image.alpha_composite(ground, image.convert("RGBA"))
            yield f"{package}-{'-'.join(path.parts[-4:])}", image.convert("RGB")
