"""The state of record in SQLite or PostgreSQL: SQLAlchemy for the queries, Alembic for the tables.

`migrate` once at start-up, then one `SqlStore` per process.
"""

from bot.adapters.store.migrations import migrate, revisions
from bot.adapters.store.store import SqlStore

__all__ = ["SqlStore", "migrate", "revisions"]
