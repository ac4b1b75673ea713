"""Pictures per second of a processor, from a file to what rests of it, and the memory that bombs and the largest take.

Run ``python bench/pictures.py [PICTURES]``, by default 60, with the extra `pictures`. The photos are made up: 1,600 by
1,200 pixels, about 220 KB as JPEG, soft shapes with fine grain. Seconds are of processors (user and system), of the
reader's process and of this one, without the time it takes to begin: the median of three rounds. Beside them stands
what decoding alone takes, in the same minutes. Memory is the peak of a fresh process (VmHWM), before and after a file.
"""

import io
import re
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Final

from PIL import Image

from _pictures import BOMBS, HEAVY, photo, saved
from demur.pictures.child import Child
from demur.pictures.reading import Readers
from demur.pictures.refusals import Why

PICTURES: Final = 60
ROUNDS: Final = 3
KINDS: Final[dict[str, dict[str, object]]] = {
    "JPEG": {"quality": 85},
    "JPEG, progressive": {"quality": 85, "progressive": True},
    "WEBP": {"quality": 80},
}


def processor() -> float:
    """Seconds of processors of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def read_seconds(files: list[bytes]) -> float:
    """Of one process that reads the files, from its beginning to its end."""
    began = processor()
    with Readers(1) as readers:
        assert all(not hasattr(found, "why") for found in readers.read(files))
    return processor() - began


def decode_seconds(files: list[bytes]) -> float:
    """Of decoding alone, here."""
    began = time.process_time()
    for file in files:
        Image.open(io.BytesIO(file)).load()
    return time.process_time() - began


def speed(name: str, files: list[bytes]) -> str:
    """A line of figures on some files."""
    rounds = [(read_seconds(files[:1]), read_seconds(files), decode_seconds(files)) for _ in range(ROUNDS)]
    begun, whole, decoded = map(statistics.median, zip(*rounds, strict=True))
    seconds = (whole - begun) * len(files) / (len(files) - 1)
    size = statistics.mean(map(len, files)) / 1000
    return f"| {name} | {size:.0f} | {len(files) / seconds:.0f} | {len(files) / decoded:.0f} | {begun:.2f} |"


def memory(child: Child) -> float:
    """MB that a process had at most."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child._process.pid}/status").read_text())  # noqa: SLF001
    return int(found) / 1000


def taken(name: str, file: bytes) -> str:
    """A line on what one file takes of a fresh process."""
    child = Child()
    before, began = memory(child), time.perf_counter()
    found = child.read(file, 1024)
    seconds = time.perf_counter() - began
    after = f"{memory(child):.0f}" if child.is_fresh else "ended"
    child.end()
    said = found.value if isinstance(found, Why) else f"read, {found[1]} x {found[2]}"
    return f"| {name} | {len(file) / 1000:.0f} | {said} | {seconds:.1f} | {before:.0f} | {after} |"


def main() -> None:
    """Print the figures."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    print(f"load {Path('/proc/loadavg').read_text().split()[0]}")
    print("| photos | KB | pictures/s and core | decoded/s, alone | s to begin |")
    print("|---|---|---|---|---|")
    photos = [photo(seed) for seed in range(min(pictures, 12))]
    for name, how in KINDS.items():
        files = [saved(each, name.partition(",")[0], **how) for each in photos]
        print(speed(name, [files[at % len(files)] for at in range(pictures)]), flush=True)
    print("\n| file | KB | becomes | s | MB before | MB at most |")
    print("|---|---|---|---|---|---|")
    for name, make in (BOMBS | HEAVY).items():
        print(taken(name, make()), flush=True)
    print(f"load {Path('/proc/loadavg').read_text().split()[0]}")


if __name__ == "__main__":
    main()
