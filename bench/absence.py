"""Proofs of absence at many people: what making one costs against the root alone, its size, and checking it.

Run ``python bench/absence.py [PEOPLE]``, by default 10,000,000 synthetic subject keys. The yardstick is the tree of a
manifest as demur made it before there were proofs (a right edge that grows leaf by leaf), over the same sorted digests,
in the same process and minutes. Times are of processors (user and system). Memory is the process's peak, of which the
keys themselves take 8 bytes each: a version's are read from its rows, in batches.
"""

import importlib
import resource
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

import _measure as measure
from demur.identity import SubjectKeys
from demur.transparency.tree import root_of
from demur.versions import subjects as tree
from demur.versions.placing import Subjects, big_endian
from demur.versions.sorting import Records, Sorter
from demur.versions.subjects import DIGEST_BYTES, SALT_BYTES, bits_for, digests_of, holds, prove

PEOPLE: Final = 10_000_000
PROOFS: Final = 500
ROUNDS: Final = 3
_BATCH: Final = 50_000
AIM: Final = 1_000
"""Bytes of a proof of absence at ten million people."""
ROOT: Final = Path(__file__).resolve().parents[1]


def main() -> None:
    """Prints the figures."""
    people = int(sys.argv[1]) if sys.argv[1:] else PEOPLE
    salt = secrets.token_bytes(SALT_BYTES)
    with measure.scratch() as folder:
        before = peak()
        bag = Subjects(folder)
        spent = cpu(lambda: fill(bag, people))
        print(f"{people:,} keys into the bag: {spent:.1f} s")
        asked = np.array([secrets.randbits(63) for _ in range(2)], np.int64)
        kept = []
        spent = cpu(lambda: kept.append(bag.tree(salt, asked)))
        print(f"sorted, hashed, tree and proofs of two: {spent:.1f} s, peak memory {peak() - before:.0f} MB more")
        compare(folder, bag, salt, people)
        made = kept[0]
        for proof in made.proofs:
            print(f"a proof: {len(proof.bucket) + sum(map(len, proof.path)):,} B")
        checking(made.root, made.bits, salt, bag, folder)


def fill(bag: Subjects, people: int) -> None:
    """Put keys into a bag."""
    for part in keys(people):
        bag.add(part)


def compare(folder: Path, bag: Subjects, salt: bytes, people: int) -> None:
    """Root and proofs against the root as it was made before, over the same digests on disk."""
    digests = Sorter(folder, "yardstick", DIGEST_BYTES)
    for part in bag.ascending():
        digests.add(digests_of(salt, part))
    bits = bits_for(people)
    asked = [secrets.token_bytes(DIGEST_BYTES) for _ in range(2)]
    olds, news = [], []
    for _ in range(ROUNDS):
        olds.append(cpu(lambda: edge_by_leaf(digests.sorted(), bits)))
        news.append(cpu(lambda: prove(digests.sorted(), bits, asked)))
    old, new = statistics.median(olds), statistics.median(news)
    print(f"the root alone, as before: {old:.1f} s; root and proofs: {new:.1f} s, {new / old:.2f} of it")


def edge_by_leaf(parts: Iterator[Records], bits: int) -> bytes:
    """The root as it was made before there were proofs."""
    tag, buckets = b"demur subjects of a bucket\n", tree._buckets  # noqa: SLF001  # the yardstick stays as it was
    return root_of(tag + bucket for bucket in buckets(parts, bits))


def checking(root: bytes, bits: int, salt: bytes, bag: Subjects, folder: Path) -> None:
    """Sizes and checks of many proofs, of keys that are there and of others."""
    digests = Sorter(folder, "checked", DIGEST_BYTES)
    for part in bag.ascending():
        digests.add(digests_of(salt, part))
    asked = digests_of(salt, big_endian(np.array([secrets.randbits(63) for _ in range(PROOFS)], np.int64)))
    wanted = [digest.tobytes() for digest in asked]
    _, proofs = prove(digests.sorted(), bits, wanted)
    sizes = [len(each.bucket) + sum(map(len, each.path)) for each in proofs]
    texts = [4 * -(-len(each.bucket) // 3) + 4 * -(-32 * bits // 3) for each in proofs]
    checks = [partial(holds, one, digest, bits=bits, root=root) for one, digest in zip(proofs, wanted, strict=True)]
    spent = [cpu(check) for check in checks]
    print(f"{PROOFS} proofs: {statistics.median(sizes):,.0f} B (median), at most {max(sizes):,} B (aim {AIM:,})")
    print(f"as base64 in the file: {statistics.median(texts):,.0f} B, at most {max(texts):,} B")
    print(f"checking one: {statistics.median(spent) * 1e6:.0f} us")
    sys.path.insert(0, str(ROOT / "clients" / "verify"))
    demur_verify = importlib.import_module("demur_verify")
    golden = ROOT / "tests" / "clients" / "golden_absence"
    raw, key = (golden / "proof.json").read_bytes(), demur_verify.Key.read((golden / "key.txt").read_text())
    spent = [cpu(partial(demur_verify.verify_absence, raw, key)) for _ in range(20)]
    print(f"demur_verify.py, two accounts and two versions: {statistics.median(spent) * 1e3:.0f} ms after start")


def keys(people: int) -> Iterator[SubjectKeys]:
    """Synthetic subject keys, as rows give them: in batches."""
    rng = np.random.default_rng(1)
    for begin in range(0, people, _BATCH):
        yield rng.integers(0, 2**63 - 1, min(_BATCH, people - begin), np.int64)


def cpu(work: Callable[[], object]) -> float:
    """Seconds of processors of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def peak() -> float:
    """The process's peak memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
