"""Twenty pictures of 100,000 go: from an objection to no file that holds a byte of them.

Run ``python bench/objecting_pictures.py [PICTURES]``, by default 100,000, of 20,000 bytes each; it takes 3 GB of disk.
Each picture has a marker of its own; after honouring, all files of the workspace are searched for the markers of those
that had to go, and for some that stay. Files are read by something that decodes nothing, as what is measured begins
where pictures rest.
"""

import os
import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

import _measure as measure
import importing
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.picturing import Shown
from demur.policy import Pictures, write_policy
from demur.terms import ITEM
from demur.workspace import Workspace

PICTURES: Final = 100_000
THEIRS: Final = 20
SIZE: Final = 20_000
"""Bytes of a picture."""
TARGET: Final = 60.0
"""Seconds."""
AT_ONCE: Final = 5_000
WHEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NOISE: Final = random.Random(1).randbytes(SIZE)


@dataclass(frozen=True)
class Made:
    """What rests."""

    data: bytes
    type: str = "image/jpeg"
    width: int = 100
    height: int = 100


class Numbered:
    """Files, and what is made of them: noise, with a marker of each."""

    def bytes_of(self, uri: str) -> bytes:
        """The file."""
        return marker(int(uri.partition(".")[0])) + _NOISE

    def read(self, files: Iterable[bytes]) -> Iterator[Made]:
        """The pictures."""
        return map(Made, files)


def marker(number: int) -> bytes:
    """What is in one picture and nowhere else."""
    return f"<picture {number:09d}>".encode()


def theirs(pictures: int) -> list[int]:
    """Those of the one who will object, all over the place."""
    return [at * pictures // THEIRS for at in range(THEIRS)]


def items(pictures: int) -> Iterator[pa.RecordBatch]:
    """An item for each picture."""
    wanted = frozenset(theirs(pictures))
    for start in range(0, pictures, AT_ONCE):
        rows = [
            {
                "item": f"forum:{number}",
                "author": "forum:objector" if number in wanted else f"forum:u{number % 997}",
                "kind": "post",
                "audience": "public",
                "created": WHEN,
                "text": f"picture number {number}",
                "spans": [],
                "media": [{"uri": f"{number}.jpg", "type": "image/jpeg", "alt": None, "tagged": []}],
                "origin": "first-party",
            }
            for number in range(start, min(start + AT_ONCE, pictures))
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=ITEM)


def holding(root: Path, markers: Iterable[bytes]) -> set[bytes]:
    """Those of some markers that stand in any file."""
    found: set[bytes] = set()
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {each for each in markers if each not in found and each in content}
    return found


def main() -> None:
    """Print the figures; end with 1 where a picture is still there, or it took too long."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    print(f"{pictures:,} pictures of {SIZE:,} bytes, load {os.getloadavg()[0]:.1f}", flush=True)
    with measure.scratch() as folder:
        workspace: Workspace = importing.workspace(folder / "w", 1000)
        write_policy(workspace.policy().model_copy(update={"pictures": Pictures(use="yes")}), workspace.policy_path)
        numbered = Numbered()
        shown = Shown(lambda: nullcontext(numbered), lambda _: nullcontext(numbered))
        report = import_items(workspace, "table", items(pictures), pictures=shown)
        assert report.pictures is not None
        print(f"imported {report.pictures.kept:,} in {report.seconds:.1f} s", flush=True)
        gone, stay = [marker(each) for each in theirs(pictures)], [marker(each + 1) for each in theirs(pictures)]
        assert holding(workspace.root, [*gone, *stay]) == {*gone, *stay}
        with workspace.register() as register:
            register.objections.lodge(["forum:objector"], channel="form")
        began, processors = time.perf_counter(), sum(os.times()[:4])
        honour(workspace)
        seconds, processors = time.perf_counter() - began, sum(os.times()[:4]) - processors
        left = holding(workspace.root, [*gone, *stay])
    print(f"{THEIRS} pictures gone in {seconds:.1f} s, {processors:.1f} s of processors (target {TARGET:.0f} s)")
    print(f"of theirs {len(left & {*gone}):,} still in a file, of others {len(left & {*stay}):,} of {len(stay)}")
    raise SystemExit(int(left != {*stay} or seconds > TARGET))


if __name__ == "__main__":
    main()
