"""Cards to render: ordinary ones, and ones full of whatever text is put in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.actions.pause import EmergencyPause
from bot.domain.action import Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Choice, Proposal, ProposalState, Vote
from bot.domain.cards import (
    AuditCard,
    AuditHeadCard,
    AuditLine,
    Button,
    Card,
    DiagnosisCard,
    IncidentCard,
    Line,
    NoticeCard,
    ProposalCard,
    ReceiptCard,
    SignalCard,
    StatusCard,
)
from bot.domain.incident import Incident, IncidentState
from bot.domain.probe import Finding, State
from bot.domain.runbook import Verdict
from bot.domain.signal import Severity, Signal, SignalStatus

AT = datetime(2026, 3, 4, 3, 14, 15, tzinfo=UTC)
HASH = "0x" + "ab" * 32
PAUSE_BUTTON = Button("Pause protocol…", "offer-1", danger=True)
MANY = 40


def incident(
    text: str = "Relay Service Down", state: IncidentState = IncidentState.OPEN, **more: object
) -> IncidentCard:
    labels = {f"{text}-{number}": text for number in range(MANY)} if text else {}
    made = Incident(
        id="inc-0001",
        topic="t",
        runbook=None,
        title=text,
        severity=Severity.CRITICAL,
        state=state,
        opened_at=AT,
        labels=labels,
        summary=text,
        impact=text,
    )
    return IncidentCard(
        made, (Button("Look again", "offer-2"), PAUSE_BUTTON), truncated=int(str(more.get("truncated", 0)))
    )


def finding(state: State, text: str = "answered") -> Finding:
    return Finding(state, text, evidence=text, title=text, command=text)


def diagnosis(text: str = "Relay's pods", verdict: State | None = State.BAD) -> DiagnosisCard:
    lines = [Line(text, finding(state, text)) for state in State] * (MANY // 3) + [Line(text)]
    said = Verdict(verdict, text, text, text, "2", severity=Severity.HIGH) if verdict else None
    return DiagnosisCard(text, tuple(lines if verdict is None else lines[:-1]), said, (PAUSE_BUTTON,))


def status(text: str = "Oracle price", *, done: bool = True) -> StatusCard:
    lines = [Line(text, finding(state, text)) for state in State]
    return StatusCard(tuple(lines if done else [*lines, Line(text)]), AT)


def proposal(
    text: str = "funds at risk",
    state: ProposalState = ProposalState.OPEN,
    action: type[EmergencyPause] = EmergencyPause,
) -> ProposalCard:
    names = ("BorrowModule", "SMUSD", "DirectMintV2", "BLEBridgeV9")
    steps = tuple(
        PlanStep(
            name=name,
            target="0x52908400098527886E0F7030069857D2E4169EE7",
            call="pause()",
            stops=text,
            simulation=State.OK,
            simulated=text,
            already=name == "SMUSD",
        )
        for name in names
    )
    plan = Plan(
        steps=steps, signer="0x" + "12" * 20, chain_id=1, stays_open=(text,) * 12, cautions=(text,) * 12, binding={}
    )
    made = Proposal(
        id="prop-0001",
        action=action(contracts=("BORROW_MODULE",)),
        plan=plan,
        policy=action.policy,
        reason=text,
        proposer="U0RESPO0001",
        proposed_at=AT,
    )
    vote = Vote(proposal_id=made.id, voter="U0GUARD0001", choice=Choice.DECLINE, digest=made.digest, at=AT, reason=text)
    return ProposalCard(made, state, (vote,), text if state is not ProposalState.OPEN else "")


def receipt(text: str = "paused", *outcomes: Outcome) -> ReceiptCard:
    steps = tuple(
        StepResult(name=text, outcome=one, text=text, evidence={"transaction": HASH, "paused": True, text: text})
        for one in outcomes or (Outcome.DONE, Outcome.SKIPPED)
    )
    return ReceiptCard(text, Receipt(steps=steps, finished_at=AT + timedelta(minutes=1)), ("U0GUARD0001",))


def notice(text: str = "Done.") -> NoticeCard:
    return NoticeCard(State.OK, text, quote=text, labels={text: text})


def signal(text: str = "RelayLagging", severity: Severity | None = Severity.WARNING) -> SignalCard:
    made = Signal(
        fingerprint="f1",
        starts_at=AT,
        status=SignalStatus.FIRING,
        name=text,
        severity=severity,
        labels={text: text},
        annotations={"summary": text},
    )
    return SignalCard(made, (Button("Open incident", made.key),))


def audit(text: str = "status") -> AuditCard:
    detail = {"text": text, "evidence": {"transaction": HASH}}
    return AuditCard((AuditLine(7, AT, "U0GUARD0001", "step", text, detail),), text, filed=text)


EVERY: dict[str, Callable[[str], Card]] = {
    "audit": audit,
    "audit head": lambda _: AuditHeadCard(f"7:{HASH[2:]}", AT, "after an execution"),
    "incident": incident,
    "diagnosis": diagnosis,
    "asking": lambda text: diagnosis(text, None),
    "status": status,
    "proposal": proposal,
    "proposal that ended": lambda text: proposal(text, ProposalState.EXPIRED),
    "receipt": lambda text: receipt(text, *Outcome, *Outcome, *Outcome),
    "notice": notice,
    "signal": signal,
}
"""Each kind of card, made of one text."""
