"""`/musd doctor`: what is not OK first, each with its mend; what is OK in short."""

from bot.domain.cards import DoctorCard, Line
from bot.domain.probe import State
from bot.views import findings, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe

_ORDER = (State.BAD, State.UNKNOWN)
_MOST = 30


def doctor(card: DoctorCard, safe: Safe) -> Message:
    """The checks, as they stand."""
    tally = findings.tally(card.lines)
    blocks: list[Block] = [kit.header("musd-bot doctor"), kit.section(f"*{tally}*")]
    for state in _ORDER:
        wrong = [one for one in card.lines if one.finding is not None and one.finding.state is state]
        blocks += [kit.section(_wrong(one, safe)) for one in wrong[:_MOST]]
        if len(wrong) > _MOST:
            blocks.append(kit.context(f"✂ {len(wrong) - _MOST} more are {state}: `musd-bot doctor` lists all."))
    fine = [safe.line(one.title, 60) for one in card.lines if one.finding is not None and one.finding.ok]
    if fine:
        blocks.append(kit.context(f"{kit.MARKS[State.OK]} OK: {', '.join(fine)}"))
    blocks.append(kit.context(f"Asked {kit.when(card.at)}. Nothing was changed."))
    return kit.message(f"musd-bot doctor: {tally}", blocks)


def _wrong(line: Line, safe: Safe) -> str:
    finding = line.finding
    if finding is None:
        return ""
    said = f"{kit.MARKS[finding.state]} *{finding.state}* · *{safe.line(line.title, 100)}*: "
    mend = safe.line(str(finding.facts.get("mend") or ""), 300)
    return said + safe.line(finding.summary, 300) + (f"\n*Mend:* {mend}" if mend else "")
