"""German tweets with @handles, each handle's bearer an objector (GermEval 2018, CC BY 4.0).

Tweets have no author, and each is a thread of its own. A handle is ``@`` and word characters, as on that platform.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from people.cases import Person, Post, Truth
from people.realdata.scoring import DataSet

_HANDLE: Final = re.compile(r"@(\w+)")


def load(folder: Path) -> DataSet:
    """The tweets of the training file."""
    lines = (folder / "germeval2018.training.txt").read_text(encoding="utf-8").split("\n")
    posts = [_post(number, line.split("\t")[0]) for number, line in enumerate(lines) if line]
    return DataSet("germeval2018", list(_people(posts)), posts)


def _post(number: int, text: str) -> Post:
    truths = tuple(Truth(*match.span(), _account(match[1]), "handle") for match in _HANDLE.finditer(text))
    return Post(f"germeval:{number}", f"germeval:{number}", None, text, "de", truths=truths)


def _account(handle: str) -> str:
    return f"x:{handle.casefold()}"


def _people(posts: list[Post]) -> Iterator[Person]:
    handles: dict[str, str] = {}
    for post in posts:
        for truth in post.truths:
            handles.setdefault(truth.person, post.text[truth.start + 1 : truth.end])
    for account, handle in handles.items():
        yield Person(account, (), (handle,))
