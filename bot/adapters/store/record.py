"""What was signed, what was posted, and the audit log: the rows that make a second try harmless, or a lie visible.

The audit log is a chain. Each row's hash is SHA-256 over ``[seq, prev_hash, at, actor, what, subject, detail]`` as JSON
without spaces, keys sorted, non-ASCII escaped, `at` in UTC with microseconds. The first row's `prev_hash` is 64 zeros.
A row changed, left out or put in between breaks every hash after it; the database itself refuses UPDATE and DELETE.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import func, select

from bot.adapters.store.database import Database, insert, insert_new, take_turns
from bot.adapters.store.models import audit, fields, posts
from bot.adapters.store.models import transactions as signed
from bot.ports import AuditEntry, AuditFilter, AuditRow, MessageRef, SignedTransaction

FIRST_PREV_HASH: Final = "0" * 64


class AuditLink(AuditEntry):
    """An AuditEntry that can say what its hash must be."""

    def computed(self) -> str:
        """The hash this row must have."""
        return audit_hash(self.seq, self.prev_hash, self)


def audit_hash(seq: int, prev_hash: str, row: AuditRow) -> str:
    """The hash of a row in this place, in hex. The module's docstring has the rule."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    chained = [seq, prev_hash, at, row.actor, row.what, row.subject, _plain(row.detail)]
    return hashlib.sha256(json.dumps(chained, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(detail: Any) -> Any:
    # As it will be read back: dates and decimals are text, NaN is null.
    return from_json(to_json(detail, inf_nan_mode="null"))


class RecordRows(Database):
    """The part of the store nothing is ever taken out of."""

    async def keep_transactions(
        self, execution_id: str, transactions: Sequence[SignedTransaction]
    ) -> Sequence[SignedTransaction]:
        """Store one generation before it is sent. If that execution has this generation already, it stays."""
        generation = transactions[0].generation if transactions else 0
        async with self.writing() as connection:
            await take_turns(connection, signed)
            stored = (await connection.execute(_signed(execution_id))).all()
            if same := [row for row in stored if row.generation == generation]:
                return [SignedTransaction.model_validate(fields(row)) for row in same]
            rows = [
                {"execution_id": execution_id, "place": len(stored) + place, **one.model_dump()}
                for place, one in enumerate(transactions)
            ]
            await insert_new(connection, signed, rows)
            return list(transactions)

    async def transactions(self, execution_id: str) -> Sequence[SignedTransaction]:
        """All generations of an execution's signed transactions, in order; empty if it hasn't signed."""
        async with self.reading() as connection:
            rows = await connection.execute(_signed(execution_id))
            return [SignedTransaction.model_validate(fields(row)) for row in rows]

    async def audit(self, row: AuditRow) -> None:
        """Append to the audit log, unless a row with its key is there."""
        head = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        async with self.writing() as connection:
            await take_turns(connection, audit)
            if row.key is not None and await connection.scalar(select(audit.c.seq).where(audit.c.key == row.key)):
                return
            last = (await connection.execute(head)).one_or_none()
            seq, prev_hash = (1, FIRST_PREV_HASH) if last is None else (last.seq + 1, last.hash)
            place = {"seq": seq, "prev_hash": prev_hash, "hash": audit_hash(seq, prev_hash, row)}
            await connection.execute(audit.insert(), place | row.model_dump())

    async def audit_trail(self, limit: int, *, after: int = 0) -> Sequence[AuditLink]:
        """Up to `limit` rows of the audit log in their order, from the one after the row numbered `after`."""
        query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
        async with self.reading() as connection:
            return [AuditLink.model_validate(fields(row)) for row in await connection.execute(query)]

    async def newest_audit(self, limit: int, wanted: AuditFilter) -> Sequence[AuditLink]:
        """Up to `limit` rows of the audit log, the newest first."""
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if wanted.actor:
            query = query.where(audit.c.actor == wanted.actor)
        if wanted.what:
            query = query.where(audit.c.what == wanted.what)
        if wanted.subjects:
            query = query.where(audit.c.subject.in_(wanted.subjects))
        async with self.reading() as connection:
            return [AuditLink.model_validate(fields(row)) for row in await connection.execute(query)]

    async def posted(self, key: str) -> MessageRef | None:
        """Where the message of this key is, if it is known to have been posted."""
        async with self.reading() as connection:
            row = (await connection.execute(select(posts).where(posts.c.key == key))).one_or_none()
        return None if row is None or row.ts is None else MessageRef(row.channel, row.ts)

    async def last_posted(self, prefix: str) -> str | None:
        """The greatest key of a posted message that begins so."""
        query = select(func.max(posts.c.key)).where(
            posts.c.key.startswith(prefix, autoescape=True), posts.c.ts.is_not(None)
        )
        async with self.reading() as connection:
            found: str | None = await connection.scalar(query)
            return found

    async def posting(self, key: str, channel: str) -> bool:
        """Say that a message of this key is about to be posted. False if that was said before: look before you post."""
        async with self.writing() as connection:
            return await insert_new(connection, posts, [{"key": key, "channel": channel}]) == 1

    async def keep_posted(self, key: str, message: MessageRef) -> None:
        """Remember where a message is."""
        where = {"channel": message.channel, "ts": message.ts}
        async with self.writing() as connection:
            fresh = insert(connection, posts).values(key=key, **where)
            await connection.execute(fresh.on_conflict_do_update(index_elements=[posts.c.key], set_=where))


def _signed(execution_id: str) -> Any:
    return select(signed).where(signed.c.execution_id == execution_id).order_by(signed.c.place)
