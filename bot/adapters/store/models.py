"""The tables. A domain object's fields are columns of the same names, so that rows and objects need no mapping.

Two are kept as JSON instead: a Signal, because its key holds the time zone it arrived with; a Proposal, because people
approved exactly that text. `migrations/` makes what is described here; a test says when the two differ.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
)

from bot.domain.incident import IncidentState

OPEN_STATES = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
"""An incident in one of these is the one its topic's Signals join."""


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. SQLite drops the time zone on the way in; it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive moment is refused, because nobody knows when it was."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone is not stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back, aware again."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Text(TypeDecorator[str]):
    """A text from anywhere. PostgreSQL takes no NUL, so one in an alert's name would cost a whole delivery."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """With the sign for an unreadable character in its place; the same on SQLite, so that a key stays a key."""
        del dialect
        return None if value is None else value.replace("\x00", "\ufffd")


# JSON and not PostgreSQL's JSONB: the text stays as it was written, so a hash over it can be computed again.
_Json = JSON(none_as_null=True)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _position() -> Column[int]:
    """The order in which rows were stored."""
    return Column("position", Integer, primary_key=True)


def _incident(*, nullable: bool) -> Column[str]:
    return Column("incident_id", Text, ForeignKey("incidents.id"), nullable=nullable, index=True)


signals = Table(
    "signals",
    metadata,
    _position(),
    Column("key", Text, nullable=False, unique=True),
    Column("received_at", Moment, nullable=False),
    Column("handled", Boolean, nullable=False),
    _incident(nullable=True),
    Column("body", _Json, nullable=False),
)
Index("ix_signals_pending", signals.c.position, sqlite_where=~signals.c.handled, postgresql_where=~signals.c.handled)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("runbook", Text),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("opened_at", Moment, nullable=False),
    Column("labels", _Json, nullable=False),
    Column("summary", Text, nullable=False),
    Column("impact", Text, nullable=False),
    Column("channel", Text, index=True),
    Column("channel_name", Text, nullable=False),
    Column("card", Text),
    Column("resolved_at", Moment),
    Column("acknowledged_at", Moment),
    Column("lead", Text),
    Column("resolution", Text, nullable=False, server_default=""),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False, server_default="0"),
    Index("ix_incidents_topic_opened_at", "topic", "opened_at"),
)
is_open = incidents.c.state.in_([state.value for state in OPEN_STATES])
Index("uq_incidents_open_topic", incidents.c.topic, unique=True, sqlite_where=is_open, postgresql_where=is_open)

timeline = Table(
    "timeline",
    metadata,
    _position(),
    _incident(nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("evidence", _Json, nullable=False),
    UniqueConstraint("incident_id", "key"),
)

ticks = Table(
    "ticks",
    metadata,
    _position(),
    _incident(nullable=False),
    Column("item", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    UniqueConstraint("incident_id", "item"),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("text", Text, nullable=False),
    _incident(nullable=True),
    Column("signal_key", Text, index=True),
    Column("channel", Text),
    Column("began_at", Moment, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("outcome", Text, nullable=False),
)

postmortems = Table(
    "postmortems",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("parts", _Json, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("done_by", Text),
    Column("done_at", Moment),
)

offers = Table(
    "offers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("action", _Json, nullable=False),
    _incident(nullable=True),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("proposed_at", Moment, nullable=False),
    _incident(nullable=True),
    Column("body", _Json, nullable=False),
    Column("channel", Text),
    Column("ts", Text),
    Column("execution_id", Text),
    Column("receipt", _Json),
)

votes = Table(
    "votes",
    metadata,
    _position(),
    Column("proposal_id", Text, ForeignKey("proposals.id"), nullable=False),
    Column("voter", Text, nullable=False),
    Column("choice", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("second_factor", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("proposal_id", "voter", "choice"),
)

factors = Table(
    "second_factors",
    metadata,
    Column("person", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("last_step", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_since", Moment),
)

requests = Table(
    "requests",
    metadata,
    Column("signature", Text, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
)

transactions = Table(
    "transactions",
    metadata,
    Column("execution_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("contract", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("nonce", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("prev_hash", Text(64), nullable=False),
    Column("hash", Text(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", _Json, nullable=False),
    Column("key", Text, unique=True),
)

samples = Table(
    "samples",
    metadata,
    Column("series", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("value", Float, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("ts", Text),
)


def fields(row: Any) -> Mapping[str, Any]:
    """A row as a mapping; pydantic ignores the columns that are not fields."""
    mapping: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return mapping
