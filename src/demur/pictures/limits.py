"""How much one picture may take: every bound of the reader, in one place, with its reason.

Invariants: each bound is many times what a photo of today needs; what exceeds one costs that picture and no other.
docs/pictures.md shows them to the reader; a test holds the two together.
"""

from typing import Final

MIB: Final = 2**20

MAX_BYTES: Final = 64 * MIB
"""Bytes of one file. A phone's photo of 50 MP has about 15 MB."""

MAX_PIXELS: Final = 50_000_000
"""Width times height, as the file says it, before anything is decoded: 200 MB as four bytes each."""

MAX_METADATA: Final = 16 * MIB
"""Bytes of all metadata of one file that is looked at, unpacked. A depth map in XMP has about 1 MB."""

MAX_MEMORY: Final = 1536 * MIB
"""Bytes of address space of a reader's process (RLIMIT_AS). The largest picture allowed, of the format that takes
most, fits; bench/pictures.py prints the peaks."""

MAX_CPU: Final = 20
"""Seconds of CPU for one picture (RLIMIT_CPU). The largest allowed take about 3."""

MAX_WALL: Final = 90.0
"""Seconds that the other process waits for a picture before it ends its reader: for one that hangs without computing,
and several times MAX_CPU, so that a busy machine loses no picture."""

MAX_START: Final = 120.0
"""Seconds for a reader's process to begin, on a machine that is busy."""

PICTURES_A_PROCESS: Final = 1000
"""Pictures that one process reads before a new one takes over: what a picture did to it lasts no longer."""

MAX_REST: Final = 16 * MIB
"""Bytes of a picture at rest. 4,096 by 4,096 pixels of noise have 11 MB."""

LONGEST_SIDES: Final = range(16, 4097)
"""Pixels that the longest side of a picture at rest may be asked to have at most."""

THUMBNAIL: Final = 256
"""Pixels of the longest side of a thumbnail, which copies are looked for by."""
