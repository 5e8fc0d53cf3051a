"""Pages: sent until somebody takes them, shouted in Slack while nobody does, and following the incident from then on.

PagerDuty makes one incident of any number of triggers with one key, so trying again wakes nobody twice. The second
integration is another key's place: it is tried only once the first has refused, or has been silent for a while.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from bot.domain.cards import NoticeCard, UrgentCard
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.oncall import OnCallRole
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.routing import Routing
from bot.engine.checklist import Checklist
from bot.engine.durable import Durable
from bot.engine.oncall import OnCall
from bot.engine.persistence import until_available
from bot.engine.rooms import with_channel
from bot.errors import BotError
from bot.ports import Chat, Journal, Page, Pager, Roster, Store
from bot.runbooks import Runbooks

PAGE = "page"
"""The workflow that wakes somebody about an incident."""
FOLLOW = "page-follow"
"""The workflow that tells PagerDuty about one change of an incident."""
ORIGIN = "pagerduty"
"""Where a change came from that PagerDuty need not be told about, in its timeline entry's evidence."""

_LINK_WITHIN = 2.0
"""Seconds a page waits for its channel, so that it can say where everybody is."""
_SLACK = timedelta(seconds=20)
_LONGEST = 15.0
"""Seconds between two rounds of trying, at most."""
_MENTIONED = 10

PAGES = Counter("musd_pages", "Rounds of trying to page, by what became of them", ["outcome"])

log = structlog.get_logger()


