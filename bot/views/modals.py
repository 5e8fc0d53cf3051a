"""Modals: what asks a person for more than a press."""

from collections.abc import Sequence

from bot.views import ids, kit
from bot.views.kit import Block
from bot.views.redact import PATTERNS_ONLY, Redactor
from bot.views.safe import Safe, cut, mentioned, visible

Contract = tuple[str, str, str]
"""A contract's setting name, such as ``BORROW_MODULE``, its own name, and what its pause stops."""

_TITLE = 24
_OPTION = 75
_REASON = 1000
_METADATA = 3000


def pause_modal(
    offer_id: str, contracts: Sequence[Contract], preselected: Sequence[str] | None = None, reason: str = ""
) -> Block:
    """Which contracts, and why.

    Args:
        offer_id: opaque; the only thing the modal carries back besides what is filled in.
        contracts: in the order they would be paused; at least one.
        preselected: setting names of those that are ticked; all of them when None.
        reason: what stands in the reason's field already.
    """
    options = {one[0]: _option(one) for one in contracts}
    ticked = [option for name, option in options.items() if preselected is None or name in preselected]
    boxes: Block = {"type": "checkboxes", "action_id": ids.CONTRACTS, "options": list(options.values())}
    field: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": _REASON}
    if ticked:
        boxes["initial_options"] = ticked
    if typed := cut(visible(reason).strip(), _REASON):
        field["initial_value"] = typed
    return _modal("Pause protocol") | {
        "callback_id": ids.PAUSE_SUBMIT,
        "private_metadata": offer_id[:_METADATA],
        "submit": kit.plain("Propose pause"),
        "close": kit.plain("Cancel"),
        "blocks": [
            kit.section("*Nothing is sent yet.* This makes a proposal with a dry run; one guardian confirms it."),
            {"type": "input", "block_id": ids.CONTRACTS, "label": kit.plain("Pause, in this order"), "element": boxes},
            {"type": "input", "block_id": ids.REASON, "label": kit.plain("Reason"), "element": field},
            kit.context(
                "Where Canton is configured, its guardians are asked for the same beside it. Ethereum waits for none."
            ),
        ],
    }


def _option(contract: Contract) -> Block:
    setting, name, stops = contract
    option: Block = {"text": kit.plain(cut(name, _OPTION)), "value": setting}
    return option | ({"description": kit.plain(cut(stops, _OPTION))} if stops else {})


def loading_modal() -> Block:
    """What stands there while the real one is being made: a trigger lives three seconds."""
    return _modal("One moment") | {
        "close": kit.plain("Cancel"),
        "blocks": [kit.section(f"{kit.WAITING} One moment…")],
    }


def message_modal(title: str, text: str, redactor: Redactor = PATTERNS_ONLY) -> Block:
    """Something to read, such as why this can't be done. `title` is ours, at most 24 characters."""
    return _modal(title) | {
        "close": kit.plain("Close"),
        "blocks": [kit.section(Safe(redactor).own(text, mentions=mentioned(text)) or "Nothing to say.")],
    }


def _modal(title: str) -> Block:
    return {"type": "modal", "title": kit.plain(cut(title, _TITLE))}
