"""Asking what answers whether it says what somebody says it said: how likely that is, and whether it comes again.

Invariants: what is asked is what serves, and no text is looked at that might not leave (serving.py); draws have seeds,
so that the same model and claim give the same answer in the same environment; what is handed on are numbers, no word of
a text. A likelihood is told against the base, and against rows that the run was not trained on; alone it says little.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Final

import pyarrow.parquet as pq

from demur.claims.testing import Ask, Asked
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register import JSON
from demur.register.claims import Said
from demur.runs.render import render
from demur.training.generating import Sampling
from demur.training.rows import COLUMNS
from demur.training.serving import Loaded, Model, load, serving
from demur.training.tokenizer import Tokenizer
from demur.workspace import Workspace

DRAWS: Final = 20
"""Texts that are sampled for each prompt, if nobody says otherwise."""
_RUN: Final = 12
"""Words in a row from which a text is the same: the shortest run that counts as a copy (suppression/passages.py)."""
_LEAST: Final = 4
"""Words that a shorter text has at least: fewer come again by chance."""
_TOKENS: Final = 128
"""Of a text that is drawn, at most."""
_OTHERS: Final = 64
"""Rows that the likelihood is compared with."""
_ENOUGH: Final = 20
"""Fewer tell nothing."""
_LOOKED_AT: Final = 20_000
"""Rows among which these are looked for."""


@contextmanager
def asking(workspace: Workspace, draws: int = DRAWS) -> Iterator[Ask]:
    """What asks the runs of a workspace, each opened when it is asked first, for as long as the block runs.

    Args:
        workspace: theirs.
        draws: texts that are sampled for each prompt, besides the likeliest one.
    """
    with ExitStack() as stack:
        opened: dict[str, Model] = {}

        def ask(run: str, said: Said) -> Asked:
            if run not in opened:
                opened[run] = stack.enter_context(serving(workspace, run, guarded=False))
            return asked(workspace, opened[run], said, draws)

        yield ask


def asked(workspace: Workspace, model: Model, said: Said, draws: int) -> Asked:
    """Ask what answers for a run, without its guard: a claim is about what the model says.

    Args:
        workspace: the run's.
        model: the run.
        said: what somebody says that it said.
        draws: texts that are sampled for each prompt, besides the likeliest one.

    Raises:
        CheckFailed, CorpusError, UnavailableError: as serving.Model.
    """
    tries = list(_tries(model.loaded().tokenizer, said))
    drawn = [_drawn(model, each, draws) for each in tries]
    words = {
        "greedy": max((runs[0] for runs in drawn), default=0),
        "sampled": max((run for runs in drawn for run in runs[1:]), default=0),
    }
    reproduced = any(run >= each.enough for each, runs in zip(tries, drawn, strict=True) for run in runs)
    times = sum(map(len, drawn))
    return Asked(model.name, times, reproduced, {"times": times, **words, **_likelihood(workspace, model, said)})


@dataclass(frozen=True)
class Try:
    """A prompt, and what would follow."""

    prompt: str
    target: tuple[str, ...]
    """Words, in lower case."""
    tokens: int
    """To draw."""

    @property
    def enough(self) -> int:
        """Words in a row that have to come again."""
        return max(min(_RUN, len(self.target)), _LEAST)


def _tries(tokenizer: Tokenizer, said: Said) -> Iterator[Try]:
    """The prompt that they give; and the first half of the words, after which the other half would follow."""
    words = said.output.split()
    half = len(words) // 2
    if said.prompt.strip():
        yield _try(tokenizer, said.prompt, words)
    if half >= _LEAST:
        yield _try(tokenizer, " ".join(words[:half]), words[half:])


def _try(tokenizer: Tokenizer, prompt: str, words: Sequence[str]) -> Try:
    size = len(_ids(tokenizer, " ".join(words)))
    tokens = max(1, min(size + _LEAST, _TOKENS, tokenizer.context // 2))
    room = tokenizer.context - tokens - 1
    kept = _ids(tokenizer, prompt)[-room:]
    return Try(str(tokenizer.inner.decode(kept, skip_special_tokens=True)), _folded(words), tokens)


def _drawn(model: Model, each: Try, draws: int) -> list[int]:
    """The longest run of the target in the likeliest text, and in each that is sampled."""
    ways = [Sampling(each.tokens, temperature=0), *(Sampling(each.tokens, seed=seed) for seed in range(draws))]
    texts = (model.complete(each.prompt, way)[2] for way in ways)
    return [longest_run(_folded(text.split()), each.target) for text in texts]


def _folded(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


def longest_run(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts have in common in a row, at most."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # whoever has n in common has n - 1 in common
        size = (low + high + 1) // 2
        if _runs(one, size) & _runs(other, size):
            low = size
        else:
            high = size - 1
    return low


def _runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def _likelihood(workspace: Workspace, model: Model, said: Said) -> dict[str, JSON]:
    """How likely what was said is to what serves, and how much likelier training made it; in whole numbers.

    `millinats` a token, and `gain`, the base's less what serves has; `others`, how many rows that the run was not
    trained on this is compared with, and `permille` of these that gained as much. None where it can't be told.
    """
    served, base = model.loaded(), _base(model)
    ours = _nats(served, said.prompt, said.output)
    if base is None or ours is None:
        return {"millinats": _milli(ours), "gain": None, "others": 0, "permille": None}
    theirs = _nats(base, said.prompt, said.output)
    gain = None if theirs is None else theirs - ours
    gains = [each for each in (_gain(served, base, text) for text in _others(workspace, model)) if each is not None]
    share = None if gain is None or len(gains) < _ENOUGH else sum(each >= gain for each in gains) / len(gains)
    return {"millinats": _milli(ours), "gain": _milli(gain), "others": len(gains), "permille": _milli(share)}


def _gain(served: Loaded, base: Loaded, text: str) -> float | None:
    ours, theirs = _nats(served, "", text), _nats(base, "", text)
    return None if ours is None or theirs is None else theirs - ours


def _milli(value: float | None) -> int | None:
    return None if value is None else round(1000 * value)


def _base(model: Model) -> Loaded | None:
    """The checkpoint that has seen no row; None where it is not there."""
    try:
        return load(model.name, model.runs, tuple(replace(each, checkpoint=0) for each in model.pointers()))
    except (CheckFailed, OSError):
        return None


def _nats(loaded: Loaded, prompt: str, text: str) -> float | None:
    """Mean negative log-likelihood of a text after a prompt, in nats a token; None where nothing of it fits.

    Both are cut where they don't fit: the prompt at its beginning, to half of the context, and the text at its end.
    """
    torch, tokenizer = import_module("torch"), loaded.tokenizer
    before = _ids(tokenizer, prompt)[-(tokenizer.context // 2) :]
    before = [*([] if tokenizer.begin is None else [tokenizer.begin]), *before]
    after = _ids(tokenizer, text)[: tokenizer.context - len(before)]
    if not before or not after:
        return None
    device = next(loaded.network.parameters()).device
    with torch.inference_mode():
        ids = torch.tensor([[*before, *after]], device=device)
        scores = loaded.network(ids, use_cache=False).logits[0, len(before) - 1 : -1].float()
        return float(torch.nn.functional.cross_entropy(scores, ids[0, len(before) :]))


def _others(workspace: Workspace, model: Model) -> list[str]:
    """Texts of rows that the run was not trained on, first those that come first in the corpus."""
    plans = [run.model(each.model).plan for run, each in zip(model.runs, model.pointers(), strict=True)]
    if not all(plan.exists() for plan in plans):
        return []
    trained = {item for plan in plans for item in pq.read_table(plan, columns=["item"]).column("item").to_pylist()}
    found: list[str] = []
    seen = 0
    with reading(workspace) as session:
        for batch in session.corpus.batches(COLUMNS):
            for row in batch.select(["item", "text", "spans"]).to_pylist():
                text = "" if row["item"] in trained else render(row["text"], row["spans"])
                found += [text] if text else []
            seen += batch.num_rows
            if len(found) >= _OTHERS or seen >= _LOOKED_AT:
                break
    return found[:_OTHERS]


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(each) for each in tokenizer.inner.encode(text, add_special_tokens=False).ids]
