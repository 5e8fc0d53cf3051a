"""The doctor over the adapters: which checks there are. Built also where the bot itself could not start."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from bot.adapters.rpc import Rpcs
from bot.adapters.slack_web import web_client
from bot.domain.cards import Line
from bot.domain.probe import Probe
from bot.engine.asking import ask, lines, unseen
from bot.ports import LedgerWrites, Reads
from bot.probes import canton
from bot.settings import Settings
from bot.wiring.adapters import databases, ethereum, reads
from bot.wiring.canton import ledger_writes
from bot.wiring.checks import docker, kubernetes, network, outside, pausing, people, runbooks, slack, storage
from bot.wiring.checks import ethereum as ethereum_checks
from bot.wiring.checks.check import mended

VOICE = "Set MUSD_LEDGER_GUARDIAN_TOKEN: its user may act as exactly one guardian party (docs/canton.md)."


def checks(settings: Settings, client: Any, rpcs: Rpcs, ledger: LedgerWrites | None) -> Sequence[Probe[Reads]]:
    """Every check."""
    return [
        *slack.checks(settings, client),
        *ethereum_checks.checks(settings, rpcs),
        *pausing.checks(settings, rpcs),
        *outside.checks(settings),
        *([mended(canton.voice(ledger.guardian), VOICE)] if ledger else []),
        *people.checks(settings),
        *runbooks.checks(),
        *storage.checks(databases(settings)[0]),
        *network.checks(settings),
        *kubernetes.checks(settings),
        *docker.checks(settings),
    ]


async def examine(settings: Settings) -> Sequence[Line]:
    """Every check with its Finding, with adapters of its own that only read."""
    async with AsyncExitStack() as stack:
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
        rpcs = ethereum(settings, stack)
        every = checks(settings, client, rpcs, ledger_writes(settings, stack))
        return lines(every, await ask(every, reads(settings, rpcs, stack), unseen))
