"""A world of the first release, as it stood when its bot was killed: its tables, its journal, its Slack workspace.

`first_release.json` was recorded from a running drill of that version: a relay incident and a proposed pause are open.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alembic import command
from dbos import run_dbos_database_migrations
from sqlalchemy import JSON, Connection, DateTime, MetaData, Table, insert

from bot.adapters.store.database import open_engine
from bot.adapters.store.migrations import config

RECORDED: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text())
INCIDENT: Final[dict[str, Any]] = RECORDED["tables"]["incidents"][0]
PROPOSAL: Final[dict[str, Any]] = RECORDED["tables"]["proposals"][0]


async def write(folder: Path, url: str) -> None:
    """Leave a world in `folder`, for a drill to go on with, and its bot's records in the database at `url`.

    Args:
        folder: the drill's, empty.
        url: of a database without tables: PostgreSQL, or `musd-bot.db` in the folder's `bot`.
    """
    (folder / "slack").mkdir(parents=True)
    (folder / "slack" / "workspace.json").write_text(json.dumps(RECORDED["workspace"]))
    journal = url if url.startswith("postgresql") else f"sqlite:///{folder}/bot/engine.db"
    await _in(url, _first_schema)
    await _in(url, lambda connection: _fill(connection, RECORDED["tables"], None))
    run_dbos_database_migrations(journal)
    schema = "dbos" if url.startswith("postgresql") else None
    await _in(journal, lambda connection: _fill(connection, RECORDED["journal"], schema))


async def _in(url: str, work: Any) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(work)
    await engine.dispose()


def _first_schema(connection: Connection) -> None:
    first = config()
    first.attributes["connection"] = connection
    command.upgrade(first, "0001")


def _fill(connection: Connection, tables: dict[str, list[dict[str, Any]]], schema: str | None) -> None:
    order = sorted(tables, key=("incidents", "workflow_status").count, reverse=True)
    for name in order:
        table = Table(name, MetaData(schema=schema), autoload_with=connection, resolve_fks=False)
        for row in tables[name]:
            known = {key: _typed(table, key, value) for key, value in row.items() if key != "position"}
            connection.execute(insert(table).values(known))


def _typed(table: Table, key: str, value: Any) -> Any:
    """JSON knows no moments, and SQLite no booleans."""
    kind = table.c[key].type
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if not isinstance(kind, JSON) and kind.python_type is bool:
        return bool(value)
    return value
