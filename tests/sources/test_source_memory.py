"""Memory does not grow with the input: one large JSON file, read in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

MEGABYTES: Final = int(os.environ.get("DEMUR_BIG_MB", "200"))
"""Size of the file; ``DEMUR_BIG_MB=2048`` is the 2 GB file of the specification."""

_CODE: Final = """
import resource, sys
from demur.sources import load_source

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux

rows, before = 0, None
for batch in load_source(sys.argv[1]).read([sys.argv[2]], {}):
    before = before or peak()
    rows += batch.num_rows
print(rows, peak() - before)
"""


def _write(path: Path, head: bytes, record: dict[str, object], tail: bytes) -> int:
    """Write records until the file is large enough, and answer how many."""
    line = json.dumps(record).encode()
    block, blocks = 1000, (MEGABYTES << 20) // (len(line) + 1) // 1000 + 1
    with path.open("wb") as file:
        file.write(head + line)
        for _ in range(blocks):
            file.write((b"," + line) * block)
        file.write(tail)
    return blocks * block + 1


@pytest.mark.parametrize(
    ("source", "name", "root"),
    [("facebook", "posts/your_posts_1.json", None), ("instagram", "messages/inbox/b_1/message_1.json", "messages")],
)
def test_a_large_json_file_is_streamed(tmp_path: Path, source: str, name: str, root: str | None) -> None:
    post = {
        "timestamp": 1_500_000_000,
        "data": [{"post": "Sch\u00c3\u00b6n " + "lorem ipsum dolor sit amet " * 80}],
        "sender_name": "Ann Bee",
        "timestamp_ms": 1_500_000_000_000,
        "content": "x" * 500,
    }
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    head = b"[" if root is None else f'{{"participants": [], "{root}": ['.encode()
    written = _write(path, head, post, b"]" if root is None else b"]}")
    command = [sys.executable, "-c", _CODE, source, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, grown = map(int, done.stdout.split())
    path.unlink()
    assert rows == written
    assert grown < 100 * 1024, f"memory grew by {grown >> 10} MiB while {MEGABYTES} MB were read"
