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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
"""Screenshots of posts of text alone that come in, at most; and a fifth as many that are withheld."""


class Came(NamedTuple):
    """A picture that came in."""

    photo: int
    edit: str
    look: Look


class Half(NamedTuple):
    """What was found of the copies of one half of the photos."""

    by_edit: dict[str, Counter[str]]
    """Copies found for certain, as a doubt, missed by cause, and all."""
    wrong: tuple[str, str]
    """Lines on its photos, and on these after edits, among the other half's."""
    spent: dict[str, float]
    """Milliseconds of a processor."""
    size: float
    """Bytes of a print."""


def seen(picture: Picture) -> Seen:
    """A picture as the reader hands it out."""
    grey = picture.convert("L")
    found = features(np.asarray(_shrunk(grey, LONGEST)))
    return Seen(np.asarray(_shrunk(grey, THUMBNAIL)), found.positions, found.descriptors)


def printed(picture: Picture) -> Print:
    """What is kept of a picture."""
    return print_of(seen(picture), seen(ImageOps.mirror(picture)), KEYS)


def half(name: str, those: Sequence[Photo], others: Sequence[Photo]) -> Half:
    """The photos of one half go through each edit, and are looked for in both halves."""
    spent: Spent = defaultdict(float)
    began = time.process_time()
    prints = [printed(photo.image) for photo in those]
    spent["a print"] = (time.process_time() - began) * 1000 / len(those)
    came: list[Came] = []
    for number, photo in enumerate(those):
        beside = [each.image for each in those if each is not photo]
        for edit, made in EDITS.items():
            picture = jpeg(made(photo.image, random.Random(f"{photo.name} {edit}"), beside))
            began = time.process_time()
            came.append(Came(number, edit, look(seen(picture), KEYS)))
            spent["a look"] += (time.process_time() - began) * 1000 / len(those) / len(EDITS)
    began = time.process_time()
    by_edit = found_of(came, prints)
    spent["to find it"] = (time.process_time() - began) * 1000 / len(came)
    known = [printed(photo.image) for photo in others]
    plain = [look(seen(jpeg(photo.image)), KEYS) for photo in those]
    wrong = (
        rate(f"photos, {name} among the others", plain, known),
        rate(f"edited photos, {name} among the others", [each.look for each in came], known),
    )
    return Half(by_edit, wrong, dict(spent), float(np.mean([len(each.pack()) for each in prints])))


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


def found_of(came: list[Came], prints: list[Print]) -> dict[str, Counter[str]]:
    """By edit: copies found for certain, as a doubt, missed by cause, and all."""
    matches = index(prints).found([each.look for each in came], KEYS)
    told = {(int(each.picture), int(each.print)): bool(each.certain) for each in map(Row, *matches)}
    by_edit: dict[str, Counter[str]] = {edit: Counter() for edit in EDITS}
    for number, each in enumerate(came):
        said = told.get((number, each.photo))
        counts = by_edit[each.edit]
        counts["all"] += 1
        if said is None:
            counts[cause(each.look, prints[each.photo])] += 1
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


def rate(name: str, looks: list[Look], prints: list[Print]) -> str:
    """A line on pictures that are no copies."""
    certain, doubt = wrongly(looks, prints)
    size = len(looks)
    return f"| {name} | {size} | {len(prints)} | {certain} ({certain / size:.2%}) | {doubt} ({doubt / size:.2%}) |"


def screenshots(some: list[Picture], others: list[Picture], count: int) -> list[str]:
    """Lines on screenshots of other posts."""
    chance = random.Random("posts")

    def posted(picture: Picture | None) -> Picture:
        return jpeg(post(chance, picture, tall=chance.random() < 0.5, words=chance.randint(15, 40)))

    withheld = [printed(posted(None)) for _ in range(count // 5)]
    shown = [printed(posted(each)) for each in some]
    plain = [printed(each) for each in some]
    of_text = [look(seen(posted(None)), KEYS) for _ in range(count)]
    of_photos = [look(seen(posted(each)), KEYS) for each in others]
    return [
        rate("posts of text, among other posts of text", of_text, withheld),
        rate("posts of text, among posts that show a photo", of_text, shown),
        rate("posts of text, among photos", of_text, plain),
        rate("posts that show a photo, among posts that show another", of_photos, shown),
        rate("posts that show a photo, among posts of text", of_photos, withheld),
        f"\nOf {len(withheld)} prints of posts of text {sum(each.empty for each in withheld)} are empty.",
    ]


def main() -> None:
    """Print the figures."""
    chosen = photos()
    if len(sys.argv) > 1:
        chosen = random.Random("sample").sample(chosen, int(sys.argv[1]))
    tuned, fresh = ([each for each in chosen if each.tuned_on is which] for which in (True, False))
    print(f"{len(chosen)} photos, {len(tuned)} of them tuned on; load {load()}", flush=True)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(half, "tuned on", tuned, fresh), pool.submit(half, "held out", fresh, tuned)]
        some, others = ([each.image for each in those] for those in (tuned, fresh))
        of_posts = pool.submit(screenshots, some, others, min(POSTS, 4 * len(chosen)))
        one, other = (each.result() for each in asked)
        lines = [*one.wrong, *other.wrong, *of_posts.result()]
    print("\n| edit | found | of them a doubt | tuned on | held out |\n|---|---|---|---|---|")
    causes: dict[str, Counter[str]] = {}
    for edit in EDITS:
        both = one.by_edit[edit] + other.by_edit[edit]
        share, *shares = (
            (each["certain"] + each["doubt"]) / each["all"] for each in (both, one.by_edit[edit], other.by_edit[edit])
        )
        print(f"| {edit} | {share:.3f} | {both['doubt'] / both['all']:.3f} | {shares[0]:.3f} | {shares[1]:.3f} |")
        causes[edit] = Counter({what: count for what, count in both.items() if what not in {"all", "certain", "doubt"}})
    print("\n| edit | missed | why |\n|---|---|---|")
    for edit, why in causes.items():
        print(f"| {edit} | {why.total()} | {'; '.join(f'{count}: {what}' for what, count in why.most_common())} |")
    print("\n| no copies | pictures | prints | taken for a copy | doubt |\n|---|---|---|---|---|")
    print("\n".join(lines))
    for name, each in (("tuned on", one), ("held out", other)):
        spent = ", ".join(f"{what} {milliseconds:.0f}" for what, milliseconds in each.spent.items())
        print(f"\n{name}: milliseconds of a processor: {spent}; a print has {each.size:.0f} bytes")
    print(f"load {load()}")


def load() -> str:
    """Of this machine, in the last minute."""
    return Path("/proc/loadavg").read_text().split()[0]


if __name__ == "__main__":
    main()
