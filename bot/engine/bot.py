"""The bot as the handlers see it: what they may call, in one place."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.cards import Card
from bot.engine.announcements import Announcements
from bot.engine.backups import Backups
from bot.engine.ballots import BALLOT, Ballots
from bot.engine.calling import CALL, Calling
from bot.engine.checklist import Checklist
from bot.engine.collecting import Collecting
from bot.engine.deadlines import DEADLINE, UNPAUSE, WATCH, Deadlines
from bot.engine.diagnosis import Diagnosis
from bot.engine.doctor import Doctor
from bot.engine.durable import Durable
from bot.engine.execution import Execution
from bot.engine.followup import Followup
from bot.engine.heads import HEAD, Heads
from bot.engine.home import Home
from bot.engine.intake import Intake
from bot.engine.lifecycle import CHANGED, MOVED, Lifecycle
from bot.engine.logbook import Logbook
from bot.engine.notes import Notes
from bot.engine.oncall import OnCall
from bot.engine.page_events import PAGE_EVENT, PageEvents
from bot.engine.page_notes import PAGE_NOTE, PageNotes
from bot.engine.paging import FOLLOW, PAGE, Paging
from bot.engine.pictures import Pictures
from bot.engine.postmortem import Postmortems
from bot.engine.pricing import Pricing
from bot.engine.proposals import EXECUTE, EXPIRE, Proposals
from bot.engine.response import Response
from bot.engine.rotating import Rotating
from bot.engine.settling import SETTLE, Settling
from bot.engine.status import Status
from bot.engine.triage import CALM, RESOLVED, RESPOND, WARN, Triage
from bot.engine.unpausing import Unpausing
from bot.engine.updates import UPDATE, Updates
from bot.engine.warnings import Warnings
from bot.engine.watching import Watching
from bot.ports import AuditRow, Chat, Journal, Store
from bot.runbooks import Runbooks
from bot.settings import Settings
from bot.views import Message, render
from bot.views.redact import Redactor


@dataclass(frozen=True)
class Bot:
    """Everything that is running. Built by `bot.wiring`, handed to the handlers."""

    settings: Settings
    store: Store
    chat: Chat
    intake: Intake
    triage: Triage
    proposals: Proposals
    unpausing: Unpausing
    status: Status
    doctor: Doctor
    canton: Status
    """What `/musd canton` shows."""
    pricing: Pricing
    diagnosis: Diagnosis
    runbooks: Runbooks
    oncall: OnCall
    page_events: PageEvents
    calling: Calling
    announcements: Announcements
    updates: Updates
    home: Home
    lifecycle: Lifecycle
    checklist: Checklist
    deadlines: Deadlines
    collecting: Collecting
    logbook: Logbook
    backups: Backups
    rotating: Rotating
    postmortems: Postmortems
    pictures: Pictures
    notes: Notes
    redactor: Redactor
    """Knows our own secrets, so that none is ever shown."""
    checks: Mapping[str, Callable[[], Awaitable[bool]]]
    """What must hold before the bot calls itself ready, by a word for what is missing otherwise."""
    shared: Callable[[str], Awaitable[bool]]
    """Whether a channel, by id, is shared with another organisation."""
    deaf: Callable[[], bool]
    """Whether Slack's socket has brought nothing for so long that only a new process may help."""

    async def audit(self, actor: str, what: str, detail: Mapping[str, Any], subject: str = "") -> None:
        """Append to the audit log."""
        row = AuditRow(at=datetime.now(UTC), actor=actor, what=what, subject=subject, detail=detail)
        await self.store.audit(row)

    def render(self, card: Card) -> Message:
        """A card as a message, for an answer that goes back by the way the question came."""
        return render(card, self.redactor)

    async def missing(self) -> list[str]:
        """Words for whatever keeps the bot from being ready; empty when it is."""
        return [word for word, check in self.checks.items() if not await check()]


def register_workflows(
    durable: Durable,
    *,
    response: Response,
    followup: Followup,
    proposals: Proposals,
    execution: Execution,
    settling: Settling,
    unpausing: Unpausing,
    lifecycle: Lifecycle,
    checklist: Checklist,
    deadlines: Deadlines,
    watching: Watching,
    ballots: Ballots,
    triage: Triage,
    warnings: Warnings,
    paging: Paging,
    page_events: PageEvents,
    page_notes: PageNotes,
    calling: Calling,
    announcements: Announcements,
    updates: Updates,
    heads: Heads,
) -> None:
    """Every durable workflow there is, by name. To be called before the engine is launched."""

    async def expire(_: Journal, proposal_id: str) -> None:
        await proposals.expire(proposal_id)

    async def respond(journal: Journal, incident_id: str) -> None:
        await response.respond(journal, incident_id, deadlines=deadlines.opened)

    async def warn(journal: Journal, signal_key: str) -> None:
        await warnings.warn(journal, signal_key, deadline=deadlines.warned)

    async def execute(journal: Journal, proposal_id: str) -> None:
        await execution.run(journal, proposal_id)
        await journal.step("checklist", lambda: checklist.paused(proposal_id), type(None))
        await journal.step("unpause", lambda: unpausing.ended(proposal_id), type(None))
        await journal.step("ballot", lambda: ballots.begin(proposal_id), type(None))
        await journal.step("announce", lambda: announcements.executed(proposal_id), type(None))
        await journal.step("head", lambda: heads.executed(proposal_id), type(None))

    async def passed(journal: Journal, deadline_id: str) -> None:
        await deadlines.passed(journal, deadline_id, become=lifecycle.escalate, open_warning=triage.open_from_warning)

    async def watch(journal: Journal, deadline_id: str) -> None:
        await watching.watch(journal, deadline_id)
        await journal.step("announce", lambda: announcements.watched(deadline_id), type(None))

    durable.workflow(CHANGED, lifecycle.changed)
    durable.workflow(MOVED, lifecycle.moved)
    durable.workflow(DEADLINE, passed)
    durable.workflow(BALLOT, ballots.run)
    durable.workflow(WATCH, watch)
    durable.workflow(UNPAUSE, unpausing.wait)
    durable.workflow(RESPOND, respond)
    durable.workflow(PAGE, paging.page)
    durable.workflow(FOLLOW, paging.follow)
    durable.workflow(CALL, calling.run)
    durable.workflow(UPDATE, updates.ask)
    durable.workflow(PAGE_NOTE, page_notes.write)
    durable.workflow(PAGE_EVENT, page_events.show)
    durable.workflow(WARN, warn)
    durable.workflow(CALM, warnings.calm)
    durable.workflow(RESOLVED, followup.resolved)
    durable.workflow(EXPIRE, expire)
    durable.workflow(EXECUTE, execute)
    durable.workflow(SETTLE, settling.run)
    durable.workflow(HEAD, heads.post)
