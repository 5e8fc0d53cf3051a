"""Probes ask one outside system one read-only question; a Finding is the answer, or that there was none."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from bot.errors import BotError

P_contra = TypeVar("P_contra", contravariant=True)
"""The read ports a probe is handed. A probe never sees a write port, so one that writes does not type-check."""


class State(StrEnum):
    """What a Finding says. UNKNOWN is never OK and never zero."""

    OK = "OK"
    BAD = "BAD"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """An answer with its evidence. `probe`, `title`, `command` and `seconds` are filled in by the Probe that asked."""

    state: State
    summary: str
    """One line for people. May quote the outside, so it is escaped and redacted before it is shown."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the runbook's conditions look at: plain JSON values."""
    evidence: str = ""
    """Raw lines from outside, such as a log's tail."""
    hashes: tuple[str, ...] = ()
    """Transactions the bot itself read from the chain: their hashes look like private keys, and are none."""
    probe: str = ""
    title: str = ""
    command: str = ""
    """The runbook's own command for the same question: "run this yourself"."""
    people: tuple[str, ...] = ()
    """User ids from the bot's own record: these people can be mentioned in the summary."""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether this is proven to be fine."""
        return self.state is State.OK


Findings = Mapping[str, Finding]
"""By the key of the probe."""


def ok(summary: str, *, evidence: str = "", hashes: Sequence[str] = (), **facts: Any) -> Finding:
    """The question was answered, and all is well."""
    return Finding(State.OK, summary, facts, evidence, tuple(hashes))


def bad(summary: str, *, evidence: str = "", hashes: Sequence[str] = (), **facts: Any) -> Finding:
    """The question was answered, and something is wrong."""
    return Finding(State.BAD, summary, facts, evidence, tuple(hashes))


def unknown(summary: str, *, evidence: str = "", **facts: Any) -> Finding:
    """The question was not answered; the summary says why."""
    return Finding(State.UNKNOWN, summary, facts, evidence)


@dataclass(frozen=True)
class Probe(Generic[P_contra]):
    """One question. `ask` may raise or hang: `run` turns both into an UNKNOWN Finding."""

    key: str
    title: str
    ask: Callable[[P_contra], Awaitable[Finding]]
    command: str = ""
    compose: str = ""
    """The command where docker-compose runs what is asked about; empty where it makes no difference."""
    composed: Callable[[P_contra], bool] = lambda _: False
    """Whether docker-compose runs it, by configuration."""
    timeout: float = 5.0
    """Seconds. A probe that needs longer is a probe that nobody waits for at 03:00."""

    async def run(self, reads: P_contra, patience: float = 1.0) -> Finding:
        """Ask, within `patience` times the timeout. Never raises, except when cancelled."""
        began, limit = time.monotonic(), self.timeout * patience
        try:
            async with asyncio.timeout(limit):
                finding = await self.ask(reads)
        except TimeoutError:
            finding = unknown(f"no answer within {limit:g} s")
        except BotError as error:
            finding = unknown(error.happened)
        except Exception as error:  # noqa: BLE001 - a broken probe is a question without an answer, not the end of a diagnosis
            finding = unknown(f"the probe itself failed: {type(error).__name__}")
        took = time.monotonic() - began
        command = self.compose if self.composed(reads) else self.command
        return replace(finding, probe=self.key, title=self.title, command=command, seconds=took)
