"""Texts become token ids: by a tokenizer that was fitted on declared data, or that came with a checkpoint.

Invariants: no word of a row ever becomes an entry of the vocabulary, because a row is personal; what a member types is
text, also where it looks like one of the tokenizer's own marks; ids depend on the text and the tokenizer's file alone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import copyfile
from typing import Any, Final, Self

from demur.errors import UsageError
from demur.extras import need
from demur.files import make_folder, replacing, write_durably
from demur.runs.render import MASK
from demur.training.environment import NEEDS

BEGIN: Final = "<s>"
END: Final = "</s>"
_FILE: Final = "tokenizer.json"
_BESIDE: Final = ("tokenizer_config.json", "special_tokens_map.json")
_SETTINGS: Final = "tokenizer_config.json"


@dataclass(frozen=True, eq=False)
class Tokenizer:
    """A tokenizer, and how rows are cut by it."""

    inner: Any
    """A tokenizers.Tokenizer."""
    begin: int | None
    """What every row begins with; None for nothing."""
    end: int | None
    """What every row ends with, unless it is cut; None for nothing."""
    context: int
    """Ids of a row at most."""

    @property
    def size(self) -> int:
        """How many ids there are."""
        return int(self.inner.get_vocab_size(with_added_tokens=True))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, cut to the context; a row without a word has none."""
        first = [] if self.begin is None else [self.begin]
        last = [] if self.end is None else [self.end]
        found = (each.ids for each in self.inner.encode_batch_fast(list(texts), add_special_tokens=False))
        return [[*first, *ids, *last][: self.context] if ids else [] for ids in found]

    @classmethod
    def open(cls, folder: Path, context: int) -> Self:
        """The tokenizer of a run, or of a local checkpoint.

        Raises:
            UsageError: when there is none, or it can't be read.
        """
        need("Training", "train", *NEEDS)
        path = folder / _FILE
        try:
            inner = import_module("tokenizers").Tokenizer.from_file(str(path))
            said = json.loads((folder / _SETTINGS).read_bytes()) if (folder / _SETTINGS).exists() else {}
        except Exception as error:  # noqa: BLE001  # the library raises no narrower one
            hint = "missing" if not path.exists() else f"unreadable ({type(error).__name__})"
            raise UsageError(f"The tokenizer {path} is {hint}: give a folder that holds {_FILE}.") from None
        inner.encode_special_tokens = True  # what a member types is text
        inner.no_padding()
        inner.no_truncation()
        begin, end = (_id(inner, said.get(name)) for name in ("bos_token", "eos_token"))
        return cls(inner, end if begin is None else begin, end, context)


def fit(texts: Iterable[str], vocabulary: int, folder: Path) -> None:
    """Fit a byte-level BPE tokenizer on declared texts, and keep it.

    Args:
        texts: of declared data.
        vocabulary: entries at most.
        folder: where it is kept; made where there is none.
    """
    need("Training", "train", *NEEDS)
    library = import_module("tokenizers")
    inner = library.Tokenizer(library.models.BPE())
    inner.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary - 1,
        special_tokens=[BEGIN, END],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    inner.add_tokens([library.AddedToken(MASK, special=False, normalized=False)])  # found in text, unlike those above
    make_folder(folder)
    with replacing(folder / _FILE) as file:
        inner.save(str(file))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BEGIN, "eos_token": END, "pad_token": END}
    write_durably(folder / _SETTINGS, json.dumps(said, sort_keys=True).encode())


def keep(source: Path, folder: Path) -> None:
    """Copy the tokenizer of a checkpoint or of another run."""
    make_folder(folder)
    for name in (_FILE, *_BESIDE):
        if (source / name).exists():
            with replacing(folder / name) as file:
                copyfile(source / name, file)


def _id(inner: Any, said: Any) -> int | None:  # noqa: ANN401  # a tokenizer; a token as text, or with its settings
    token = said.get("content") if isinstance(said, dict) else said
    found = inner.token_to_id(token) if isinstance(token, str) else None
    return None if found is None else int(found)
