"""A small community to train on: people who write much, little, and about each other; and what they train with."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any, Final

from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.runs.facts import ModelState, write_facts
from demur.runs.folder import find_run
from demur.training.config import Config
from demur.training.log import HEADER_BYTES, Log
from demur.versions.publish import publish
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.training.filling import Plan
    from demur.training.run import Run

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


@dataclass(frozen=True)
class Community:
    """A workspace in which the run `one` is finished."""

    root: Path
    """Holds the workspace `w` and the declared data."""

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root / "w")

    @property
    def base(self) -> str:
        return str(self.root / "rules.jsonl")

    def copied(self, root: Path) -> "Community":
        copytree(self.root, root)
        return Community(root)

    def run(self, name: str = "one", number: str = "0001") -> "Run":
        from demur.training.run import Run  # noqa: PLC0415  # it needs the extra

        return Run.open(find_run(self.workspace.models_path, name).model(number))

    def plan(self, name: str = "one") -> "Plan":
        """The plan of a run, with token ids."""
        from demur.training.plan import plan_of  # noqa: PLC0415  # the same

        with reading(self.workspace, LATER) as session:
            return plan_of(session, "v1", self.run(name))


def community(root: Path, config: Config = TINY) -> Community:
    from demur.training import first  # noqa: PLC0415  # it needs the extra

    made = Community(root)
    workspace(root / "w")
    declared(root)
    with reading(made.workspace, LATER) as session:
        first.carry_out(session, first.begin(session, "v1", name="one", config=config, base=[made.base]))
    return made


def successor(run: "Run", *, up_to: int) -> "Run":
    """A new model of a run, that shares checkpoints and log of an earlier one up to a step."""
    from demur.training.replay import link  # noqa: PLC0415  # it needs the extra

    model = run.model.run.begin_model()
    new = replace(run, model=model)
    write_facts(model, replace(run.facts(), number=int(model.number), parent=run.model.name))
    for step in (each for each in run.model.steps() if each <= up_to):
        link(run.model.checkpoint(step), model.checkpoint(step))
    Log.reopen(model.log, up_to, source=run.model.log)
    return new


def cut_off(community: Community, name: str = "one") -> "Run":
    """Put a finished run back to where only its base is trained; what it will give is known."""
    run = community.run(name)
    for step in run.model.steps():
        if step:
            rmtree(run.model.checkpoint(step))
    with run.model.log.open("r+b") as file:
        file.truncate(HEADER_BYTES)
    run.model.run.pointer.unlink()
    write_facts(run.model, replace(run.facts(), state=ModelState.RUNNING, finished=None))
    return run
