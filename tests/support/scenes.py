"""Commands that are killed at their steps: where each starts, where it ends undisturbed, and which kills are tried."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from victim import Kill, Nursery

RAM: Final = Path("/dev/shm")
KILLED: Final = -9


@dataclass
class Scene:
    """A command, where it starts and ends, and its steps."""

    command: str
    start: Path
    nursery: Nursery
    kills: list[Kill]
    before: Any
    after: Any
    """What is seen at the start and at the end."""

    def killed(self, kill: Kill, root: Path) -> None:
        """Run the command at ``root``, a new folder, up to a kill."""
        shutil.copytree(self.start, root)
        assert self.nursery.run(root, self.command, kill) == KILLED

    def each(self, check: Callable[["Scene", int, Path], None], folder: Path) -> None:
        """Check every kill, by its number, each in a new folder."""
        for number, kill in enumerate(self.kills):
            try:
                check(self, number, folder / f"w{number}")
            except Exception as error:
                error.add_note(f"{self.command}, kill {number}: {kill}")
                raise
            shutil.rmtree(folder / f"w{number}")


@contextmanager
def staged(prepare: Callable[[Path, str], object], seen: Callable[[Path], object]) -> Iterator[Callable[[str], Scene]]:
    """Gives the scene of a command of victim.COMMANDS, made when it is first asked for.

    Args:
        prepare: makes the workspace in which a command starts.
        seen: what is compared of a workspace.
    """
    with Nursery() as nursery, TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as folder:

        @cache
        def scene(command: str) -> Scene:
            start, after = Path(folder) / f"{command} start", Path(folder) / f"{command} after"
            prepare(start, command)
            shutil.copytree(start, after)
            steps = nursery.steps(after, command)
            kills = [Kill(step, call, late) for step, call in steps for late in (False, True)]
            return Scene(command, start, nursery, kills, seen(start), seen(after))

        yield scene


def sampled(counts: Mapping[str, int]) -> list[tuple[str, float]]:
    """Commands with shares of their kills, spread evenly: so many of each."""
    return [(name, (at + 0.5) / count) for name, count in counts.items() for at in range(count)]
