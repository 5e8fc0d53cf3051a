"""The part of the composition root that builds what speaks to Canton."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import structlog

from bot.adapters import ledger_api
from bot.adapters.ledger import CantonLedger
from bot.adapters.ledger_writes import CantonWrites
from bot.domain.probe import Probe
from bot.ports import LedgerReads, LedgerWrites, Reads
from bot.probes import canton, ledger, prices, supply
from bot.settings import Settings
from bot.wiring.infra import pair

log = structlog.get_logger()


def ledger_reads(settings: Settings, stack: AsyncExitStack) -> LedgerReads:
    """Canton, read only."""
    made = CantonLedger(
        settings.ledger_url,
        settings.ledger_token,
        package=settings.ledger_package,
        services=settings.canton_services,
        timeout=ledger_api.TIMEOUT * settings.patience,
    )
    stack.push_async_callback(made.close)
    return made


def ledger_writes(settings: Settings, stack: AsyncExitStack) -> LedgerWrites | None:
    """Canton with whatever the bot may do there; None where there is no participant."""
    if not settings.ledger_url:
        return None
    if not settings.ledger_guardian_token.get_secret_value():
        log.warning("the bot can't propose or vote on Canton (MUSD_LEDGER_GUARDIAN_TOKEN)")
    made = CantonWrites(
        settings.ledger_url,
        settings.ledger_token,
        guardian_token=settings.ledger_guardian_token,
        operator_token=settings.ledger_operator_token,
        package=settings.ledger_package,
        services=settings.canton_services,
    )
    stack.push_async_callback(made.close)
    return made


def board(settings: Settings, writes: LedgerWrites | None) -> Sequence[Probe[Reads]]:
    """The lines of `/musd canton`. Of `writes` only the question is asked who the bot speaks as."""
    return (
        ledger.reachable(),
        canton.version(),
        canton.end(),
        *(canton.paused(one) for one in settings.canton_services),
        prices.on_canton(),
        supply.canton(),
        canton.ballots(guardians(settings)),
        canton.proofs(),
        canton.pause_votes(),
        *([canton.voice(writes.guardian)] if writes else []),
    )


def guardians(settings: Settings) -> Mapping[str, str]:
    """Who holds which guardian party, by party."""
    return dict(pair(one) for one in settings.canton_guardians)
