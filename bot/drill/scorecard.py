"""The scorecard of a played scenario: how fast it was acknowledged, diagnosed and mitigated, by which steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.drill.workspace.core import Deed
from bot.drill.workspace.posting import post
from bot.drill.workspace.records import BOT_USER, SLACKBOT, Channel, Message

if TYPE_CHECKING:
    from bot.drill.scenarios import Scenario
    from bot.drill.workspace.core import Slack

_DIAGNOSED = ("Resolution step", "🔴 BAD:", "🟢 OK:")
"""What the summary of a closed diagnosis holds."""
_MOST_STEPS = 20
_EVERYBODY = (("Acknowledge", "nobody acknowledged the incident"), ("I lead", "nobody took the lead"))


@dataclass(frozen=True)
class Scorecard:
    """One play of a scenario, judged."""

    title: str
    started: datetime
    acknowledged: datetime | None
    diagnosed: datetime | None
    mitigated: datetime | None
    deeds: Sequence[Deed]
    missed: Sequence[str]

    def markdown(self) -> str:
        """For the page, and for the incident's thread."""
        times = (("Acknowledged", self.acknowledged), ("Diagnosed", self.diagnosed), ("Mitigated", self.mitigated))
        steps = [
            f"{place}. {_took(self.started, one.at)} {one.who} {one.what}" for place, one in enumerate(self.deeds, 1)
        ]
        left = len(steps) - _MOST_STEPS
        return "\n".join(
            (
                f"**Scorecard: {self.title}**",
                *(f"- {name}: {'never' if at is None else f'after {_took(self.started, at)}'}" for name, at in times),
                f"- Steps: {len(self.deeds)}",
                *steps[:_MOST_STEPS],
                *([f"… and {left} more"] if left > 0 else []),
                f"- Missed: {'; '.join(self.missed) or 'nothing'}",
            )
        )


def judge(slack: "Slack", scenario: "Scenario", started: datetime, mitigated: datetime | None) -> Scorecard:
    """What the workspace saw of it until now."""
    deeds = [one for one in slack.deeds if one.at >= started]
    wanted = [*_EVERYBODY, *((label, f"{label!r} was never pressed") for label in scenario.presses)]
    missed = [why for label, why in wanted if not any(f"pressed {label}" in one.what for one in deeds)]
    answered = [] if mitigated else [f"not solved: {scenario.solved}"]
    return Scorecard(
        scenario.title,
        started,
        next((one.at for one in deeds if "pressed Acknowledge" in one.what), None),
        min((_at(one) for one in _said(slack, started) if any(word in one.text for word in _DIAGNOSED)), default=None),
        mitigated,
        deeds,
        [*missed, *answered],
    )


def publish(slack: "Slack", card: Scorecard) -> None:
    """Put it into the incident's thread; nowhere where the bot opened none."""
    for channel in slack.state.channels.values():
        first = _first(slack, channel, card.started)
        if first is not None and channel.name.startswith("inc-"):
            text = card.markdown().replace("**", "*")
            post(slack, channel, SLACKBOT, text, thread_ts=first.ts)
            return


def _first(slack: "Slack", channel: Channel, since: datetime) -> Message | None:
    """The first message of the bot in a channel that is younger than this."""
    own = [one for one in slack.state.messages[channel.id].values() if one.user == BOT_USER and not one.thread_ts]
    return own[0] if own and _moment(own[0].ts) >= since else None


def _said(slack: "Slack", since: datetime) -> Iterator[Message]:
    for messages in slack.state.messages.values():
        yield from (one for one in messages.values() if one.user == BOT_USER and _moment(one.ts) >= since)


def _at(message: Message) -> datetime:
    """When it said what it says now."""
    return _moment(str((message.edited or {}).get("ts", message.ts)))


def _moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def _took(start: datetime, end: datetime) -> str:
    seconds = max(0, round((end - start).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"
