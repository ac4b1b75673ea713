"""Laws 1, 2 and 5 for pictures: whatever order events come in, those that rest are those that the rows show.

The community of test_order.py has files, too, that come and go, and a policy that lets pictures in, smaller ones, or
none. After every step the pictures must be those of each item's *last reading*: of the files that were there then, made
as small as the policy said then, as far as its row shows them under all that has been forbidden since.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from albums import USED, Held, at_rest, shown
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from making import open_policy
from neighbourhood import Community

from demur.corpus.picturing import Shown
from demur.corpus.session import reading
from demur.kernel.keying import stored_uri
from demur.policy import Pictures, Policy, write_policy
from demur.terms import EntryKind

URIS = ("0.jpg", "1.jpg")
"""What the readings of test_order.py name."""

sizes = st.sampled_from((b"80x60", b"300x900", None))
wanted = st.builds(
    lambda use, side: Pictures(use=use, longest_side=side),
    st.sampled_from(("yes", "yes", "no")),
    st.sampled_from((64, 500)),
)


@dataclass
class Album:
    """The pictures that an item's last reading brought and nothing has taken since, by what its row calls them."""

    pictures: dict[str, bytes] = field(default_factory=dict)


class Photographers(Community):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        self.model.policy = open_policy(**USED)
        write_policy(self.model.policy, self.workspace.policy_path)
        self.files: dict[str, bytes | None] = dict.fromkeys(URIS, b"80x60 first")
        self.albums: dict[str, Album] = {}
        self.number = 0

    @rule(uri=st.sampled_from(URIS), size=sizes)
    def file(self, uri: str, size: bytes | None) -> None:
        """A file is another one, or missing, from now on."""
        self.number += 1
        if size is None:
            self.files.pop(uri, None)
        else:
            self.files[uri] = size + b" number %d" % self.number

    @rule(pictures=wanted)
    def edit_pictures(self, pictures: Pictures) -> None:
        self.edit_policy_to(self.model.policy.model_copy(update={"pictures": pictures}))

    def edit_policy_to(self, policy: Policy) -> None:
        self.model.policy = policy
        write_policy(policy, self.workspace.policy_path)
        self._honour()

    def shown(self) -> Shown:
        return shown(Held(self.files))

    def _import(self, source: str, batches: list[pa.RecordBatch]) -> None:
        for part in batches:
            for row in part.to_pylist():
                self.albums[row["item"]] = Album(self._brought(row))
        super()._import(source, batches)
        with self.workspace.register() as register:
            said = dict(register.log.last(EntryKind.IMPORT_FINISHED) or {})
        counts = said.get("pictures")
        assert (counts is not None) == self.model.policy.pictures.come_in
        if isinstance(counts, dict):  # law 5
            left_out = counts["left_out"]
            assert isinstance(left_out, dict)
            named = sum(len({one["uri"] for one in row["media"] or []}) for part in batches for row in part.to_pylist())
            assert named == counts["named"] == counts["kept"] + sum(int(str(each)) for each in left_out.values())

    def _brought(self, row: dict[str, Any]) -> dict[str, bytes]:
        """What a reading brings, if its row shows it."""
        pictures = self.model.policy.pictures
        found: dict[str, bytes] = {}
        for one in row["media"] or [] if pictures.come_in else ():
            content = self.files.get(one["uri"])
            if content is not None:
                size, words = content.split(b" ", 1)
                width, height = map(int, size.split(b"x"))
                most = max(width, height, pictures.longest_side)
                if most > pictures.longest_side:
                    width, height = (side * pictures.longest_side // most for side in (width, height))
                found[str(stored_uri(one["uri"], self.pepper))] = b"%dx%d " % (width, height) + words
        return found

    def _forbid(self) -> None:
        super()._forbid()
        pictures = self.model.policy.pictures
        most = pictures.longest_side if pictures.come_in else 0
        for name, album in self.albums.items():
            since = self.since.get(name)
            stays = {one["uri"] for one in since.row["media"]} if since is not None and since.row is not None else set()
            album.pictures = {
                uri: made
                for uri, made in album.pictures.items()
                if uri in stays and max(map(int, made.split()[0].split(b"x"))) <= most
            }

    @invariant()
    def the_pictures_are_what_a_fresh_corpus_would_have(self) -> None:
        expected = {
            (self.pepper.item_key(name), uri): made
            for name, album in self.albums.items()
            for uri, made in album.pictures.items()
        }
        assert at_rest(self.workspace) == expected

    @invariant()
    def what_went_is_in_no_version(self) -> None:
        with reading(self.workspace, self.model.now) as session:
            if session.beside.pictures.there:
                versions = len(session.beside.pictures.dataset.versions())
                assert versions == 1, "an earlier version keeps what went"


SOAK = "DEMUR_EXAMPLES" in os.environ
Photographers.TestCase.settings = settings(  # an example of 14 steps takes 3 s and more
    stateful_step_count=14 if SOAK else 8, max_examples=settings().max_examples if SOAK else 3
)
TestPhotographers = pytest.mark.law(Photographers.TestCase)
