"""What must not be written does not type-check: mypy, as the project runs it, over misuses that say what they expect.

A line of `misuse/` ends in ``# E: code`` (several: ``# E: code, code``) where mypy has to refuse it with just that
error; every other line, and all of `proper/`, has to pass.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_MARK = re.compile(r"# E: (?P<codes>[a-z-]+(?:, [a-z-]+)*)$")
_ERROR = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")

Refusal = tuple[str, int, str]
"""File, line and error code."""


def _expected() -> set[Refusal]:
    return {
        (path.name, number, code)
        for path in _HERE.glob("misuse/*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (mark := _MARK.search(line))
        for code in mark["codes"].split(", ")
    }


@pytest.fixture(scope="module")
def checked() -> str:
    files = sorted(str(path.relative_to(_ROOT)) for path in _HERE.glob("*/*.py"))
    # The project's own cache: `make test` has just filled it in its lint step, so that only these files are new.
    command = [sys.executable, "-m", "mypy", "--show-error-codes", "--no-pretty", "--no-error-summary", *files]
    environment = os.environ | {"MYPYPATH": str(_ROOT)}
    run = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout


def test_each_misuse_is_refused_on_its_line_and_nothing_else_is(checked: str) -> None:
    errors = [_ERROR.match(line) for line in checked.splitlines() if ": error: " in line]
    refused = {(Path(error["file"]).name, int(error["line"]), error["code"]) for error in errors if error}

    assert all(errors), checked
    assert refused == _expected()


def test_there_are_misuses_to_refuse() -> None:
    assert len(_expected()) >= 25  # lest marks that nobody reads pass for proofs
