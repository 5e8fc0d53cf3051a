"""`/musd status`, `/musd canton`: how something is right now, in one message that fills in."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.actions.pause import contract_name
from bot.domain.cards import Line, StatusCard
from bot.domain.probe import Probe, State
from bot.domain.runbook import Runbook
from bot.engine.asking import ask, lines, unseen
from bot.ports import Chat, MessageRef, Reads
from bot.probes import chain, cluster, http, ledger, pausing, reserves, shares, supply, validators

_QUORUM = 2
"""Of three validators (Validator Down / Quorum Loss)."""


def board(contracts: Sequence[str]) -> Sequence[Probe[Reads]]:
    """Every line of the status. `contracts`: those of the emergency pause, by setting name, in order."""
    return (
        http.relay_health(),
        cluster.pods(validators.APP, expected=3, title="Validators"),
        validators.kms(),
        ledger.reachable(),
        supply.ethereum(),
        supply.canton(),
        reserves.ratio(),
        shares.price(),
        pausing.ready(),
        *(chain.paused(contract, contract_name(contract)) for contract in contracts),
        chain.oracle_price(),
        chain.head_is_fresh(),
    )


class Status:
    """A board: asks every line of it at once."""

    def __init__(
        self,
        reads: Reads,
        chat: Chat,
        probes: Sequence[Probe[Reads]],
        *,
        title: str = "mUSD protocol status",
        board: str = "status",
        runbooks: Sequence[Runbook[Reads]] = (),
    ) -> None:
        """`runbooks`: those that it is summed up by."""
        self._reads = reads
        self._chat = chat
        self._probes = tuple(probes)
        self._title = title
        self._board = board
        self._runbooks = runbooks

    @property
    def probes(self) -> Sequence[Probe[Reads]]:
        """What it is made of."""
        return self._probes

    async def show(self, channel: str, key: str) -> MessageRef:
        """Post the empty board at once, then fill it in. `key` makes a redelivered command one message."""
        at = datetime.now(UTC)
        message: asyncio.Task[MessageRef] = asyncio.create_task(
            self._chat.post(channel, self._card(lines(self._probes, {}), at), key=key)
        )

        async def fill(shown: tuple[Line, ...]) -> None:
            # Shielded: progress that is overtaken by the last answer is cancelled, the message itself must not be.
            await self._chat.edit(await asyncio.shield(message), self._card(shown, at))

        findings = await ask(self._probes, self._reads, fill)
        await fill(lines(self._probes, findings))
        return await message

    async def read(self) -> StatusCard:
        """The whole board at once, for places that can't be edited."""
        findings = await ask(self._probes, self._reads, unseen)
        return self._card(lines(self._probes, findings), datetime.now(UTC))

    def _card(self, shown: tuple[Line, ...], at: datetime) -> StatusCard:
        return StatusCard(shown, at, self._title, self._board, self._summed_up(shown))

    def _summed_up(self, shown: Sequence[Line]) -> tuple[tuple[str, State], ...]:
        """Each runbook's worst line, for those that any line here speaks of."""
        answered = {line.finding.probe: line.finding.state for line in shown if line.finding}
        said = []
        for runbook in self._runbooks:
            states = {answered[probe.key] for probe in runbook.probes if probe.key in answered}
            worst = next((one for one in (State.BAD, State.UNKNOWN, State.OK) if one in states), None)
            if worst is not None:
                said.append((runbook.title, worst))
        return tuple(said)
