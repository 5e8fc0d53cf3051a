"""The incident's first message."""

from collections.abc import Sequence

from bot.domain.cards import IncidentCard
from bot.domain.deadline import Deadline
from bot.domain.incident import SEVERITIES, Incident, IncidentState
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.redact import Redactor
from bot.views.safe import Safe

_STATES = {
    IncidentState.OPEN: "OPEN",
    IncidentState.ACKNOWLEDGED: "ACKNOWLEDGED: somebody is on it",
    IncidentState.RESOLVED: "RESOLVED",
    IncidentState.CLOSED: "CLOSED",
}
_LABELS = 2400
_DEADLINES = 5


def incident(card: IncidentCard, safe: Safe) -> Message:
    """What is broken, what it means, what to do next, and the way to stop it."""
    one = card.incident
    mark = kit.SEVERITIES[one.severity] if one.is_open else f"🟢 {_STATES[one.state]}"
    blocks: list[Block] = [kit.header(f"{mark} · {safe.plain(one.title, 110)}")]
    if one.impact:
        blocks.append(kit.section(f"*What it means:* {safe.own(one.impact, 800)}"))
    if summary := safe.quoted(one.summary, 1200):
        blocks.append(kit.section(f"*The alert's own words:*\n{summary}"))
    if labels := safe.block(kit.table(sorted(one.labels.items())), _LABELS):
        blocks.append(kit.section(f"*Labels*\n{labels}"))
    if card.truncated > 0:
        left = kit.one_of(card.truncated, "alert")
        blocks.append(kit.section(f"⚠ *Alertmanager left out {left}* of this delivery: look there for the rest."))
    blocks.append(kit.section(_next(one)))
    if card.deadlines:
        blocks.append(kit.section("\n".join(deadline_line(each, safe) for each in card.deadlines[:_DEADLINES])))
    if one.resolution:
        blocks.append(kit.section(f"*Why it is over:* {safe.own(one.resolution, 800)}"))
    blocks.append(kit.context(_facts(one)))
    blocks += kit.offers(card.buttons)
    blocks += kit.actions(*_steps(one))
    return kit.message(f"{mark}: {safe.line(one.title, 200)}. {safe.line(one.impact, 250)}", blocks)


def deadline_line(deadline: Deadline, safe: Safe) -> str:
    """When, and what happens then."""
    return f"⏰ *{kit.when(deadline.due_at)}*: {safe.own(deadline.text, 300)}"


def _steps(one: Incident) -> list[Block]:
    """The steps that make sense now, as buttons; anything else is refused with its reason all the same."""
    if one.is_open:
        taken = [] if one.acknowledged_at else [kit.button("Acknowledge", "incident:acknowledge", one.id)]
        severities = [
            kit.button(f"Make it {each.upper()}", ids.severity(each), one.id)
            for each in SEVERITIES
            if each is not one.severity
        ]
        lead = kit.button("I lead", "incident:lead", one.id)
        return [*taken, lead, *severities, kit.button("Resolve…", ids.INCIDENT_RESOLVE, one.id)]
    postmortem = kit.button("Post-mortem", ids.POSTMORTEM_DRAFT, one.id)
    reopen = kit.button("Reopen…", ids.INCIDENT_REOPEN, one.id)
    if one.state is IncidentState.RESOLVED:
        return [postmortem, reopen, kit.button("Close", "incident:close", one.id)]
    return [] if one.archived else [postmortem, reopen, kit.button("Archive channel", "incident:archive", one.id)]


def _next(one: Incident) -> str:
    if not one.is_open:
        return "*Next:* nothing to stop. The record stays in this channel."
    return (
        "*Next:* the diagnosis fills in below. If funds are at risk, don't wait for it: pause. "
        "A pause is proposed here and takes one guardian."
    )


def _facts(one: Incident) -> str:
    opened = f"Opened {kit.when(one.opened_at)} · severity {one.severity} · state: {_STATES[one.state]} · `{one.id}`"
    if one.lead:
        opened = f"{opened} · lead {kit.people([one.lead])}"
    return f"{opened} · resolved {kit.when(one.resolved_at)}" if one.resolved_at else opened


def incident_list(incidents: Sequence[Incident], redactor: Redactor) -> Message:
    """What is open, a line each, with its channel and its lead."""
    safe = Safe(redactor)
    lines = []
    for one in incidents:
        where = f" <#{one.channel}>" if one.channel else ""
        who = f" · lead {kit.people([one.lead])}" if one.lead else ""
        state = f"{_STATES[one.state]} · opened {kit.when(one.opened_at)}"
        lines.append(f"{kit.SEVERITIES[one.severity]} · *{safe.line(one.title, 150)}* · {state}{who}{where}")
    text = f"{kit.one_of(len(incidents), 'incident')} open" if incidents else "No incident is open."
    return kit.message(text, [kit.section(f"*{text}*"), *(kit.section(line) for line in lines)])
