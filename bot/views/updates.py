"""The reminder of an update, and the modal that posts one."""

from collections.abc import Sequence

from bot.domain.cards import UpdateCard
from bot.domain.incident import Incident
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe, cut

_TEXT = 1500


def update(card: UpdateCard, safe: Safe) -> Message:
    """Who is asked, and the button that opens the modal."""
    minutes = round(card.every.total_seconds() / 60)
    called = kit.people(card.people)
    title = safe.line(card.incident.title, 150)
    spent = f"every {minutes} min" if minutes else f"every {round(card.every.total_seconds())} s"
    text = f"⏰ {called} *An update, please:* how does {title} go? One is due {spent} while it is critical and open."
    return kit.message(text, [kit.section(text), *kit.actions(button(card.incident))])


def button(incident: Incident) -> Block:
    """*Post update…*."""
    return kit.button("Post update…", ids.UPDATE_OPEN, incident.id)


def update_modal(incident: Incident, places: Sequence[tuple[str, str]]) -> Block:
    """What to say, and where besides the incident's own channel."""
    options = [{"text": kit.plain(cut(words, 75)), "value": place} for place, words in places]
    boxes: Block = {"type": "checkboxes", "action_id": ids.PLACES, "options": options}
    box: Block = {"type": "plain_text_input", "action_id": ids.TEXT, "multiline": True, "max_length": _TEXT}
    return {
        "type": "modal",
        "callback_id": ids.UPDATE_SUBMIT,
        "private_metadata": incident.id,
        "title": kit.plain("Post update"),
        "submit": kit.plain("Post"),
        "close": kit.plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": ids.TEXT, "label": kit.plain("How does it go?"), "element": box},
            {
                "type": "input",
                "block_id": ids.PLACES,
                "optional": True,
                "label": kit.plain("Besides the incident's own channel"),
                "element": boxes,
            },
            kit.context("What is public becomes a draft that an operator approves."),
        ],
    }
