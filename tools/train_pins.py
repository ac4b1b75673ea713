"""The pins of the extra `train`, as `make pins` needs them: two files that are compiled as one.

torch comes in two builds. The one that package indexes hand out for Linux wants gigabytes of CUDA packages; the one for
the processor alone (`2.13.0+cpu`) wants none, and lies in a folder that PIP_FIND_LINKS names. Both are the release that
`torch==2.13.0` asks for, so requirements/train.txt holds the hashes of both and installs either, and the packages of
CUDA stand in requirements/cuda.txt, which tools/setup.sh installs only beside the build that wants them.

    tools/train_pins.py join WHOLE     the two files as one, for uv to start from
    tools/train_pins.py split WHOLE    what uv made of it, as the two files
"""

# ruff: noqa: INP001  # a script, no package

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "requirements"
TRAIN: Final = FOLDER / "train.txt"
CUDA: Final = FOLDER / "cuda.txt"
OF_CUDA: Final = re.compile(r"(?:cuda|nvidia)-|triton==")
NOTE: Final = "# torch: first the builds for the processor alone, then those of indexes; cuda.txt is for the latter.\n"
TORCH: Final = re.compile(r"torch==(\S+) \\\n")


def blocks(text: str) -> list[str]:
    """The comment at the head of a file of pins, then each pin with its hashes."""
    return re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)


def local_builds(version: str) -> list[str]:
    """The hashes of the builds for the processor alone, in the folders that PIP_FIND_LINKS names."""
    folders = [Path(each) for each in os.environ.get("PIP_FIND_LINKS", "").split()]
    wheels = sorted(wheel for folder in folders for wheel in folder.glob(f"torch-{version}+cpu-*.whl"))
    if not wheels:
        sys.exit(f"pins: put torch {version}+cpu into a folder and name that folder in PIP_FIND_LINKS.")
    return [hashlib.file_digest(wheel.open("rb"), "sha256").hexdigest() for wheel in wheels]


def with_local_builds(pin: str) -> str:
    """A pin; that of torch with the hashes of its local builds before those of the index."""
    found = TORCH.match(pin)
    hashes = local_builds(found[1]) if found else []
    lines = "".join(f"    --hash=sha256:{digest} \\\n" for digest in hashes)
    return TORCH.sub(lambda head: head[0] + lines, pin, count=1)


def split(text: str) -> None:
    """Writes both files from the one that uv compiled."""
    head, *pins = blocks(text)
    CUDA.write_text(head + "".join(pin for pin in pins if OF_CUDA.match(pin)))
    TRAIN.write_text(head + NOTE + "".join(with_local_builds(pin) for pin in pins if not OF_CUDA.match(pin)))


if __name__ == "__main__":
    do, whole = sys.argv[1], Path(sys.argv[2])
    if do == "join":
        whole.write_text("".join(file.read_text() for file in (TRAIN, CUDA) if file.exists()))
    else:
        split(whole.read_text())
        whole.unlink()
