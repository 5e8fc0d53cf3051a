"""What must be proven before something that was stopped runs again: a probe that is BAD or UNKNOWN refuses it.

Asked when an unpause is proposed and again right before it is carried out. Anything else has no preconditions.
"""

from collections.abc import Mapping, Sequence

from bot.actions.unpause import BRIDGE, ExecuteUnpause, Unpause
from bot.domain.action import Action
from bot.domain.probe import Finding, Findings, Probe, State
from bot.engine.asking import ask, unseen
from bot.errors import RefusedError
from bot.ports import Reads
from bot.probes import canton, chain, http, ledger, reserves, supply, validators

_ALWAYS: tuple[Probe[Reads], ...] = (
    chain.head_is_fresh(),
    chain.oracle_price(),
    supply.ethereum(),
    reserves.ratio(),
)
_OF_CONTRACT: Mapping[str, tuple[Probe[Reads], ...]] = {BRIDGE: (http.relay_health(), validators.pods())}
"""What a contract needs beside that: the bridge its relay and validators."""
_CANTON: tuple[Probe[Reads], ...] = (ledger.reachable(), supply.canton(), canton.running())
"""Canton comes first (Unpause Procedure, step 2)."""


class Preconditions:
    """Refuses an unpause whose reasons are not written down, or whose probes are not all OK."""

    def __init__(self, reads: Reads, *, with_canton: bool) -> None:
        """`with_canton`: whether a ledger is configured; without one nothing of it is asked."""
        self._reads = reads
        self._canton = with_canton

    async def hold(self, action: Action) -> None:
        """Return where this action may go on.

        Raises:
            RefusedError: with everything that is BAD or UNKNOWN.
        """
        if not isinstance(action, Unpause | ExecuteUnpause):
            return
        if not action.cause.strip() or not action.fix.strip():
            raise RefusedError(
                "The cause and the fix are not both written down.",
                means="Nothing is unpaused without them (Unpause Procedure, step 1).",
                next_step="Write down what was wrong and what was done about it.",
            )
        contracts = action.contracts if isinstance(action, Unpause) else (BRIDGE,)
        findings = await ask(self.probes(contracts), self._reads, unseen)
        if said := _against(findings):
            raise RefusedError(
                f"Not everything an unpause requires is OK. {said}",
                means="Nothing was sent, and everything stays paused.",
                next_step="Mend these, or find out about them, and propose it again.",
            )

    def probes(self, contracts: Sequence[str]) -> Sequence[Probe[Reads]]:
        """What is asked before these contracts run again."""
        wanted = [*_ALWAYS, *(_CANTON if self._canton else ())]
        for contract in contracts:
            wanted += _OF_CONTRACT.get(contract, ())
        return list({probe.key: probe for probe in wanted}.values())


def _against(findings: Findings) -> str:
    said = [_said(one) for one in findings.values() if one.state is not State.OK]
    if breach := supply.breached(findings):
        said.append(breach)
    return " ".join(said)


def _said(finding: Finding) -> str:
    return f"{finding.title} is {finding.state}: {finding.summary.rstrip('.')}."
