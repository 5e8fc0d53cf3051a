"""An hour of watching after an unpause or a production fix: probes every five minutes, an all-clear at the end.

(Unpause Procedure, step 4; Incident Response Checklist, "Monitor for 1 hour post-fix".)
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.domain.cards import NoticeCard, UrgentCard
from bot.domain.deadline import Deadline, DeadlineState
from bot.domain.incident import TimelineEntry
from bot.domain.probe import Findings, Probe, State
from bot.engine.asking import ask, unseen
from bot.engine.checklist import Checklist
from bot.engine.persistence import until_available
from bot.engine.response import Response
from bot.ports import Chat, Journal, Reads, Store
from bot.runbooks import Runbooks


class Look(BaseModel):
    """One look while watching."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    state: State
    why: str
    """What is wrong, or does not answer; empty when all is well."""


class Watching:
    """The workflow behind `Deadlines.watch`."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        reads: Reads,
        runbooks: Runbooks,
        response: Response,
        checklist: Checklist,
        protocol: Sequence[Probe[Reads]],
        every: timedelta,
    ) -> None:
        """`protocol`: what is asked where no runbook says what healthy is."""
        self._store = store
        self._chat = chat
        self._reads = reads
        self._runbooks = runbooks
        self._response = response
        self._checklist = checklist
        self._protocol = protocol
        self._every = every

    async def watch(self, journal: Journal, deadline_id: str) -> None:
        """Look until the time is up; say at once when something is wrong."""
        deadline = await self._store.deadline(deadline_id)
        if deadline is None:
            return
        looks: list[Look] = []
        while True:
            number = len(looks)
            looks.append(await journal.step(f"look {number}", lambda: self._look(deadline), Look))
            seen = tuple(looks)
            await journal.step(f"show {number}", lambda seen=seen: self._show(deadline, seen), type(None))  # type: ignore[misc]  # mypy can't infer a lambda with a default
            left = (deadline.due_at - looks[-1].at).total_seconds()
            if left <= 0:
                break
            await journal.sleep(min(left, self._every.total_seconds()))
        await journal.step("end", lambda: self._end(deadline, looks), type(None))

    async def _look(self, deadline: Deadline) -> Look:
        incident = await self._store.incident(deadline.incident_id) if deadline.incident_id else None
        runbook = self._runbooks.by_key.get((incident.runbook if incident else None) or "")
        findings = await ask(runbook.probes if runbook else self._protocol, self._reads, unseen)
        at = datetime.now(UTC)
        if runbook is not None and runbook.healthy(findings):
            return Look(at=at, state=State.OK, why="")
        return Look(at=at, state=_worst(findings, strict=runbook is not None), why=_why(findings))

    async def _show(self, deadline: Deadline, looks: tuple[Look, ...]) -> None:
        """One message that is edited; and a loud one whenever it has just become bad."""
        last, channel = looks[-1], deadline.channel
        if channel is None:
            return
        ends = f"{deadline.due_at.astimezone(UTC):%H:%M:%S} UTC"
        text = f"Watching until {ends}: look {len(looks)} says {last.state}. {_tally(looks)}"
        await self._told(deadline, NoticeCard(last.state, text, quote=last.why))
        if last.state is State.BAD and (len(looks) == 1 or looks[-2].state is not State.BAD):
            incident = await self._store.incident(deadline.incident_id) if deadline.incident_id else None
            buttons = await self._response.pause_buttons(incident) if incident else ()
            people = (incident.lead,) if incident and incident.lead else ()
            card = UrgentCard("Watching: something is wrong again", "Look at it now.", people, buttons, last.why)
            key = f"{deadline.id}:bad:{len(looks)}"
            await until_available(lambda: self._chat.post(channel, card, key=key))

    async def _told(self, deadline: Deadline, card: NoticeCard) -> None:
        channel, known = deadline.channel, await self._store.posted(deadline.id)
        if known is not None:
            await until_available(lambda: self._chat.edit(known, card))
        elif channel is not None:
            await until_available(lambda: self._chat.post(channel, card, key=deadline.id))

    async def _end(self, deadline: Deadline, looks: Sequence[Look]) -> None:
        clear = all(look.state is State.OK for look in looks)
        spent = _tally(looks)
        text = f"All clear: watched to the end. {spent}" if clear else f"Watched to the end, NOT all clear. {spent}"
        next_step = "" if clear else " Look into it, and watch again."
        why = next((look.why for look in reversed(looks) if look.why), "")
        state = State.OK if clear else State.BAD
        await self._store.end_deadline(deadline.id, DeadlineState.CLEARED if clear else DeadlineState.PASSED, text)
        channel, card = deadline.channel, NoticeCard(state, text + next_step, quote=why)
        if channel is not None:
            await until_available(lambda: self._chat.post(channel, card, key=f"{deadline.id}:end"))
        if deadline.incident_id is None:
            return
        at = datetime.now(UTC)
        key = f"{deadline.id}:end"
        await self._store.note(TimelineEntry(incident_id=deadline.incident_id, key=key, at=at, actor="bot", text=text))
        if clear:
            await self._checklist.seen(deadline.incident_id, "monitored", text)
        incident = await self._store.incident(deadline.incident_id)
        if incident is not None:
            await self._response.show(incident)


def _worst(findings: Findings, *, strict: bool) -> State:
    """BAD before UNKNOWN before OK. `strict`: what the runbook does not call healthy is at least UNKNOWN."""
    states = {finding.state for finding in findings.values()}
    if State.BAD in states:
        return State.BAD
    return State.UNKNOWN if strict or State.UNKNOWN in states or not states else State.OK


def _why(findings: Findings) -> str:
    return "\n".join(
        f"{one.title}: {one.state}, {one.summary}" for one in findings.values() if one.state is not State.OK
    )


def _tally(looks: Sequence[Look]) -> str:
    count = {state: sum(look.state is state for look in looks) for state in State}
    return ", ".join(f"{number} x {state}" for state, number in count.items() if number) + "."