class Paging:
    """Durable workflows, and what others ask about an incident's page."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        pager: Pager | None,
        oncall: OnCall,
        roster: Roster,
        durable: Durable,
        runbooks: Runbooks,
        routing: Routing,
        checklist: Checklist,
        alerts_channel: str,
        runbook_url: str,
        fall_back_after: timedelta,
    ) -> None:
        """`fall_back_after`: how long the first integration may be silent before the second is tried."""
        self._store = store
        self._chat = chat
        self._pager = pager
        self._oncall = oncall
        self._roster = roster
        self._durable = durable
        self._runbooks = runbooks
        self._routing = routing
        self._checklist = checklist
        self._alerts_channel = alerts_channel
        self._runbook_url = runbook_url
        self._fall_back_after = fall_back_after
        self._escalating: dict[str, datetime] = {}

    def role(self, incident: Incident) -> OnCallRole:
        """Whose people an incident is for."""
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        return self._routing.role(incident.labels, runbook.role if runbook else None)

    # --- Waking ------------------------------------------------------------------------------------------------------

    async def page(self, journal: Journal, incident_id: str) -> None:
        """Wake whoever is on call. Nothing that Slack does holds it up for more than two seconds."""
        if self._pager is None:
            why = "PagerDuty is not configured (MUSD_PAGERDUTY_ROUTING_KEY)."
            await journal.step("shout", lambda: self._shout(incident_id, why), type(None))
            return
        number = 0
        while why := await self._round(journal, incident_id, number):
            await self._shouted(journal, incident_id, number, why)
            await journal.sleep(min(2.0**number, _LONGEST))
            number += 1
        await journal.step("catch up", lambda: self._catch_up(incident_id, late=number > 0), type(None))
        await journal.step("dress", lambda: self._dress(incident_id), type(None))

    async def _round(self, journal: Journal, incident_id: str, number: int) -> str:
        """One round of trying; why it failed, or nothing where somebody was woken or need not be any more."""
        return await journal.step(f"page {number}", lambda: self._try(incident_id), str)

    async def _shouted(self, journal: Journal, incident_id: str, number: int, why: str) -> None:
        await journal.step(f"shout {number}", lambda: self._shout(incident_id, why), type(None))

    async def _try(self, incident_id: str) -> str:
        pager, incident = self._pager, await with_channel(self._store, incident_id, _LINK_WITHIN)
        if pager is None or not incident.is_open:
            return ""
        page = self._page(incident)
        try:
            await pager.trigger(incident.page_key, incident, page)
        except BotError as error:
            why, lasting = error.happened, getattr(error, "lasting", True)
        else:
            await self._paged(incident, f"PagerDuty paged {page.role.label} (dedup key {incident.page_key})")
            return ""
        if not lasting and datetime.now(UTC) - incident.opened_at < self._fall_back_after:
            return why
        try:
            await pager.fall_back(incident.page_key, incident, page)
        except BotError as error:
            return f"{why} {error.happened}"
        said = f"PagerDuty paged through the SECOND integration (dedup key {incident.page_key}): {why}"
        await self._paged(incident, said)
        await self._tell(incident, NoticeCard(State.UNKNOWN, said), f"page-second:{incident_id}")
        return ""

    async def _paged(self, incident: Incident, text: str) -> None:
        PAGES.labels("taken").inc()
        await self._note(incident.id, f"page:{incident.revision}", text)
        await self._checklist.seen(incident.id, "page", text)

    async def _shout(self, incident_id: str, why: str) -> None:
        """Loud, once, and to the people whose telephone does not ring: a direct mention is what is left."""
        PAGES.labels("failed").inc()
        incident = await self._incident(incident_id)
        role = self.role(incident)
        people = await self._oncall.people(role) or self._roster.holders(Role.RESPONDER)
        text = (
            f"The page to {role.label} did not go out: {why} "
            + ("The bot goes on trying. " if self._pager else "")
            + "Call whoever is on call by phone, now."
        )
        card = UrgentCard(f"NOBODY WAS PAGED: {incident.title}", text, tuple(people[:_MENTIONED]))
        await self._note(incident_id, "page-failed", f"Nobody was paged: {why}")
        await self._tell(incident, card, f"page-failed:{incident_id}")

    async def _catch_up(self, incident_id: str, *, late: bool) -> None:
        """What happened to the incident while nobody could be woken is so in PagerDuty too."""
        incident, pager = await self._incident(incident_id), self._pager
        if pager is None:
            return
        if late:
            text = "PagerDuty takes pages again: this incident's page is delivered."
            await self._tell(incident, NoticeCard(State.OK, text), f"page-late:{incident_id}")
        changes = [one for one in await self._store.timeline(incident_id) if one.key.startswith("change:")]
        if changes and changes[-1].evidence.get("origin") == ORIGIN:
            return
        if incident.state is IncidentState.ACKNOWLEDGED:
            await until_available(lambda: pager.acknowledge(incident.page_key))
        elif not incident.is_open:
            await until_available(lambda: pager.resolve(incident.page_key))

    async def _dress(self, incident_id: str) -> None:
        """What the page does not need to wake somebody: its priority, and where everybody is."""
        incident, pager = await with_channel(self._store, incident_id, _SLACK.total_seconds()), self._pager
        if pager is None:
            return
        key = incident.page_key
        with suppress(BotError):
            await until_available(lambda: pager.prioritise(key, incident.severity), within=_SLACK)
        if incident.channel:
            text = f"Incident channel #{incident.channel_name}: {_address(incident.channel)}"
            with suppress(BotError):
                await until_available(lambda: pager.note(key, text), within=_SLACK)

    def _page(self, incident: Incident) -> Page:
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        links = [("The incident's channel in Slack", _address(incident.channel))] if incident.channel else []
        if runbook is not None and self._runbook_url:
            anchor = runbook.section.lower().replace(" ", "-").replace("/", "")
            links.append((f"Runbook: {runbook.section}", f"{self._runbook_url}#{anchor}"))
        return Page(self.role(incident), tuple(links))

    # --- Following the incident --------------------------------------------------------------------------------------

    async def changed(self, incident_id: str, kind: str, revision: int) -> None:
        """An incident has changed: what PagerDuty has to hear is a workflow of its own, for which Slack never waits."""
        if self._pager is None:
            return
        incident = await self._incident(incident_id)
        if kind == "raised" and incident.is_open and incident.pages:
            await self._durable.start(PAGE, incident_id)
        if kind == "reopened" and incident.is_open and incident.pages:
            await self._durable.start(PAGE, incident_id, run_id=f"{PAGE}-{incident_id}-{revision}")
        if kind in {"acknowledged", "resolved", "raised", "lowered"}:
            await self._durable.start(FOLLOW, f"{incident_id}:{revision}")

    async def follow(self, journal: Journal, subject: str) -> None:
        """Tell PagerDuty about a stored change, unless it came from there."""
        incident_id, _, revision = subject.rpartition(":")
        entries = await self._store.timeline(incident_id)
        entry = next(one for one in entries if one.key == f"change:{revision}")
        if entry.evidence.get("origin") != ORIGIN:
            await journal.step("tell", lambda: self._follow(incident_id, str(entry.evidence["change"])), type(None))

    async def _follow(self, incident_id: str, kind: str) -> None:
        incident, pager = await self._incident(incident_id), self._pager
        # A page that has not gone out yet brings PagerDuty up to date itself, once it has.
        if pager is None or not await self._was_paged(incident_id):
            return
        key = incident.page_key
        if kind == "acknowledged" and incident.is_open:
            await until_available(lambda: pager.acknowledge(key))
        elif kind == "resolved" and not incident.is_open:
            await until_available(lambda: pager.resolve(key))
        elif kind in {"raised", "lowered"}:
            with suppress(BotError):
                await until_available(lambda: pager.prioritise(key, incident.severity), within=_SLACK)

    async def _was_paged(self, incident_id: str) -> bool:
        return any(one.key.startswith("page:") for one in await self._store.timeline(incident_id))

    async def escalate(self, incident: Incident, within: timedelta) -> str:
        """Wake the level above. Says what came of it, and never raises: people can still call.

        Returns:
            ``Page escalated to …``, or why it was not.
        """
        pager = self._pager
        if not incident.pages:
            return "No page to escalate: the incident is not critical"
        if pager is None:
            return "The page was not escalated: PagerDuty is not configured"
        self._escalating[incident.id] = datetime.now(UTC)
        try:
            return (
                f"Page escalated to {await until_available(lambda: pager.escalate(incident.page_key), within=within)}"
            )
        except BotError as error:
            return f"The page was NOT escalated: {error.sentences()}"

    def escalated_here(self, incident_id: str) -> bool:
        """Whether the bot itself escalated this page a moment ago, so that PagerDuty's word of it is an echo."""
        began = self._escalating.get(incident_id)
        return began is not None and datetime.now(UTC) - began < timedelta(minutes=3)

    # --- Small things ------------------------------------------------------------------------------------------------

    async def _tell(self, incident: Incident, card: NoticeCard | UrgentCard, key: str) -> None:
        channel = incident.channel or self._alerts_channel
        try:
            await until_available(lambda: self._chat.post(channel, card, key=key), within=_SLACK)
        except BotError as error:
            log.warning("this could not be said in Slack", key=key, error=str(error))

    async def _note(self, incident_id: str, key: str, text: str) -> None:
        entry = TimelineEntry(incident_id=incident_id, key=key, at=datetime.now(UTC), actor="bot", text=text)
        await self._store.note(entry)

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise LookupError(f"no incident {incident_id}")
        return incident


def _address(channel: str) -> str:
    """A channel's address that needs no look-up of the workspace's own."""
    return f"https://slack.com/app_redirect?channel={channel}"
