"""App Home, and the modal that shows the status from there."""

from bot.domain.home import HomeBoard, Waiting
from bot.domain.incident import Incident
from bot.domain.probe import State
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.oncall import row
from bot.views.redact import Redactor
from bot.views.safe import Safe

_INCIDENTS = 15
_WAITING = 10


def home(board: HomeBoard, redactor: Redactor) -> Block:
    """The view that `views.publish` takes."""
    safe = Safe(redactor)
    blocks = _stranger(board) if board.role is None else _responder(board, safe)
    return {"type": "home", "blocks": [*blocks, kit.context(f"As of {kit.when(board.at)}")]}


def _stranger(board: HomeBoard) -> list[Block]:
    del board
    return [
        kit.header("musd-bot"),
        kit.section("You have no role in this bot. An admin can give you one in its settings."),
    ]


def _responder(board: HomeBoard, safe: Safe) -> list[Block]:
    return [
        kit.header("musd-bot"),
        kit.section(_light(board, safe)),
        *kit.actions(*_commands(board)),
        kit.header(f"Open incidents: {len(board.incidents)}"),
        *[kit.section(_incident(one, safe)) for one in board.incidents[-_INCIDENTS:]],
        *([] if board.incidents else [kit.section("🟢 None.")]),
        *_left_out(len(board.incidents) - _INCIDENTS),
        kit.header(f"Waiting for your approval: {len(board.waiting)}"),
        *[kit.section(_waiting(one, safe)) for one in board.waiting[:_WAITING]],
        *([] if board.waiting else [kit.section("Nothing.")]),
        *_left_out(len(board.waiting) - _WAITING),
        kit.header("On call"),
        *[kit.section(row(one, safe)) for one in board.oncall],
    ]


def _light(board: HomeBoard, safe: Safe) -> str:
    """The bot itself, and whether the emergency pause could be sent now."""
    if board.missing:
        words = safe.line(", ".join(board.missing), 300)
        bot = f"{kit.MARKS[State.BAD]} *BAD* · The bot is NOT ready. Missing: {words}. `/musd doctor` says what to do."
    else:
        bot = f"{kit.MARKS[State.OK]} *OK* · The bot is ready: alerts come in, buttons work."
    if board.ready is None:
        return bot
    found = board.ready
    return f"{bot}\n{kit.MARKS[found.state]} *{found.state}* · Emergency pause: {safe.line(found.summary, 300)}"


def _commands(board: HomeBoard) -> list[Block]:
    pause = kit.button("Pause protocol…", ids.HOME_PAUSE, "pause", style="danger")
    status = kit.button("Status", ids.HOME_STATUS, "status")
    return [*([pause] if board.pauses else []), status, kit.button("Refresh", ids.HOME_AGAIN, "again")]


def _incident(one: Incident, safe: Safe) -> str:
    where = f"<#{one.channel}>" if one.channel else "no channel yet"
    lead = f"lead {kit.people([one.lead])}" if one.lead else "*nobody leads it*"
    title = safe.line(one.title, 150)
    return f"{kit.SEVERITIES[one.severity]} *{title}* · {where}\n{one.state}, opened {kit.when(one.opened_at)}, {lead}"


def _waiting(one: Waiting, safe: Safe) -> str:
    where = f" in <#{one.channel}>" if one.channel else ""
    title = safe.line(one.proposal.action.title, 200)
    return f"*{title}*{where}\nfrom <@{one.proposal.proposer}>, expires {kit.when(one.proposal.expires_at)}"


def _left_out(number: int) -> list[Block]:
    return [kit.context(f"and {number} more")] if number > 0 else []


def status_modal(board: Message) -> Block:
    """The status board as a modal; its own button is left out, since it would answer in a channel."""
    return {
        "type": "modal",
        "title": kit.plain("Status"),
        "close": kit.plain("Close"),
        "blocks": [block for block in board.blocks if block["type"] != "actions"],
    }
