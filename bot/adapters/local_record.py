"""A record in a file, for a pause while the store is away: JSON lines, hash-chained, on disk before they count."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from bot.errors import MalformedError
from bot.ports import AuditRow, SignedTransaction

_FIRST = "0" * 64
IMPORTED = ".imported"
"""What a file's name ends in once its rows are in the store."""


class LocalRecord:
    """Fulfils `ports.SignedTransactions` and `ports.Audited`."""

    def __init__(self, path: Path) -> None:
        """`path` is made, with its folder; only its owner can read it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._last = _FIRST
        self._signed: dict[str, list[SignedTransaction]] = {}

    async def keep_transactions(
        self, execution_id: str, transactions: Sequence[SignedTransaction]
    ) -> Sequence[SignedTransaction]:
        """Write one generation down before it is sent."""
        for one in transactions:
            self._append({"execution": execution_id, "signed": one.model_dump(mode="json")})
        self._signed.setdefault(execution_id, []).extend(transactions)
        return transactions

    async def transactions(self, execution_id: str) -> Sequence[SignedTransaction]:
        """Those of this process: another one would have another file."""
        return self._signed.get(execution_id, [])

    async def audit(self, row: AuditRow) -> None:
        """Append a row."""
        self._append({"audit": row.model_dump(mode="json")})

    def _append(self, line: dict[str, object]) -> None:
        text = json.dumps(line | {"after": self._last}, sort_keys=True, separators=(",", ":"))
        self._last = hashlib.sha256(text.encode()).hexdigest()
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{text}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


def read(path: Path) -> Sequence[AuditRow]:
    """The rows of a record, signed bytes among them, ready for the store's audit log: reading it twice is once.

    Raises:
        MalformedError: a line is missing, changed or cut.
    """
    rows, last = [], _FIRST
    for number, text in enumerate(path.read_text().splitlines()):
        try:
            line = json.loads(text)
            after = line["after"]
            row = AuditRow.model_validate(line["audit"]) if "audit" in line else None
        except (ValueError, KeyError, TypeError):
            raise MalformedError(f"{path}, line {number + 1}, can't be read.", means="Nothing was imported.") from None
        if after != last:
            raise MalformedError(
                f"{path}, line {number + 1}, does not follow the line before it: the file was changed.",
                means="Nothing was imported.",
                next_step="Keep the file, and find out who touched it.",
            )
        last = hashlib.sha256(text.encode()).hexdigest()
        if row is not None:
            rows.append(row.model_copy(update={"key": f"local:{path.stem}:{number}"}))
    return rows
