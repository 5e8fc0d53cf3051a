"""What the terminal needs of the bot where Slack is not: answers and the record, and nothing that changes anything."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from bot.adapters.store import SqlStore, revisions
from bot.adapters.store.chain import broken
from bot.adapters.store.record import AuditLink
from bot.domain.cards import Line
from bot.domain.probe import Findings, Probe
from bot.domain.runbook import Runbook, Verdict, decide
from bot.engine.asking import ask, lines, unseen
from bot.engine.status import board
from bot.errors import BotError, RefusedError
from bot.ports import Reads
from bot.probes import pausing
from bot.settings import Settings
from bot.wiring.adapters import databases, ethereum, reads

_PAGE = 1000
"""Rows of the audit log read at once."""


async def status(settings: Settings) -> Sequence[Line]:
    """The lines of `/musd status`, all answered; but for "could we pause?", which is for the process with the key."""
    probes = [probe for probe in board(settings.pausable) if probe.key != pausing.KEY]
    return (await _asked(settings, probes))[0]


async def diagnosis(settings: Settings, runbook: Runbook[Reads]) -> tuple[Sequence[Line], Verdict]:
    """A runbook's probes, and what they prove."""
    shown, findings = await _asked(settings, runbook.probes)
    return shown, decide(runbook, findings)


async def _asked(settings: Settings, probes: Sequence[Probe[Reads]]) -> tuple[Sequence[Line], Findings]:
    async with AsyncExitStack() as stack:
        store = None
        with suppress(BotError):  # its probes say then that it is not at hand
            store = await stack.enter_async_context(record(settings))
        findings = await ask(probes, reads(settings, ethereum(settings, stack), stack, record=store), unseen)
    return lines(probes, findings), findings


@asynccontextmanager
async def record(settings: Settings) -> AsyncIterator[SqlStore]:
    """The state of record, as it stands: nothing is made or brought up to date.

    Raises:
        RefusedError: there is no database there, or it is of another version.
    """
    url = databases(settings)[0]
    at, newest = await revisions(url)
    if at != newest:
        stands = f"is at revision {at}" if at else "has nothing in it"
        raise RefusedError(
            f"The database {stands}; this version reads revision {newest}.",
            means="Nothing was read.",
            next_step="Check MUSD_DATA_DIR or DATABASE_URL; `musd-bot serve` makes and migrates it.",
        )
    store = SqlStore(url)
    try:
        yield store
    finally:
        await store.close()


async def audit_log(settings: Settings) -> Sequence[AuditLink]:
    """Every row of the audit log, in its order.

    Raises:
        RefusedError: there is no database there, or it is of another version.
    """
    found: list[AuditLink] = []
    async with record(settings) as store:
        while some := await store.audit_trail(_PAGE, after=found[-1].seq if found else 0):
            found += some
    return found


async def audit_chain(settings: Settings, known: tuple[int, str] | None) -> tuple[list[str], str]:
    """What is wrong with the audit log's chain, and its head as ``NUMBER:HASH``."""
    links = await audit_log(settings)
    head = f"{links[-1].seq}:{links[-1].hash}" if links else ""
    return broken(links, known), head
