"""A reader's process: decodes one picture after the other, and can do hardly anything else.

Invariants: limits stand before the first byte of a picture is read: memory, CPU for each picture, no file and no
socket can be opened (RLIMIT_NOFILE is 0), nothing written, no core left, no privilege gained; what happens to the
process ends with it; it has no secret of the process that started it: neither its memory nor its environment.

Imports nothing that loads Arrow: a process is to start in a fifth of a second.
"""

import base64
import ctypes
import io
import math
import os
import resource
import signal
import sys
import warnings
from typing import Final

from PIL import Image

from demur.pictures import wire
from demur.pictures.anew import opened, written_anew
from demur.pictures.kinds import kind_of
from demur.pictures.limits import MAX_CPU, MAX_MEMORY
from demur.pictures.refusals import Refused, Why
from demur.pictures.rights import packet_reserves, reserved

_DUMPABLE: Final = 4
_NO_NEW_PRIVILEGES: Final = 38
"""Parameters of prctl(2), as <linux/prctl.h> numbers them."""

_TINY_HEIC: Final = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAAB0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xy"
    "bmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAACVt"
    "ZGF0AAAAGSgBrxOA5qhw0//+JpR//Trnh+nl0tJ5v3w="
)
"""64 by 64 red pixels: encoding one takes longer than all else that a process does to begin."""


def work() -> None:
    """Read pictures until there are no more; the first and only thing that a reader's process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    warnings.simplefilter("ignore")  # to say one, Python opens a file
    _confine()
    came, gone = sys.stdin.buffer, sys.stdout.buffer
    _warm_up()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    gone.write(wire.READY)
    gone.flush()
    while (one := wire.asked(came)) is not None:
        _allow_time()
        wire.answer(gone, _found(*one))


def _found(data: bytes, longest_side: int) -> wire.Fields | Why:
    try:
        return read_one(data, longest_side)
    except Refused as refused:
        return refused.why
    except MemoryError:
        os._exit(wire.OUT_OF_MEMORY)  # what is left of its memory is in pieces
    except Exception as error:  # noqa: BLE001  # a decoder may say anything of a damaged file
        return Why.MEMORY if "memory" in str(error) else Why.BROKEN


def read_one(data: bytes, longest_side: int) -> wire.Fields:
    """One file as it rests.

    Raises:
        Refused: it may not be used, or can't be read.
        Exception: whatever a decoder says of a damaged file.
    """
    kind = kind_of(data)
    why = reserved(data, kind)  # before anything is decoded: what is reserved is not looked at
    if why is None:
        image = opened(data, kind)
        packet = image.info.get("xmp")
        why = packet_reserves(packet) if isinstance(packet, bytes) else None
    if why is not None:
        raise Refused(why)
    anew = written_anew(image, longest_side)
    return anew.data, anew.width, anew.height, anew.thumbnail, anew.thumbnail_width, anew.thumbnail_height


def _confine() -> None:
    memory = _at_most(resource.RLIMIT_AS, MAX_MEMORY)
    for bound, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_AS, memory)):
        resource.setrlimit(bound, (most, most))
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:  # Linux
        control(_DUMPABLE, 0, 0, 0, 0)
        control(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _allow_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + MAX_CPU
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(resource.RLIMIT_CPU, until), hard))


def _at_most(bound: int, most: int) -> int:
    """As much, or what the system lets this process have, where that is less."""
    hard = resource.getrlimit(bound)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def _warm_up() -> None:
    """Have every decoder, and the encoder, load what it loads when it is first used: later no file can be opened."""
    tiny = Image.new("RGB", (16, 16), "red")
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        file = io.BytesIO()
        tiny.save(file, name)
        read_one(file.getvalue(), 1024)
    read_one(_TINY_HEIC, 1024)
    packet_reserves(b"<a reservation=''/>")
