"""Emergency Pause: whether it would go through right now, and what is paused already."""

from bot.actions.pause import PAUSE_ALL, STOPS, contract_name
from bot.actions.unpause import Unpause
from bot.domain.action import Action
from bot.domain.canton import SERVICES
from bot.domain.probe import Findings
from bot.domain.runbook import Resolution, Runbook
from bot.domain.signal import Severity
from bot.probes import canton, chain, pausing

_CONTRACTS = tuple(STOPS)


def _paused(findings: Findings) -> tuple[str, ...]:
    keys = {f"paused:{contract}": contract for contract in _CONTRACTS}
    return tuple(name for key, name in keys.items() if key in findings and findings[key].facts.get("paused") is True)


def _not_ready(findings: Findings) -> str | None:
    finding = findings.get(pausing.KEY)
    mends = finding.facts.get("mends") if finding else None
    return f"{finding.summary.rstrip('.')}. {' '.join(mends)}" if finding and mends else None


def _something_paused(findings: Findings) -> str | None:
    names = [contract_name(contract) for contract in _paused(findings)]
    return f"Paused on Ethereum: {', '.join(names)}." if names else None


def _unpause(findings: Findings) -> tuple[Action, ...]:
    """In reverse (Unpause Procedure, step 3)."""
    paused = _paused(findings)
    return (Unpause(contracts=tuple(reversed(paused))),) if paused else ()


RUNBOOK = Runbook(
    key="emergency-pause",
    title="Emergency Pause",
    section="Emergency Pause",
    alerts=(),
    severity=Severity.CRITICAL,
    impact="An exploit, a critical bug or a manipulated oracle: everything that moves funds has to stop.",
    confidential=True,
    probes=(
        pausing.ready(),
        *(chain.paused(contract, contract_name(contract)) for contract in _CONTRACTS),
        *(canton.paused(service) for service in SERVICES),
        chain.head_is_fresh(),
    ),
    resolutions=(
        Resolution(
            "4",
            "After the pause: find the cause, deploy the fix, coordinate the unpause",
            when=_something_paused,
            do=(
                "Steps 1 and 2 are what the lines above show: Ethereum, and each service on Canton. Step 3: tell "
                "people. Unpause only with the fix deployed and verified: Canton first, then the reverse "
                "order, and watch for an hour."
            ),
            offer=(PAUSE_ALL,),
            offering=_unpause,
        ),
        Resolution(
            "1",
            "A pause would NOT go through as it is: mend this before it is needed",
            when=_not_ready,
            do="Mend what is named above. Until then a pause is handed over: the exact cast lines, and a Safe batch.",
            offer=(PAUSE_ALL,),
        ),
    ),
    # Canton's services are no part of whether Ethereum could be paused; their lines stand above all the same.
    healthy=lambda findings: (
        f"{findings[pausing.KEY].summary}." if pausing.KEY in findings and findings[pausing.KEY].ok else None
    ),
    recovered="Nothing is paused, and a pause would go through: /musd pause, a reason, one guardian's confirmation.",
)
