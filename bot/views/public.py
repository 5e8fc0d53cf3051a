"""Announcements: as everybody reads them in Slack, as a link that a person follows, and as the modal that edits one."""

from bot.domain.announcement import Announcement
from bot.domain.cards import BroadcastCard, LinkCard
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe, cut, visible


def broadcast(card: BroadcastCard, safe: Safe) -> Message:
    """The text that was approved. The one mention of a whole channel is put in here, never by the text itself."""
    text = f"<!channel> {safe.own(card.text, 2600)}" if card.everybody else safe.own(card.text, 2600)
    return kit.message(text, [kit.section(text)])


def link(card: LinkCard, safe: Safe) -> Message:
    """What a person has to send, and the button that opens it filled in."""
    button = kit.button(card.label, ids.LINK, "link") | {"url": card.url}
    blocks = [
        kit.section(
            f"{kit.MARKS[card.state]} *{card.state}* · Not sent yet: a person sends it.\n{safe.quoted(card.text)}"
        ),
        *kit.actions(button),
    ]
    return kit.message(f"{card.label}: {safe.line(card.text, 300)}", blocks)


def announce_modal(proposal_id: str, announcement: Announcement) -> Block:
    """Edit a draft before anybody approves it."""
    target = announcement.target
    box: Block = {
        "type": "plain_text_input",
        "action_id": ids.TEXT,
        "multiline": True,
        "max_length": target.longest,
    }
    if typed := cut(visible(announcement.text).strip(), target.longest):
        box["initial_value"] = typed
    calls = f"It begins with {announcement.calls}, which wakes everybody there." if announcement.calls else ""
    return {
        "type": "modal",
        "callback_id": ids.ANNOUNCE_SUBMIT,
        "private_metadata": proposal_id,
        "title": kit.plain("Edit announcement"),
        "submit": kit.plain("Draft it anew"),
        "close": kit.plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": ids.TEXT, "label": kit.plain(f"On {target.label}"), "element": box},
            kit.context(" ".join(part for part in (calls, "Nothing is published before it is approved.") if part)),
        ],
    }
