"""The same channel as demur's adapter of IRC logs reads it: with the mentions that it marks, in its threads.

A thread is a day of the channel there. Lines that the adapter doesn't know stay a thread each.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from demur.sources import load_source
from people.cases import Person, Post
from people.realdata.irc import account, item_of
from people.realdata.scoring import DataSet

_ENDING: Final = ".txt"


class Read(NamedTuple):
    """What an import makes of a line."""

    text: str | None
    thread: str | None
    spans: tuple[tuple[int, int, str, str], ...]


_UNREAD: Final = Read(None, None, ())


def as_imported(data: DataSet, folder: Path) -> DataSet:
    """The data set with each post as an import reads it; the few lines of another text stay as they are."""
    read = dict(_items(folder))
    return replace(data, posts=[_as_read(post, read.get(post.item, _UNREAD)) for post in data.posts])


def of_some(data: DataSet, share: float, seed: int) -> DataSet:
    """The same where only a share of the people objected, drawn by a seed; their own posts are left out."""
    people = Random(seed).sample(list(data.objectors), max(1, round(share * len(data.objectors))))
    accounts = {person.account for person in people}
    posts = [post for post in data.posts if post.author not in accounts]
    return replace(data, objectors=people, members=_others(data, accounts), posts=posts)


def _others(data: DataSet, accounts: set[str]) -> list[Person]:
    return [person for person in data.objectors if person.account not in accounts]


def _items(folder: Path) -> Iterator[tuple[str, Read]]:
    """What was read, by the judge's number of a line."""
    for batch in load_source("irc").read([str(folder)], {}):
        for row in batch.select(["item", "text", "thread", "spans"]).to_pylist():
            log, _, line = row["item"].partition(":")[2].rpartition("/")
            spans = [(span["start"], span["end"], span["role"], span["account"]) for span in row["spans"] or ()]
            marked = tuple((start, end, role, account(who.partition(":")[2])) for start, end, role, who in spans)
            yield item_of(f"{log}{_ENDING}", int(line) - 1), Read(row["text"], row["thread"], marked)


def _as_read(post: Post, read: Read) -> Post:
    return replace(post, thread=read.thread or post.item, spans=read.spans if read.text == post.text else ())
