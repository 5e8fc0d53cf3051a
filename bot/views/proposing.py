"""The modal that asks why, before an Action becomes a Proposal; and the one in which an approval is typed."""

from bot.domain.policy import Policy
from bot.views import ids, kit
from bot.views.kit import Block
from bot.views.redact import PATTERNS_ONLY, Redactor
from bot.views.safe import Safe

_REASON = 1000


def propose_modal(metadata: str, title: str, policy: Policy, redactor: Redactor = PATTERNS_ONLY) -> Block:
    """Why this is wanted.

    Args:
        metadata: opaque; comes back with what is filled in.
        title: the Action's own.
        policy: who will have to approve it.
        redactor: the title may quote what somebody typed.
    """
    field: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": _REASON}
    who = kit.one_of(policy.approvals, policy.approve.label)
    verb = "approves" if policy.approvals == 1 else "approve"
    return {
        "type": "modal",
        "callback_id": ids.PROPOSE_SUBMIT,
        "private_metadata": metadata,
        "title": kit.plain("Propose"),
        "submit": kit.plain("Propose"),
        "close": kit.plain("Cancel"),
        "blocks": [
            kit.section(f"*{Safe(redactor).line(title, 250)}*"),
            kit.section(f"Nothing is done yet. This makes a proposal with a dry run; {who} {verb} it."),
            {"type": "input", "block_id": ids.REASON, "label": kit.plain("Reason"), "element": field},
        ],
    }


def typed_modal(metadata: str, what: str, word: str, *, code: bool, redactor: Redactor = PATTERNS_ONLY) -> Block:
    """Approve by typing.

    Args:
        metadata: opaque; comes back with what is filled in.
        what: is approved: the Action's title.
        word: such as the database's name: nobody types that by a slip; empty: none.
        code: whether a one-time code is asked for as well.
        redactor: the title may quote what somebody typed.
    """
    inputs = [_line(ids.TYPED, f"Type {word}", 200)] if word else []
    inputs += [_line(ids.CODE, "The code your authenticator shows now", 12)] if code else []
    return {
        "type": "modal",
        "callback_id": ids.VOTE_TYPED,
        "private_metadata": metadata,
        "title": kit.plain("Type it to approve"),
        "submit": kit.plain("Yes, I mean it"),
        "close": kit.plain("Cancel"),
        "blocks": [
            kit.section(f"You are about to approve: *{Safe(redactor).line(what, 250)}*\nRead the proposal first."),
            *inputs,
        ],
    }


def why_modal(metadata: str) -> Block:
    """Why somebody declined: asked behind the vote, which is in already."""
    field: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": _REASON}
    return {
        "type": "modal",
        "callback_id": ids.VOTE_WHY,
        "private_metadata": metadata,
        "title": kit.plain("Declined"),
        "submit": kit.plain("Say why"),
        "close": kit.plain("No reason"),
        "blocks": [
            kit.section("*Your decline is in.* Why? Everybody who sees the proposal will read it."),
            {"type": "input", "block_id": ids.REASON, "label": kit.plain("Reason"), "element": field},
        ],
    }


def _line(name: str, label: str, most: int) -> Block:
    field: Block = {"type": "plain_text_input", "action_id": name, "max_length": most}
    return {"type": "input", "block_id": name, "label": kit.plain(label[:2000]), "element": field}
