"""A small community to train on: people who write much, little, and about each other; and what they train with."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.training.config import Config
from demur.versions.publish import publish
from demur.workspace import Workspace

PEOPLE: Final = 24
LATER: Final = NOW + timedelta(days=1)
TINY: Final = Config(
    layers=2,
    width=32,
    inner=48,
    heads=2,
    vocabulary=320,
    context=48,
    step_tokens=256,
    micro_tokens=512,
    rate=3e-3,
    warmup=4,
    average=0.9,
    held=0.0,
    checkpoints=6,
    threads=1,
)
WORDS: Final = (
    "rain",
    "tea",
    "boat",
    "map",
    "hill",
    "lamp",
    "door",
    "song",
    "bread",
    "wool",
    "glass",
    "river",
    "stone",
    "paper",
)


def account(number: int) -> str:
    return f"forum:member{number}"


def posts(*, seed: int = 5, people: int = PEOPLE, most: int = 40) -> Iterator[dict[str, Any]]:
    """Person k writes about most / (k + 1) posts; a third of them name somebody, a few quote."""
    drawn = random.Random(seed)
    for who in range(people):
        for number in range(max(1, most // (who + 1))):
            text = " ".join(drawn.choice(WORDS) for _ in range(drawn.randint(3, 12)))
            spans = []
            if drawn.random() < 0.35:
                other = drawn.randrange(people)
                name = f"@member{other}"
                spans = [span(0, len(name), "mention", account(other))]
                text = f"{name} {text}"
            yield item(f"{who}-{number}", account(who), text, spans=spans)


def workspace(root: Path, rows: Sequence[Mapping[str, Any]] | None = None) -> Workspace:
    """A workspace with the community's posts, published as v1."""
    made = workspaces.create(root, open_policy())
    import_items(made, "table", iter([batch(list(posts()) if rows is None else rows)]), now=NOW)
    publish(made, "v1", now=NOW)
    return made


def declared(folder: Path, *, lines: int = 150, seed: int = 9) -> Path:
    """Declared data, with their declaration."""
    drawn = random.Random(seed)
    path = folder / "rules.jsonl"
    texts = (" ".join(drawn.choice(WORDS) for _ in range(8)) for _ in range(lines))
    path.write_text("".join(f'{{"text": "{text}."}}\n' for text in texts))
    path.with_name("rules.jsonl.declared.toml").write_text(
        'name = "House rules"\nnobody_may_object = true\ndeclared_by = "The board"\n'
        'source = "written by the company"\nlicence = "own work"\n'
    )
    return path


def config_file(folder: Path, config: Config = TINY, **changes: Any) -> Path:  # noqa: ANN401  # fields of a configuration
    path = folder / "tiny.json"
    path.write_bytes(replace(config, **changes).to_bytes())
    return path
