"""Collecting the logs of all affected services into an incident, as files (Incident Response Checklist)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.incident import Incident, TimelineEntry
from bot.domain.runbook import Runbook
from bot.engine.checklist import Checklist
from bot.errors import UnavailableError
from bot.ports import Chat, Reads, Store
from bot.runbooks import Runbooks

_LINES = 1000
"""Of each pod: what the upload keeps of it is its end."""
_PODS = "pods:"
_EVERY = ("musd-relay", "musd-validator")
"""What may be affected where no runbook says."""


class Collecting:
    """Reads logs and uploads them. The Chat port redacts whatever it uploads."""

    def __init__(self, *, store: Store, chat: Chat, reads: Reads, runbooks: Runbooks, checklist: Checklist) -> None:
        self._store = store
        self._chat = chat
        self._reads = reads
        self._runbooks = runbooks
        self._checklist = checklist

    async def collect(self, incident_id: str, key: str, actor: str = "bot") -> tuple[list[str], list[str]]:
        """Upload the logs of the affected services; the files' names, and why some are missing.

        Args:
            incident_id: whose channel they go to.
            key: of this collection: the same again uploads nothing twice.
            actor: who asked.
        """
        incident = await self._store.incident(incident_id)
        if incident is None or incident.channel is None:
            return [], []
        apps, at = affected(self._runbooks.by_key.get(incident.runbook or "")), datetime.now(UTC)
        files: list[str] = []
        missing: list[str] = []
        for app in apps:
            try:
                files.append(await self._one(incident, app, key))
            except UnavailableError as error:
                missing.append(f"{app}: {error.happened}")
        said = "; ".join([f"Logs collected: {', '.join(files)}" if files else "No logs collected", *missing])
        entry = TimelineEntry(incident_id=incident_id, key=f"logs:{key}", at=at, actor=actor, text=said)
        await self._store.note(entry)
        if files and not missing:
            await self._checklist.seen(incident_id, "logs", ", ".join(files))
        return files, missing

    async def _one(self, incident: Incident, app: str, key: str) -> str:
        name = f"{app}-{key}.log"
        lines = await self._reads.cluster.logs(app, _LINES)
        text = f"The last {_LINES} lines of each pod of {app}; of a long log only the end.\n" + "\n".join(lines)
        channel = incident.channel or ""
        await self._chat.upload(
            channel,
            name,
            text,
            key=f"file:{incident.id}:{channel}:{name}",
            thread=incident.card,
            tail=True,
        )
        return name


def affected(runbook: Runbook[Reads] | None) -> Sequence[str]:
    """The services a runbook looks at; every one the bot knows of, where there is no runbook or it looks at none."""
    probes = runbook.probes if runbook else ()
    return [one.key.removeprefix(_PODS) for one in probes if one.key.startswith(_PODS)] or _EVERY
