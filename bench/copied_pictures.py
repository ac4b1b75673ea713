"""How many copies of pictures are found, by what was done to them; and how many others are taken for copies.

Run ``python bench/copied_pictures.py [PHOTOS]`` with the extra `pictures`; by default all photos that bench/_photos.py
finds, which fetches Debian packages once. Each photo goes through eighteen edits and is saved as JPEG; what comes in is
read from that file, shrunk as the reader shrinks it.

The photos are in two halves. Thresholds were chosen while looking at one of them only; both are printed. A half's
copies are looked for in an index of the same half, and the other half's index says who is taken for a copy wrongly:
a picture counts there when it matches any of the other half's prints. Collages and posts take their other pictures
from their own half. Posts of text alone are looked for among prints of other posts.
"""

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import ImageOps

from _photos import Photo, photos
from _picture_edits import EDITS, Picture, jpeg, post
from demur.looks.copied import ALONE, ELSEWHERE, POINTING, THERE, Copied
from demur.looks.looking import Look, PictureKeys, Print, Seen, look, print_of
from demur.looks.pdq import QUALITY
from demur.looks.pointing import pointed
from demur.pictures.anew import _shrunk
from demur.pictures.features import LONGEST, features
from demur.pictures.limits import THUMBNAIL

Spent = defaultdict[str, float]
"""Seconds of a processor by what they were spent on."""

KEYS: Final = PictureKeys(bytes(range(32)))
POSTS: Final = 1000
"""Screenshots of posts of text alone that come in; and a fifth as many that are withheld."""


class Came(NamedTuple):
    """A picture that came in."""

    photo: int
    edit: str
    look: Look


class Half(NamedTuple):
    """Half of the photos."""

    name: str
    prints: list[Print]
    came: list[Came]
    unedited: list[Look]


def seen(picture: Picture) -> Seen:
    """A picture as the reader hands it out."""
    grey = picture.convert("L")
    found = features(np.asarray(_shrunk(grey, LONGEST)))
    return Seen(np.asarray(_shrunk(grey, THUMBNAIL)), found.positions, found.descriptors)


def printed(picture: Picture) -> Print:
    """What is kept of a picture."""
    return print_of(seen(picture), seen(ImageOps.mirror(picture)), KEYS)


def half(name: str, those: Sequence[Photo], spent: Spent) -> Half:
    """The prints of some photos, and these after each edit."""
    held = Half(name, [], [], [])
    for number, photo in enumerate(those):
        began = time.process_time()
        held.prints.append(printed(photo.image))
        spent["print"] += time.process_time() - began
        held.unedited.append(look(seen(jpeg(photo.image)), KEYS))
        others = [each.image for each in those if each is not photo]
        for edit, made in EDITS.items():
            picture = jpeg(made(photo.image, random.Random(f"{photo.name} {edit}"), others))
            began = time.process_time()
            held.came.append(Came(number, edit, look(seen(picture), KEYS)))
            spent["look"] += time.process_time() - began
    return held


def index(prints: list[Print]) -> Copied:
    """The index of prints, each of a person of its own."""
    return Copied.build(prints, np.arange(len(prints)))


def cause(came: Look, known: Print) -> str:
    """Why a copy was missed."""
    if known.empty:
        return "nothing was kept: even, or mostly text"
    both = [pointed(came, known, KEYS.of_hashes, mirrored=hand) for hand in (False, True)]
    said = max(both, key=lambda each: each.agreeing)
    if said.agreeing < POINTING:
        return f"fewer than {POINTING} features agree" + (
            "" if known.decides[0] else f", and quality is below {QUALITY}"
        )
    if said.apart >= ELSEWHERE:
        return f"what lies there differs in {ELSEWHERE} bits or more"
    if said.apart > THERE:
        return f"fewer than {ALONE} features agree, and the hash is in between"
    return "features agree, but no vote reached them"


def found_of(held: Half, spent: Spent) -> dict[str, Counter[str]]:
    """By edit: copies found for certain, as a doubt, missed by cause, and all."""
    where = index(held.prints)
    began = time.process_time()
    matches = where.found([each.look for each in held.came], KEYS)
    spent["find"] += time.process_time() - began
    told = {(int(each.picture), int(each.print)): bool(each.certain) for each in map(Row, *matches)}
    by_edit: dict[str, Counter[str]] = defaultdict(Counter)
    for number, each in enumerate(held.came):
        said = told.get((number, each.photo))
        counts = by_edit[each.edit]
        counts["all"] += 1
        if said is None:
            counts[cause(each.look, held.prints[each.photo])] += 1
        else:
            counts["certain" if said else "doubt"] += 1
    return by_edit


