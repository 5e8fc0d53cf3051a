"""The people's side: Slack, PagerDuty, and who may do what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.cards import Card
from bot.domain.incident import Incident
from bot.domain.oncall import OnCallRole, Shift
from bot.domain.policy import Role, Standing
from bot.domain.signal import Severity


@dataclass(frozen=True)
class MessageRef:
    """Where a message is."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Page:
    """What whoever is woken is told besides the incident itself."""

    role: OnCallRole
    links: tuple[tuple[str, str], ...] = ()
    """Addresses, each with its words."""


class Chat(Protocol):
    """Slack, as the engine sees it: cards into channels."""

    async def open_channel(self, name: str, *, private: bool, since: datetime) -> str:
        """Make a channel and return its id. One of that name that this bot made after `since` is that channel.

        Raises:
            RefusedError: the name belongs to another channel.
        """

    async def describe(self, channel: str, topic: str) -> None:
        """Set the channel's topic."""

    async def invite(self, channel: str, people: Sequence[str]) -> None:
        """Invite these user ids; those who are in already, or can't come, stop nobody else."""

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> MessageRef:
        """Post a card once per `key`: a second call, also after a crash or a lost answer, finds the first message."""

    async def edit(self, message: MessageRef, card: Card) -> None:
        """Replace a message of ours. Edits of one message in quick succession may be coalesced; the last one wins."""

    async def upload(
        self,
        channel: str,
        name: str,
        text: str,
        *,
        key: str,
        thread: str | None = None,
        known: Collection[str] = (),
        tail: bool = False,
    ) -> None:
        """Put a text file into a channel, once per `key`. Whatever looks like a secret in it is redacted first.

        Args:
            channel: its id or name.
            name: of the file.
            text: of which 50 000 characters at most are sent: the first ones, or the last ones with `tail`.
            key: makes uploading it twice once.
            thread: where it goes, within the channel.
            known: hashes of ours that look like secrets and are none.
            tail: keep the end, as of a log.
        """

    async def picture(
        self, channel: str, name: str, content: bytes, *, alt: str, key: str, thread: str | None = None
    ) -> None:
        """Put a PNG into a channel, once per `key`.

        Args:
            channel: its id or name.
            name: of the file.
            content: the PNG.
            alt: the same in words, for those who can't see it.
            key: makes uploading it twice once.
            thread: where it goes, within the channel.
        """

    async def permalink(self, message: MessageRef) -> str:
        """A message's address."""

    async def text_of(self, message: MessageRef) -> tuple[str, str]:
        """Who wrote a message, by user id, and what."""

    async def name(self, person: str) -> str:
        """What a person is called."""

    async def person_of(self, email: str) -> str | None:
        """The user id of the person with this address; None where Slack knows nobody by it."""

    async def archive(self, channel: str, *, archived: bool = True) -> None:
        """Put a channel away, or bring it back. One that is so already is success."""

    async def whisper(self, channel: str, person: str, card: Card) -> None:
        """Say something that only this person sees."""


class Pager(Protocol):
    """PagerDuty's incidents: everything here may be asked again with the same key."""

    async def trigger(self, key: str, incident: Incident, page: Page) -> None:
        """Wake whoever is on call for the page's role; once per key."""

    async def fall_back(self, key: str, incident: Incident, page: Page) -> None:
        """The same through the second integration.

        Raises:
            RefusedError: there is none.
        """

    async def acknowledge(self, key: str) -> None:
        """Say there that somebody is on it."""

    async def resolve(self, key: str) -> None:
        """End the page."""

    async def escalate(self, key: str) -> str:
        """Wake the second level of the page's escalation policy, unless it was; who that is, in words.

        Raises:
            RefusedError: there is no open page of this key, or no second level.
        """

    async def prioritise(self, key: str, severity: Severity) -> None:
        """Give the page the priority of an incident of this severity. Nothing where priorities are not in use."""

    async def note(self, key: str, text: str) -> None:
        """Write a note on the page, unless it has one of these words already. Nothing where there is no page."""


class OnCallReads(Protocol):
    """PagerDuty's schedules, read only."""

    async def by_policy(self, policy: str) -> Sequence[Shift]:
        """Who is on call by the escalation policy of this name, from now on and for some weeks; empty: nobody.

        Raises:
            RefusedError: there is no such policy.
        """

    async def by_schedule(self, schedule: str) -> Sequence[Shift]:
        """Who is on call by the schedule of this name or id now; empty: nobody.

        Raises:
            RefusedError: there is no such schedule.
        """

    async def email(self, user_id: str) -> str:
        """The address of a PagerDuty user, by which Slack knows the same person."""


class Roster(Protocol):
    """Who may do what."""

    async def standing(self, person: str, needed: Role) -> Standing:
        """What the person may do now. A failing look-up means no role by that way, never any.

        Groups and schedules are looked up only where the ids in the configuration do not give the role that is needed.
        """

    def holders(self, at_least: Role) -> Sequence[str]:
        """The ids configured for a role or a higher one."""
