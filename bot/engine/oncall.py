"""Who is on call: asked of PagerDuty, remembered for when it does not answer, and known by their names in Slack."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.cards import OnCallCard, OnCallRow
from bot.domain.oncall import Contact, Contacts, OnCallRole, Shift, following, present
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import Chat, OnCallReads

_PATIENCE = 3.0
"""Seconds an incident waits for the answer: people are invited and mentioned all the same."""
_FRESH = timedelta(minutes=5)
"""How old an answer may be: shifts change by the day, and a page must not wait for the look-up."""

log = structlog.get_logger()


class OnCall:
    """The table *On-Call Contacts* with the people behind it."""

    def __init__(self, *, reads: OnCallReads | None, chat: Chat, contacts: Contacts) -> None:
        """`reads` is None where no REST token is configured: the table is then only names."""
        self._reads = reads
        self._chat = chat
        self._contacts = contacts
        self._known: dict[OnCallRole, tuple[datetime, Sequence[Shift]]] = {}

    def channel(self, role: OnCallRole) -> str:
        """The Slack channel of a role's people, by name; empty where there is none."""
        return self._contacts[role].channel

    async def board(self) -> OnCallCard:
        """The whole table as it is now."""
        return OnCallCard(tuple([await self._row(role, contact) for role, contact in self._contacts.items()]))

    async def people(self, role: OnCallRole) -> Sequence[str]:
        """Slack ids of whoever is on call now, the first level first; nobody where that can't be known."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._ids(present(await self._shifts(role), datetime.now(UTC)))
        except (BotError, TimeoutError) as error:
            log.warning("nobody knows who is on call", role=role, error=str(error))
        known = self._known.get(role)
        return await self._ids(present(known[1], datetime.now(UTC))) if known else []

    async def run(self) -> None:
        """Ask ahead of time, for as long as the bot leads: an outage of PagerDuty then finds an answer here."""
        while True:
            for role in self._contacts:
                with suppress(BotError):
                    await self._shifts(role)
            await asyncio.sleep(_FRESH.total_seconds() / 2)

    async def agent(self, user_id: str) -> str | None:
        """The Slack id of a PagerDuty user; None where nobody can tell."""
        if self._reads is None:
            return None
        try:
            email = await self._reads.email(user_id)
            return await self._chat.person_of(email) if email else None
        except UnavailableError:
            return None

    async def _row(self, role: OnCallRole, contact: Contact) -> OnCallRow:
        try:
            shifts = await self._shifts(role)
        except BotError as error:
            return OnCallRow(role, contact, problem=error.happened, setup=isinstance(error, RefusedError))
        now = datetime.now(UTC)
        on_call = present(shifts, now)
        after = following(shifts, now)
        people = tuple([(shift, await self._id(shift)) for shift in on_call])
        return OnCallRow(role, contact, present=people, following=(after, await self._id(after)) if after else None)

    async def _shifts(self, role: OnCallRole) -> Sequence[Shift]:
        """Raises `RefusedError` where the table is not configured, `UnavailableError` where nothing is known at all."""
        now, known = datetime.now(UTC), self._known.get(role)
        if known is not None and now - known[0] < _FRESH:
            return known[1]
        if self._reads is None:
            raise RefusedError("PagerDuty's REST API is not configured (MUSD_PAGERDUTY_API_TOKEN).")
        policy = self._contacts[role].policy
        if not policy:
            raise RefusedError(f"No escalation policy is configured (MUSD_ONCALL_{role.name}_POLICY).")
        try:
            self._known[role] = now, await self._reads.by_policy(policy)
        except UnavailableError:
            if known is None:
                raise
            return known[1]  # shifts are planned weeks ahead: an older answer still says who it is
        return self._known[role][1]

    async def _ids(self, shifts: Sequence[Shift]) -> list[str]:
        found = [await self._id(shift) for shift in shifts]
        return list(dict.fromkeys(one for one in found if one))

    async def _id(self, shift: Shift) -> str:
        """Empty where Slack knows nobody by that address, or does not answer."""
        try:
            return await self._chat.person_of(shift.email) or "" if shift.email else ""
        except UnavailableError:
            return ""
