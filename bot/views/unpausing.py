"""The modal of an unpause: what was wrong and what was done about it, in people's own words."""

from collections.abc import Sequence

from bot.views import ids, kit
from bot.views.kit import Block
from bot.views.modals import Contract
from bot.views.safe import cut, visible

_TEXT = 1000


def unpause_modal(
    metadata: str, contracts: Sequence[Contract], preselected: Sequence[str], cause: str = "", fix: str = ""
) -> Block:
    """Which contracts, the cause and the fix.

    Args:
        metadata: opaque; comes back with what is filled in.
        contracts: in the order of unpausing; none for the bridge's second half, which has nothing to choose.
        preselected: setting names of those that are ticked.
        cause: what stands in its field already.
        fix: the same.
    """
    blocks = [
        kit.section("*Nothing is sent yet.* This asks the probes, and makes a proposal; two guardians approve it."),
        *_boxes(contracts, preselected),
        _text(ids.CAUSE, "Cause: what was wrong", cause),
        _text(ids.FIX, "Fix: what was done about it, and how that was verified", fix),
        kit.context("Canton comes first in the runbook; BLEBridgeV9 takes a request, 24 hours and a second proposal."),
    ]
    return {
        "type": "modal",
        "title": kit.plain("Unpause protocol"),
        "callback_id": ids.UNPAUSE_SUBMIT,
        "private_metadata": metadata,
        "submit": kit.plain("Propose unpause"),
        "close": kit.plain("Cancel"),
        "blocks": blocks,
    }


def _boxes(contracts: Sequence[Contract], preselected: Sequence[str]) -> list[Block]:
    if not contracts:
        return []
    options = {
        setting: {"text": kit.plain(name), "value": setting, "description": kit.plain(cut(does, 75))}
        for setting, name, does in contracts
    }
    boxes: Block = {"type": "checkboxes", "action_id": ids.CONTRACTS, "options": list(options.values())}
    if ticked := [option for setting, option in options.items() if setting in preselected]:
        boxes["initial_options"] = ticked
    label = kit.plain("Unpause, in this order (ticked: what is paused now)")
    return [{"type": "input", "block_id": ids.CONTRACTS, "label": label, "element": boxes}]


def _text(field: str, label: str, typed: str) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": field, "multiline": True, "max_length": _TEXT}
    if initial := cut(visible(typed).strip(), _TEXT):
        element["initial_value"] = initial
    return {"type": "input", "block_id": field, "label": kit.plain(label), "element": element}
