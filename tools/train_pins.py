"""The pins of the extra `train`, as `make pins` needs them: three files that are compiled as one.

torch comes in two builds of one release. The one that package indexes hand out for Linux wants gigabytes of CUDA
packages; the one for the processor alone (`2.13.0+cpu`) wants none, and lies in a folder that PIP_FIND_LINKS names.
requirements/torch-cpu.txt pins the latter, which tools/setup.sh tries first, without any index; where that finds
nothing, it takes requirements/torch.txt from an index, and on Linux requirements/cuda.txt with it. (One file with the
hashes of both does not do: pip prefers the build whose hash an index tells, and uv knows no hash of `2.13.0+cpu` under
`2.13.0`.) All else that training needs is in requirements/train.txt.

    tools/train_pins.py join WHOLE     the files as one, for uv to start from
    tools/train_pins.py split WHOLE    what uv made of it, as the files
"""

# ruff: noqa: INP001  # a script, no package

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "requirements"
FILES: Final = {name: FOLDER / f"{name}.txt" for name in ("torch", "train", "cuda")}
LOCAL: Final = FOLDER / "torch-cpu.txt"
OF_CUDA: Final = re.compile(r"(?:cuda|nvidia)-|triton==")
TORCH: Final = re.compile(r"torch==(\S+) ")


def blocks(text: str) -> list[str]:
    """The comment at the head of a file of pins, then each pin with its hashes."""
    return re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)


def file_of(pin: str) -> str:
    """The name of the file in which a pin stands."""
    return "torch" if TORCH.match(pin) else "cuda" if OF_CUDA.match(pin) else "train"


def local_builds(version: str) -> str:
    """The pin of the builds for the processor alone that lie in the folders that PIP_FIND_LINKS names."""
    folders = [Path(each) for each in os.environ.get("PIP_FIND_LINKS", "").split()]
    wheels = sorted(wheel for folder in folders for wheel in folder.glob(f"torch-{version}+cpu-*.whl"))
    if not wheels:
        sys.exit(f"pins: put torch {version}+cpu into a folder and name that folder in PIP_FIND_LINKS.")
    digests = [hashlib.file_digest(wheel.open("rb"), "sha256").hexdigest() for wheel in wheels]
    return f"torch=={version}+cpu" + "".join(f" \\\n    --hash=sha256:{digest}" for digest in digests) + "\n"


def split(text: str) -> None:
    """Writes the files from the one that uv compiled."""
    head, *pins = blocks(text)
    for name, file in FILES.items():
        file.write_text(head + "".join(pin for pin in pins if file_of(pin) == name))
    (release,) = (found[1] for pin in pins if (found := TORCH.match(pin)))
    LOCAL.write_text(head + local_builds(release))


if __name__ == "__main__":
    do, whole = sys.argv[1], Path(sys.argv[2])
    if do == "join":
        whole.write_text("".join(file.read_text() for file in FILES.values() if file.exists()))
    else:
        split(whole.read_text())
        whole.unlink()
