"""The head of the audit log's chain, posted where the database can't reach: rewriting history then needs Slack too.

Once a day, after every execution, and when a process begins to lead (a terminal may have paused meanwhile). Whoever
doubts the log gives the posted head to `musd-bot audit verify --head`: a tail that was cut off since is found by it.
"""

from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.cards import AuditHeadCard
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.errors import UnavailableError
from bot.ports import AuditFilter, Chat, Journal, Store

HEAD = "audit-head"
"""The workflow that posts it. Its subject is what it is posted after, such as ``day:2026-11-24``."""
_PATIENCE = timedelta(hours=12)
"""How long one head waits for Slack: the next day's comes anyway."""

log = structlog.get_logger()


class Heads:
    """Posts the head of the chain."""

    def __init__(self, store: Store, chat: Chat, durable: Durable, channel: str) -> None:
        """`channel`: where, by name; nowhere where it is empty."""
        self._store = store
        self._chat = chat
        self._durable = durable
        self._channel = channel
        self._asked_for = ""
        """The day whose workflow is known to exist: spares asking again."""

    async def settle_all(self) -> None:
        """See that this day's head is posted, or will be. Twice is once."""
        day = f"day:{datetime.now(UTC):%Y-%m-%d}"
        if self._channel and day != self._asked_for:
            await self._durable.start(HEAD, day)
            self._asked_for = day

    async def led(self) -> None:
        """This process leads now: whatever was written since the last head was posted is covered by a new one."""
        newest = await self._store.newest_audit(1, AuditFilter())
        if self._channel and newest:
            await self._durable.start(HEAD, f"row:{newest[0].seq}")

    async def executed(self, proposal_id: str) -> None:
        """Something was carried out, or refused at the last moment. Nobody waits for the head."""
        if self._channel:
            await self._durable.start(HEAD, f"execution:{proposal_id}")

    async def post(self, journal: Journal, after: str) -> None:
        """Post the head as it is now."""
        await journal.step("post", lambda: self._post(after), type(None))

    async def _post(self, after: str) -> None:
        try:
            await until_available(lambda: self._once(after), within=_PATIENCE)
        except UnavailableError as error:
            log.error("the audit log's head was not posted", after=after, why=error.sentences())  # noqa: TRY400

    async def _once(self, after: str) -> None:
        newest = await self._store.newest_audit(1, AuditFilter())
        if newest:
            card = AuditHeadCard(newest[0].head, datetime.now(UTC), _WHY[after.partition(":")[0]])
            await self._chat.post(self._channel, card, key=f"{HEAD}:{after}")


_WHY = {"day": "today's", "row": "as this process begins to lead", "execution": "after an execution"}
