"""A Runbook is one kind of incident, as data; `decide` is how its Findings select a numbered resolution step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic

from bot.domain.action import Action
from bot.domain.oncall import OnCallRole
from bot.domain.probe import Finding, Findings, P_contra, Probe, State
from bot.domain.series import Series
from bot.domain.signal import Severity

Condition = Callable[[Findings], str | None]
"""Why it holds, in words with the evidence; None where it doesn't, or where nothing is known."""


def every_probe_ok(findings: Findings) -> str | None:
    """A Condition: every probe was asked and is OK."""
    return all_ok(*findings)(findings)


def all_ok(*probes: str) -> Condition:
    """Holds where each of these probes was asked and is OK."""

    def all_are_ok(findings: Findings) -> str | None:
        proven = probes and all(probe in findings and findings[probe].ok for probe in probes)
        return ", ".join(findings[probe].title for probe in probes) + ": OK." if proven else None

    return all_are_ok


@dataclass(frozen=True)
class Resolution:
    """One numbered resolution step of a runbook: when it applies, what to do, what the bot offers."""

    step: str
    """The runbook's own number, such as "2"."""
    title: str
    when: Condition
    do: str
    """What to do next, in our own words."""
    offer: tuple[Action, ...] = ()
    offering: Callable[[Findings], tuple[Action, ...]] | None = None
    """What is offered besides, where only the Findings tell what exactly, such as which pods are down."""
    severity: Severity | None = None
    """The severity this verdict proposes, where it is another than the runbook's."""
    judge: str = ""
    """What only people can judge here: a question whose answer belongs on the incident's timeline."""


@dataclass(frozen=True)
class Escalation:
    """A deadline on every incident of a runbook, and what is offered when it passes."""

    after: timedelta
    unless: Condition
    """The proof that it is over. UNKNOWN proves nothing."""
    text: str
    """What happens then, for people."""
    offer: tuple[Action, ...] = ()
    """What people are offered then, loudly. Nothing of it runs by itself."""
    becomes: Severity | None = None
    """The severity it then has, where that is another: a warning becomes an incident."""


@dataclass(frozen=True)
class Runbook(Generic[P_contra]):
    """One section of the runbooks. Has no field that could loosen an Action's policy."""

    key: str
    """Short, for commands and channel names: ``relay-down``."""
    title: str
    section: str
    """The heading in the runbooks' document."""
    alerts: tuple[str, ...]
    severity: Severity
    impact: str
    probes: tuple[Probe[P_contra], ...]
    resolutions: tuple[Resolution, ...] = ()
    healthy: Condition = every_probe_ok
    """The proof that it is over. One UNKNOWN among what it looks at is enough to prove nothing."""
    again: str = "Recovered: nothing is wrong now"
    """The verdict in a line once it is over, in the runbook's own words where it has some."""
    recovered: str = ""
    """What to do once every probe is OK: the runbook's own verification step."""
    escalation: Escalation | None = None
    near: tuple[str, ...] = ()
    """Alerts that no runbook claims, for which this is the nearest: suggested, and no more."""
    pictures: tuple[Series, ...] = ()
    """What to draw beside a diagnosis: readings over the last 24 hours."""
    confidential: bool = False
    """Whether its incident channels are private."""
    role: OnCallRole = OnCallRole.PROTOCOL
    """Whose people are woken and invited, and whose channel gets the link (On-Call Contacts)."""


@dataclass(frozen=True)
class Verdict:
    """Which resolution step applies, and why."""

    state: State
    """OK: every probe says the fault is over. BAD: a step applies. UNKNOWN: the Findings select none."""
    title: str
    why: str
    do: str
    step: str = ""
    offer: tuple[Action, ...] = ()
    severity: Severity | None = None
    judge: str = ""


def decide(runbook: Runbook[P_contra], findings: Findings) -> Verdict:
    """The first resolution whose condition holds; else recovered, if every probe is OK; else that nothing is proven."""
    if not findings:
        return Verdict(
            State.UNKNOWN,
            "No diagnosis for this alert",
            "No runbook names it.",
            "Look at the labels above; open the nearest runbook, or pause if funds are at risk.",
        )
    for resolution in runbook.resolutions:
        why = resolution.when(findings)
        if why is not None:
            offer = resolution.offer + (resolution.offering(findings) if resolution.offering else ())
            return Verdict(
                State.BAD,
                resolution.title,
                why,
                resolution.do,
                resolution.step,
                offer,
                resolution.severity,
                resolution.judge,
            )
    why = runbook.healthy(findings)
    if why is not None:
        return Verdict(State.OK, runbook.again, why, runbook.recovered)
    wrong = [finding for finding in findings.values() if finding.state is State.BAD]
    silent = [finding for finding in findings.values() if finding.state is State.UNKNOWN]
    return Verdict(
        State.UNKNOWN,
        "No resolution step is proven",
        _sentence("Wrong", wrong) + _sentence("No answer from", silent),
        "Read the findings above and decide by hand; run the diagnosis again when the silent sources are back.",
    )


def any_of(*conditions: Condition) -> Condition:
    """Holds where one of the conditions does; the reasons of all that do, together."""

    def any_holds(findings: Findings) -> str | None:
        return " ".join(why for why in (condition(findings) for condition in conditions) if why) or None

    return any_holds


def _sentence(start: str, findings: list[Finding]) -> str:
    names = ", ".join(f"{finding.title} ({finding.summary})" for finding in findings)
    return f"{start}: {names}. " if findings else ""
