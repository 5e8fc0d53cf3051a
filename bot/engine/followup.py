"""What follows when an alert says that it is over: believed once the runbook's probes agree, and not before."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.domain.cards import NoticeCard
from bot.domain.incident import Incident, Step, resolve
from bot.domain.probe import State
from bot.domain.signal import Signal
from bot.engine.diagnosis import Diagnosis
from bot.engine.persistence import until_available
from bot.errors import RefusedError
from bot.ports import Chat, Journal, Store
from bot.runbooks import Runbooks

_ROUNDS = 40
"""Looks after the alert resolved; with the default half minute between them, twenty minutes."""


Change = Callable[[str, str, Step], Awaitable[Incident]]
"""Takes a step in an incident's life: see `bot.engine.lifecycle`."""


class Look(BaseModel):
    """What one look at an incident found whose alert says that it is over."""

    model_config = ConfigDict(frozen=True)

    revision: int
    """The incident's, when it was looked at."""
    why_not: str = ""
    """Why it is not over; empty if it is."""
    hashes: tuple[str, ...] = ()
    """Of the transactions that `why_not` may speak of."""
    left: bool = False
    """Nothing is left to do here: somebody else resolved it, or an alert of it that ended later has its own look."""


class Followup:
    """The workflow behind a resolved alert."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        runbooks: Runbooks,
        diagnosis: Diagnosis,
        change: Change,
        recheck: timedelta,
    ) -> None:
        self._store = store
        self._chat = chat
        self._runbooks = runbooks
        self._diagnosis = diagnosis
        self._change = change
        self._recheck = recheck

    async def resolved(self, journal: Journal, signal_key: str) -> None:
        """Post the resolved alert; resolve the page once the probes agree, and say why not until then."""
        for number in range(_ROUNDS):
            if await self._round(journal, signal_key, number):
                return
            await journal.sleep(self._recheck.total_seconds())

    async def _round(self, journal: Journal, signal_key: str, number: int) -> bool:
        """One look. True when there is nothing left to do."""
        look = await journal.step(f"look {number}", lambda: self._look(signal_key), Look)
        if look.left:
            return True
        if not look.why_not:
            await journal.step("resolve", lambda: self._resolve(signal_key, look), type(None))
            return True
        again = number + 1 < _ROUNDS
        await journal.step(f"say {number}", lambda: self._say(signal_key, look, again=again), type(None))
        return False

    async def _look(self, signal_key: str) -> Look:
        _, incident = await self._about(signal_key)
        if not incident.is_open or await self._store.newest_end(incident.id) != signal_key:
            return Look(revision=incident.revision, left=True)
        firing = await self._store.firing(incident.id)
        if firing:
            return Look(revision=incident.revision, why_not=f"{', '.join(firing)} still fires.")
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        if runbook is None:  # no probe can disagree: the alert's own word is all there is
            return Look(revision=incident.revision)
        verdict, hashes = await self._diagnosis.look(runbook)
        why_not = "" if verdict.state is State.OK else f"{verdict.title}. {verdict.why}"
        return Look(revision=incident.revision, why_not=why_not, hashes=hashes)

    async def _say(self, signal_key: str, look: Look, *, again: bool) -> None:
        signal, incident = await self._about(signal_key)
        then = (
            f"Looking again every {self._recheck.total_seconds():g} s." if again else "No further look: decide by hand."
        )
        text = f"Alertmanager says {signal.name} is resolved, but the page stays open. {then}"
        await self._post(
            incident, look, NoticeCard(State.UNKNOWN, text, quote=look.why_not, hashes=frozenset(look.hashes))
        )

    async def _resolve(self, signal_key: str, look: Look) -> None:
        """The end of the incident; its page, its first message and its deadlines follow from the stored change."""
        signal, incident = await self._about(signal_key)
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        proof = "the probes agree" if runbook else "no runbook has probes for it, so the alert's word counts"
        reason = f"{signal.name} is resolved and {proof}"
        with suppress(RefusedError):  # somebody was faster, or this step runs again
            await self._change(incident.id, "bot", lambda one: resolve(one, reason, datetime.now(UTC)))
        await self._post(incident, look, NoticeCard(State.OK, f"{reason}: the page is resolved."))

    async def _post(self, incident: Incident, look: Look, card: NoticeCard) -> None:
        """One message for all that resolves between two changes of the incident, edited as what it says changes.

        Named by what the look saw: two looks that find the same end at once, and a step that runs again after it has
        changed the incident, say it in one message.
        """
        channel, key = incident.channel, f"resolved:{incident.id}:{look.revision}"
        if channel is None:
            return
        known = await self._store.posted(key)
        if known is not None:
            await until_available(lambda: self._chat.edit(known, card))
        else:
            await until_available(lambda: self._chat.post(channel, card, key=key, thread=incident.card))

    async def _about(self, signal_key: str) -> tuple[Signal, Incident]:
        signal = await self._store.signal(signal_key)
        incident = await self._store.incident_of(signal_key)
        if signal is None or incident is None:
            raise LookupError(f"signal {signal_key} belongs to no incident")
        return signal, incident
