"""The Incident Response Checklist as one message: who ticked what when, and a button for what is left."""

from bot.domain.cards import ChecklistCard
from bot.domain.checklist import CHECKLIST, Item, Tick
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe


def checklist(card: ChecklistCard, safe: Safe) -> Message:
    """Eleven lines. An item's button ticks it, or takes a person's tick back; the bot's own stay as they are."""
    ticks = {tick.item: tick for tick in card.ticks}
    done = f"{len(ticks)} of {len(CHECKLIST)} done"
    blocks: list[Block] = [kit.section(f"*Incident Response Checklist* · {done}")]
    blocks += [_line(item, ticks.get(item.key), card.incident.id, safe) for item in CHECKLIST]
    return kit.message(f"Incident Response Checklist: {done}", blocks + kit.actions(*_record(card.incident.id)))


def _record(incident_id: str) -> list[Block]:
    """The ways to the rest of the record: in a thread nobody can type a command."""
    return [
        kit.button("Timeline", ids.TIMELINE_OPEN, incident_id),
        kit.button("Collect logs", ids.LOGS_COLLECT, incident_id),
        kit.button("Post-mortem", ids.POSTMORTEM_DRAFT, incident_id),
    ]


def _line(item: Item, tick: Tick | None, incident_id: str, safe: Safe) -> Block:
    if tick is None:
        button = kit.button("Tick", ids.checklist(item.key), incident_id)
        return kit.section(f"☐ {item.text}") | {"accessory": button}
    who = "the bot" if tick.actor == "bot" else kit.people([tick.actor])
    how = f": {safe.line(tick.evidence, 300)}" if tick.evidence else ""
    line = kit.section(f"☑ ~{item.text}~\n{who}, {kit.when(tick.at)}{how}")
    if tick.actor == "bot":
        return line
    return line | {"accessory": kit.button("Untick", ids.checklist(item.key), incident_id)}
