"""The kernel stands alone: it travels to workers of engines that have no register."""

import subprocess
import sys

ALLOWED = {
    "demur",
    "demur.canonical",
    "demur.characters",
    "demur.errors",
    "demur.extras",
    "demur.files",
    "demur.identity",
    "demur.patterns",
    "demur.spelling",
    "demur.store",
    "demur.terms",
}
"""Besides the packages `kernel`, `people`, `policy`, `suppression` and `words`."""


def test_importing_it_loads_no_database_and_nothing_of_the_register() -> None:
    program = "import sys, demur.kernel.govern; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "demur.kernel.rules" in loaded
    assert not [name for name in loaded if name.partition(".")[0] in {"sqlalchemy", "sqlite3", "lance", "fastapi"}]
    ours = {name for name in loaded if name.partition(".")[0] == "demur"}
    packages = ("demur.kernel", "demur.people", "demur.policy", "demur.suppression", "demur.words")
    assert not {name for name in ours if not name.startswith(packages)} - ALLOWED
