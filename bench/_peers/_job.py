"""What every peer is asked for: rows of some authors out; addresses, phone numbers and their handles masked.

Each script beside this one does that with one tool, as its documentation has it, and is run by an interpreter that has
the tool: ``python SCRIPT JOB.json``. It imports nothing of demur. The expressions are the plain ones that people write;
tools that bring their own for addresses or numbers use theirs.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

MAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
PHONE = r"\+[0-9][0-9 ()-]{6,}[0-9]"
MASKED_MAIL, MASKED_PHONE, MASKED_PERSON = "[email]", "[phone]", "[person]"


class Job:
    """One job, as a file says it."""

    def __init__(self, path: str) -> None:
        said = json.loads(Path(path).read_text())
        self.parts: list[str] = said["parts"]
        """The source, as Parquet files of one shape."""
        self.folder = str(Path(self.parts[0]).parent)
        self.authors: list[str] = said["authors"]
        """Accounts like `forum:ann` whose rows go, and whose handles, like `@ann`, are masked in others' texts."""
        self.to: str = said["to"]
        """A folder for what is kept, as Parquet."""
        self.workers: int = said["workers"]

    @property
    def handles(self) -> str:
        """An expression of the handles; all engines know its syntax."""
        names = "|".join(re.escape(each.partition(":")[2]) for each in self.authors)
        return rf"@(?:{names})\b"


def run(work: Callable[[Job], None], *packages: str) -> None:
    """Do the job that the command line names, and print versions, and how long it took once all was imported."""
    job = Job(sys.argv[1])
    began = time.perf_counter()
    work(job)
    took = time.perf_counter() - began
    print(json.dumps({"seconds": took, "versions": {name: version(name) for name in packages}}))
