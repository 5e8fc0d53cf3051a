"""What an incident asks of people, as cards and as the record of a post-mortem: ordinary, and full of any text."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.action import Outcome, Receipt, StepResult
from bot.domain.approval import ProposalState
from bot.domain.cards import Card, ChecklistCard, IncidentCard, PostmortemCard, TimelineCard, UrgentCard
from bot.domain.checklist import CHECKLIST, Tick
from bot.domain.deadline import Deadline, DeadlineKind
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.postmortem import PARTS, Carried, Postmortem, Record
from tests.views import cards
from tests.views.cards import AT, HASH

MINUTE = timedelta(minutes=1)
GUARDIAN, RESPONDER = "U0GUARD0001", "U0RESPO0001"
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
LINK = "https://minted.slack.com/archives/C0INC000001/p1772594065000100"


def incident(text: str = "Relay Service Down", state: IncidentState = IncidentState.RESOLVED) -> Incident:
    """One that was acknowledged after two minutes and resolved after nine."""
    made = cards.incident(text, state).incident
    times = {"acknowledged_at": AT + 2 * MINUTE, "resolved_at": AT + 9 * MINUTE}
    return made.model_copy(update={**times, "lead": GUARDIAN, "resolution": text, "channel": "C0INC000001"})


def entry(text: str, minutes: int = 0, actor: str = "bot", **evidence: object) -> TimelineEntry:
    return TimelineEntry(
        incident_id="inc-0001",
        key=f"{minutes}:{text}",
        at=AT + minutes * MINUTE,
        actor=actor,
        text=text,
        evidence=evidence,
    )


def carried(outcome: Outcome = Outcome.DONE, finished_at: datetime = AT + 4 * MINUTE, text: str = "paused") -> Carried:
    """A pause that a guardian confirmed, and how its one step ended."""
    card = cards.proposal(text)
    evidence = {"address": ADDRESS, "transaction": HASH}
    steps = (StepResult(name=text, outcome=outcome, text=text, evidence=evidence),)
    return Carried(card.proposal, ProposalState.DONE, card.votes, Receipt(steps=steps, finished_at=finished_at))


def record(text: str = "the relay's secret was missing") -> Record:
    finding = {"title": text, "state": "UNKNOWN", "summary": text}
    return Record(
        incident=incident(text),
        postmortem=Postmortem(incident_id="inc-0001", edition=1),
        at=AT + 10 * MINUTE,
        timeline=(
            entry(text),
            entry(f"Diagnosis: {text}", 1, findings=[finding]),
            entry("Joined the channel", 1, RESPONDER, joined=True),
            entry(text, 2, RESPONDER, permalink=LINK),
        ),
        ticks=(ticked("page", "bot", text), ticked("cause", GUARDIAN)),
        actions=(carried(text=text),),
        names={GUARDIAN: "guardian-1", RESPONDER: text},
    )


def ticked(item: str, actor: str, evidence: str = "") -> Tick:
    return Tick(incident_id="inc-0001", item=item, at=AT, actor=actor, evidence=evidence)


def checklist(text: str = "#inc-relay-down") -> ChecklistCard:
    """The bot ticked the first half, people the rest, but for the last one."""
    actors = ["bot"] * 5 + [GUARDIAN] * 5
    ticks = [ticked(one.key, actor, text) for one, actor in zip(CHECKLIST, actors, strict=False)]
    return ChecklistCard(incident(text), tuple(ticks))


def timeline(text: str = "the fix is on staging", page: int = 2) -> TimelineCard:
    entries = [entry(text, number, (GUARDIAN, "bot")[number % 2]) for number in range(15)]
    return TimelineCard(incident(text), tuple(entries), page, 3)


def urgent(text: str = "not recovered after 15 min") -> UrgentCard:
    return UrgentCard(text, text, (GUARDIAN,), (cards.PAUSE_BUTTON,), text)


def postmortem(text: str = "Relay Service Down", *, done: bool = False) -> PostmortemCard:
    state = Postmortem(incident_id="inc-0001", parts=dict.fromkeys(PARTS, text), edition=1)
    ended = {"done_by": GUARDIAN, "done_at": AT} if done else {}
    return PostmortemCard(incident(text), state.model_copy(update=ended), AT + 48 * 60 * MINUTE)


def waiting(text: str = "the emergency pause is offered") -> IncidentCard:
    """An incident with more deadlines than its first message has room for."""
    deadlines = [
        Deadline(
            id=str(number),
            kind=DeadlineKind.ESCALATION,
            due_at=AT + number * MINUTE,
            text=text,
            incident_id="inc-0001",
            began_at=AT,
        )
        for number in range(15, 25)
    ]
    return IncidentCard(incident(text, IncidentState.ACKNOWLEDGED), (cards.PAUSE_BUTTON,), deadlines=tuple(deadlines))


EVERY: dict[str, Callable[[str], Card]] = {
    "checklist": checklist,
    "timeline": timeline,
    "urgent": urgent,
    "post-mortem": postmortem,
    "post-mortem that is done": lambda text: postmortem(text, done=True),
    "incident with deadlines": waiting,
}
"""Each of these kinds of card, made of one text."""
