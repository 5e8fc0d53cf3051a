"""`musd-bot incidents`: the incidents on record, the open ones first, or the timeline of one. Reads, and no more."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from bot import logs, settings
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.errors import RefusedError
from bot.ports import Store
from bot.settings import Settings
from bot.terminal import printing

_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how to print."""
    parser.add_argument("id", nargs="?", help="of one incident, whose timeline is printed")
    parser.add_argument("--all", action="store_true", help="those that are over as well")
    parser.add_argument("--json", action="store_true", help="for pipelines")


def main(arguments: argparse.Namespace) -> int:
    """Print them; 1 where one is open, so that a pipeline can wait for calm.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        RefusedError: there is no such incident, or no database.
    """
    logs.configure()
    found = settings.read()
    if arguments.id:
        return asyncio.run(_timeline(found, arguments.id, json=arguments.json))
    return asyncio.run(_list(found, every=arguments.all, json=arguments.json))


async def _list(found: Settings, *, every: bool, json: bool) -> int:
    from bot.wiring import asking  # noqa: PLC0415 - SQLAlchemy takes a moment to import

    async with asking.record(found) as store:
        incidents = await store.incidents(tuple(IncidentState) if every else _OPEN)
    newest = sorted(incidents, key=lambda one: (not one.is_open, -one.opened_at.timestamp()))
    said = printing.as_json([one.model_dump(mode="json") for one in newest]) if json else _lines(newest)
    printing.say(found, said)
    return printing.WRONG if any(one.is_open for one in newest) else 0


def _lines(incidents: Sequence[Incident]) -> Iterator[str]:
    for one in incidents:
        where = f"#{one.channel_name}" if one.channel_name else "(no channel)"
        yield f"{one.state:13}{one.severity:9}{one.opened_at:%Y-%m-%d %H:%M} UTC  {one.id}  {one.title}  {where}"
    if not incidents:
        yield "No incident."


async def _timeline(found: Settings, incident_id: str, *, json: bool) -> int:
    from bot.wiring import asking  # noqa: PLC0415 - SQLAlchemy takes a moment to import

    async with asking.record(found) as store:
        incident, entries = await _one(store, incident_id)
    said = printing.as_json([one.model_dump(mode="json") for one in entries]) if json else _entries(incident, entries)
    printing.say(found, said)
    return printing.WRONG if incident.is_open else 0


async def _one(store: Store, incident_id: str) -> tuple[Incident, Sequence[TimelineEntry]]:
    incident = await store.incident(incident_id)
    if incident is None:
        raise RefusedError(f"There is no incident {incident_id!r}.", next_step="`musd-bot incidents --all` lists them.")
    return incident, await store.timeline(incident_id)


def _entries(incident: Incident, entries: Sequence[TimelineEntry]) -> Iterator[str]:
    yield from _lines([incident])
    for entry in entries:
        yield f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.actor}: {entry.text}"
