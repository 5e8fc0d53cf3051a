"""docs/adding-a-runbook.md, followed: its code, and a copy of this checkout in which that one file was added."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = "bot/runbooks/attestation_backlog.py"


def code() -> str:
    """The page's code."""
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-runbook.md").read_text(), re.DOTALL)
    assert found
    return found.group(1)


def followed(copy: Path) -> Path:
    """Make `copy` this checkout with the page's one file: that is all that differs."""
    for name in ("bot", "handlers", "tests", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
    for name in ("pyproject.toml", "app-manifest.yml"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "node_modules").symlink_to(ROOT / "node_modules")  # the practice chain's anvil
    (copy / FILE).write_text(code())
    return copy
