"""`/musd page <role> <text>`: somebody wakes a role's people by hand, without an incident."""

import secrets
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from bot.domain.cards import NoticeCard
from bot.domain.incident import Incident, IncidentState
from bot.domain.oncall import OnCallRole
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.engine.durable import Durable
from bot.engine.oncall import OnCall
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Journal, Page, Pager

CALL = "call"
"""The workflow about one such page. Its subject is the call as JSON; the call's id names the run."""


class Call(BaseModel):
    """Who wants whom woken, and why."""

    model_config = ConfigDict(frozen=True)

    id: str
    role: OnCallRole
    text: str
    person: str
    channel: str
    """Where the person was when they asked."""
    at: datetime


class Calling:
    """Pages that are about no incident."""

    def __init__(
        self, *, chat: Chat, pager: Pager | None, oncall: OnCall, durable: Durable, proposals: Proposals
    ) -> None:
        self._chat = chat
        self._pager = pager
        self._oncall = oncall
        self._durable = durable
        self._proposals = proposals

    async def call(self, person: str, role: str, text: str, channel: str) -> OnCallRole:
        """Wake whoever is on call for a role. When this returns, it is not forgotten any more.

        Raises:
            RefusedError: no responder, no such role, nothing said, or no PagerDuty.
        """
        await self._proposals.allow(person, Role.RESPONDER, "page somebody")
        known = ", ".join(f"`{one}`" for one in OnCallRole)
        if role not in set(OnCallRole):
            raise RefusedError(
                f"There is no role {role[:40]!r}.", means="Nobody was paged.", next_step=f"There are {known}."
            )
        if not text.strip():
            raise RefusedError(
                "A page needs a text.", means="Nobody was paged.", next_step="Say in a line what is wrong."
            )
        if self._pager is None:
            raise RefusedError(
                "PagerDuty is not configured (MUSD_PAGERDUTY_ROUTING_KEY).",
                means="Nobody was paged.",
                next_step="Call whoever is on call by phone.",
            )
        call = Call(
            id=secrets.token_hex(8),
            role=OnCallRole(role),
            text=text.strip()[:500],
            person=person,
            channel=channel,
            at=datetime.now(UTC),
        )
        await self._durable.start(CALL, call.model_dump_json(), run_id=f"{CALL}-{call.id}")
        return call.role

    async def run(self, journal: Journal, subject: str) -> None:
        """Send it until it is taken, and say where it was asked for what came of it."""
        call = Call.model_validate_json(subject)
        said = await journal.step("page", lambda: self._page(call), str)
        await journal.step("say", lambda: self._say(call, said), type(None))

    async def _page(self, call: Call) -> str:
        """Empty where it was taken, else why it never will be."""
        pager = self._pager
        if pager is None:
            return "PagerDuty is not configured any more."
        page = Page(call.role, (("Where it was asked for", f"https://slack.com/app_redirect?channel={call.channel}"),))
        about = Incident(
            id=call.id,
            topic=f"call:{call.id}",
            runbook=None,
            title=call.text,
            severity=Severity.CRITICAL,
            state=IncidentState.OPEN,
            opened_at=call.at,
        )
        key = f"musd-call-{call.id}"
        try:
            await until_available(lambda: pager.trigger(key, about, page))
        except BotError as error:
            try:
                await until_available(lambda: pager.fall_back(key, about, page))
            except BotError as second:
                return f"{error.happened} {second.happened}"
        return ""

    async def _say(self, call: Call, why: str) -> None:
        people = tuple(await self._oncall.people(call.role))
        named = ", ".join(f"<@{one}>" for one in people) or "whoever is on call"
        if why:
            text = f"NOBODY WAS PAGED for {call.role.label}: {why} Call {named} by phone."
        else:
            text = f"<@{call.person}> paged {call.role.label} ({named})."
        card = NoticeCard(State.BAD if why else State.OK, text, quote=call.text, people=(*people, call.person))
        for channel in dict.fromkeys((call.channel, self._oncall.channel(call.role))):
            if channel:
                await self._post(channel, card, f"call:{call.id}:{channel}")

    async def _post(self, channel: str, card: NoticeCard, key: str) -> None:
        try:
            await self._chat.post(channel, card, key=key)
        except BotError:  # a direct message, or a channel the bot is not in: the page itself is what counts
            return
