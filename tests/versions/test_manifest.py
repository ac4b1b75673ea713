"""Manifests: canonical, signed, and read only under the key the reader chose."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.canonical import canonical_json
from demur.errors import CorpusError
from demur.identity import Keys
from demur.runs.facts import AsOf
from demur.versions.digests import Digests
from demur.versions.filelist import FileFacts
from demur.versions.manifest import LegalBasis, Manifest, parse, read, sign, software

GOLDEN = Path(__file__).with_name("golden-manifest.json")
MANIFEST = Manifest(
    name="spring",
    lance_version=12,
    content=Digests(
        rows=2,
        text_bytes=40,
        kinds={"post": 2},
        languages={"de": 1, "unknown": 1},
        regions={"DE": 2},
        rows_digest="01" * 32,
        sidecar_digest="02" * 32,
        subjects=3,
        subjects_root="03" * 32,
    ),
    left_out={"objected": 1},
    policy="04" * 32,
    suppression="05" * 32,
    checkpoint=AsOf(9, 7, "06" * 32),
    basis=LegalBasis("legitimate-interests", "Interessenabwägung", "2026-10-01", "Leitung Recht"),
    controller="Beispielforum",
    purpose="Training of generative AI models",
    effective=date(2026, 11, 1),
    time=datetime(2026, 11, 22, 5, tzinfo=UTC),
    software={"demur": "0.1.0"},
)

SECOND = Path(__file__).with_name("golden-manifest-2.json")
SALTED = replace(
    MANIFEST,
    content=replace(MANIFEST.content, subjects_bits=0, subjects_salt="07" * 32),
    files=(FileFacts("_versions/1.manifest", 900, "08" * 32), FileFacts("data/a.lance", 4000, "09" * 32)),
    instance="0f1e2d3c",
    incarnation=2,
)


def signed(facts: dict[str, Any], keys: Keys) -> bytes:
    signature = keys.signing.sign(canonical_json(facts)).hex()
    return canonical_json({"public_key": "", "signature": signature, "signed": facts})


def test_the_file_has_the_bytes_it_had_in_the_first_release(keys: Keys) -> None:
    assert sign(MANIFEST, keys) == GOLDEN.read_bytes()


def test_the_golden_file_is_read_as_it_was_written(keys: Keys) -> None:
    assert read(GOLDEN, keys.signing.public_key()) == MANIFEST


def test_the_file_of_the_second_format_has_the_bytes_it_had_first(keys: Keys) -> None:
    assert sign(SALTED, keys) == SECOND.read_bytes()
    assert read(SECOND, keys.signing.public_key()) == SALTED


def test_what_is_none_is_not_in_the_file(keys: Keys) -> None:
    facts = orjson.loads(sign(replace(SALTED, instance=None, incarnation=None), keys))["signed"]
    assert not {"instance", "incarnation"} & facts.keys()
    assert (MANIFEST.format, facts["format"]) == (1, 2)


def test_the_file_is_canonical_json() -> None:
    assert rfc8785.dumps(orjson.loads(GOLDEN.read_bytes())) == GOLDEN.read_bytes()


def test_unknown_fields_survive_a_round_trip_at_any_depth(keys: Keys) -> None:
    facts: dict[str, Any] = orjson.loads(GOLDEN.read_bytes())["signed"]
    facts |= {"witnesses": [{"name": "w"}], "content": facts["content"] | {"names": 4}}
    facts["basis"]["review"] = {"due": "2027-01-01"}
    data = signed(facts, keys)
    manifest = parse(data, keys.signing.public_key(), where="it")
    assert orjson.loads(sign(manifest, keys))["signed"] == facts
    assert replace(manifest, unknown={}) == MANIFEST


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"rows":2', b'"rows":3'), (b'"binding":7', b'"binding":8'), ("ä".encode(), b"a"), (b'"seq"', b'"sec"')],
)
def test_a_changed_fact_is_found(keys: Keys, old: bytes, new: bytes) -> None:
    data = GOLDEN.read_bytes().replace(old, new)
    assert data != GOLDEN.read_bytes()
    with pytest.raises(CorpusError, match=r"^it was changed after it was signed"):
        parse(data, keys.signing.public_key(), where="it")


def test_a_manifest_that_vouches_for_itself_is_refused(keys: Keys) -> None:
    forger = Keys(keys.pepper, keys.sealing, Ed25519PrivateKey.generate())
    with pytest.raises(CorpusError, match="signed with another key"):
        parse(sign(MANIFEST, forger), keys.signing.public_key(), where="it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"signed":1,"signature":"00"}',
        b'{"signed":{},"signature":"x"}',
        b'{"signed":{"format":1,"x":0.5},"signature":"00"}',
    ],
)
def test_what_is_no_manifest_is_told_in_one_sentence(keys: Keys, data: bytes) -> None:
    with pytest.raises(CorpusError, match=r"^it is no manifest: restore it"):
        parse(data, keys.signing.public_key(), where="it")


def test_a_manifest_from_a_newer_demur_is_told_in_one_sentence(keys: Keys) -> None:
    facts = orjson.loads(GOLDEN.read_bytes())["signed"] | {"format": 3}
    with pytest.raises(CorpusError, match=r"^it has format 3, newer than this demur reads: upgrade demur"):
        parse(signed(facts, keys), keys.signing.public_key(), where="it")


@pytest.mark.parametrize("field", ["checkpoint", "time", "name", "content"])
def test_a_signed_manifest_that_lacks_a_field_is_told_in_one_sentence(keys: Keys, field: str) -> None:
    facts = orjson.loads(GOLDEN.read_bytes())["signed"]
    del facts[field]
    with pytest.raises(CorpusError, match=r"^it is signed but lacks fields"):
        parse(signed(facts, keys), keys.signing.public_key(), where="it")


def test_an_absent_manifest_is_told_in_one_sentence(keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"absent\.json can't be read \(No such file"):
        read(tmp_path / "absent.json", keys.signing.public_key())


def test_software_names_what_makes_a_version() -> None:
    assert {"demur", "python", "pylance", "pyarrow"} <= software().keys()
    assert software()["pylance"].startswith("14.")
