"""The modal in which people write down what no probe can judge, such as whether a loss is genuine."""

from bot.views import ids, kit
from bot.views.kit import Block
from bot.views.safe import escape

ANSWERS = ("It is genuine", "It is an exploit", "Not clear yet")
_LONGEST = 1000


def judge_modal(metadata: str, question: str) -> Block:
    """`question`: of the runbook. `metadata`: opaque; comes back with what is filled in."""
    options = [{"text": kit.plain(answer), "value": answer} for answer in ANSWERS]
    choice: Block = {"type": "radio_buttons", "action_id": ids.JUDGED, "options": options}
    why: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": _LONGEST}
    return {
        "type": "modal",
        "callback_id": ids.JUDGE,
        "private_metadata": metadata,
        "title": kit.plain("Your judgement"),
        "submit": kit.plain("Write it down"),
        "close": kit.plain("Cancel"),
        "blocks": [
            kit.section(escape(question)),
            {"type": "input", "block_id": ids.JUDGED, "label": kit.plain("You judge"), "element": choice},
            {"type": "input", "block_id": ids.REASON, "label": kit.plain("Because"), "element": why},
        ],
    }