class Row(NamedTuple):
    """One match."""

    picture: np.int64
    print: np.int64
    subject: np.int64
    certain: np.bool_
    score: np.float64


def wrongly(looks: list[Look], prints: list[Print]) -> tuple[int, int]:
    """How many pictures are taken for a copy for certain, and how many others as a doubt."""
    matches = index(prints).found(looks, KEYS)
    certain = set(matches.picture[matches.certain].tolist())
    return len(certain), len(set(matches.picture.tolist()) - certain)


def rate(name: str, looks: list[Look], prints: list[Print]) -> None:
    """A line on pictures that are no copies."""
    certain, doubt = wrongly(looks, prints)
    size = len(looks)
    print(
        f"| {name} | {size} | {len(prints)} | {certain} ({certain / size:.2%}) | {doubt} ({doubt / size:.2%}) |",
        flush=True,
    )


def screenshots(held: tuple[Half, Half], images: tuple[list[Picture], list[Picture]]) -> None:
    """Lines on screenshots of other posts."""
    chance = random.Random("posts")
    count = POSTS if len(images[0]) > 60 else POSTS // 10
    withheld = [printed(jpeg(post(chance, None, tall=chance.random() < 0.5))) for _ in range(count // 5)]
    with_photo = [printed(jpeg(post(chance, each, tall=chance.random() < 0.5))) for each in images[0]]
    came = [look(seen(jpeg(post(chance, None, tall=chance.random() < 0.5))), KEYS) for _ in range(count)]
    rate("posts of text, among posts of text", came, withheld)
    rate("posts of text, among posts with a photo", came, with_photo)
    rate("posts of text, among photos", came, held[0].prints + held[1].prints)
    photographed = [each.look for each in held[1].came if each.edit == "in a post's screenshot"]
    rate("posts with a photo, among posts with other photos", photographed, with_photo)
    rate("posts with a photo, among posts of text", photographed, withheld)
    print(f"\n{sum(each.empty for each in withheld)} of {len(withheld)} prints of posts of text are empty")


def main() -> None:
    """Print the figures."""
    chosen = photos()
    if len(sys.argv) > 1:
        chosen = random.Random("sample").sample(chosen, int(sys.argv[1]))
    parts = [each for each in chosen if each.tuned_on], [each for each in chosen if not each.tuned_on]
    spent: Spent = defaultdict(float)
    tuned, fresh = (half(name, those, spent) for name, those in zip(("tuned on", "held out"), parts, strict=True))
    print(
        f"{len(chosen)} photos, {len(parts[0])} of them tuned on; load {Path('/proc/loadavg').read_text().split()[0]}"
    )
    one, other = found_of(tuned, spent), found_of(fresh, spent)
    print("\n| edit | found | of them a doubt | tuned on | held out |\n|---|---|---|---|---|")
    causes: dict[str, Counter[str]] = {}
    for edit in EDITS:
        both = one[edit] + other[edit]
        share, *shares = ((each["certain"] + each["doubt"]) / each["all"] for each in (both, one[edit], other[edit]))
        print(f"| {edit} | {share:.3f} | {both['doubt'] / both['all']:.3f} | {shares[0]:.3f} | {shares[1]:.3f} |")
        causes[edit] = Counter({what: count for what, count in both.items() if what not in {"all", "certain", "doubt"}})
    print("\n| edit | missed | why |\n|---|---|---|")
    for edit, why in causes.items():
        print(f"| {edit} | {why.total()} | {'; '.join(f'{count}: {what}' for what, count in why.most_common())} |")
    print("\n| no copies | pictures | prints | taken for a copy | doubt |\n|---|---|---|---|---|")
    for name, looks in (
        ("photos", lambda held: held.unedited),
        ("edited photos", lambda held: [x.look for x in held.came]),
    ):
        rate(f"{name}, held out among tuned on", looks(fresh), tuned.prints)
        rate(f"{name}, tuned on among held out", looks(tuned), fresh.prints)
    screenshots((tuned, fresh), ([each.image for each in parts[0]], [each.image for each in parts[1]]))
    made = len(tuned.came) + len(fresh.came)
    size = np.mean([len(each.pack()) for each in tuned.prints + fresh.prints])
    print(
        f"\nms of a processor: a print {spent['print'] / len(chosen) * 1000:.0f}, of {size:.0f} bytes; a look "
        f"{spent['look'] / made * 1000:.0f}; to find it {spent['find'] / made * 1000:.1f}"
    )
    print(f"load {Path('/proc/loadavg').read_text().split()[0]}")


if __name__ == "__main__":
    main()
