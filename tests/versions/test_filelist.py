"""The signed list of an export's files: its bytes, and what it says of types."""

from pathlib import Path

import orjson
import pyarrow as pa
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CorpusError
from demur.identity import Keys
from demur.suppression.signed import envelope
from demur.versions.export_form import EXPORTED
from demur.versions.filelist import ALLOWED, FileFacts, FileList, columns_of, spelt

GOLDEN = Path(__file__).with_name("golden-files.json")
LIST = FileList(
    "spring",
    "01" * 32,
    (FileFacts("README.md", 10, "02" * 32), FileFacts("data/train-00000-of-00001.parquet", 2000, "03" * 32)),
    columns_of(EXPORTED),
    ALLOWED,
)


def test_the_file_has_the_bytes_it_had_first(keys: Keys) -> None:
    assert LIST.sign(keys) == GOLDEN.read_bytes() == rfc8785.dumps(orjson.loads(GOLDEN.read_bytes()))
    assert FileList.parse(GOLDEN.read_bytes(), keys.signing.public_key(), where="it") == LIST


def test_unknown_fields_survive_a_round_trip(keys: Keys) -> None:
    facts = orjson.loads(GOLDEN.read_bytes())["signed"] | {"witness": {"name": "w"}}
    read = FileList.parse(envelope(facts, keys.signing), keys.signing.public_key(), where="it")
    assert orjson.loads(read.sign(keys))["signed"] == facts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "it has format 2, newer than this demur reads"),
        ({"files": [{}]}, "it is signed but lacks fields"),
        ({"columns": 1}, "it is signed but lacks fields"),
    ],
)
def test_a_list_that_can_not_be_read_is_told_in_one_sentence(keys: Keys, changes: dict[str, object], said: str) -> None:
    facts = orjson.loads(GOLDEN.read_bytes())["signed"] | changes
    with pytest.raises(CorpusError, match=said):
        FileList.parse(envelope(facts, keys.signing), keys.signing.public_key(), where="it")


def test_a_list_of_another_key_is_refused() -> None:
    with pytest.raises(CorpusError, match="signed with another key"):
        FileList.parse(GOLDEN.read_bytes(), Ed25519PrivateKey.generate().public_key(), where="it")


def test_a_type_is_spelt_without_the_names_of_elements() -> None:
    one = pa.list_(pa.field("item", pa.struct([pa.field("start", pa.int32())])))
    other = pa.list_(pa.field("element", pa.struct([pa.field("start", pa.int32())])))
    assert spelt(one) == spelt(other) == "list<struct<start: int32>>"
