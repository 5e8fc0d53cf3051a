"""The modals of an incident's life: opening one, and saying why one is over or is not."""

from bot.domain.incident import SEVERITIES, Incident
from bot.domain.signal import Severity
from bot.views import ids, kit
from bot.views.kit import Block
from bot.views.safe import cut, visible

TITLE_AT_MOST = 150
_REASON = 1000


def reason_modal(way: str, incident: Incident) -> Block:
    """Why an incident is over (``resolve``), or is not (``reopen``)."""
    resolving = way == "resolve"
    box: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": _REASON}
    label = kit.plain("What ended it?" if resolving else "Why is it not over?")
    field: Block = {"type": "input", "block_id": ids.REASON, "label": label, "element": box}
    return {
        "type": "modal",
        "callback_id": ids.INCIDENT_REASON,
        "private_metadata": f"{way} {incident.id}",
        "title": kit.plain("Resolve incident" if resolving else "Reopen incident"),
        "submit": kit.plain("Resolve" if resolving else "Reopen"),
        "close": kit.plain("Cancel"),
        "blocks": [field],
    }


def open_modal(metadata: str, title: str) -> Block:
    """Open an incident; `title` is what stands in the field already, as from the message it is about."""
    typed = cut(" ".join(visible(title).split()), TITLE_AT_MOST)
    box: Block = {"type": "plain_text_input", "action_id": ids.TITLE, "max_length": TITLE_AT_MOST}
    if typed:
        box["initial_value"] = typed
    options = [{"text": kit.plain(kit.SEVERITIES[one]), "value": one.value} for one in SEVERITIES]
    chosen = options[SEVERITIES.index(Severity.HIGH)]
    select: Block = {
        "type": "static_select",
        "action_id": ids.SEVERITY,
        "options": options,
        "initial_option": chosen,
    }
    return {
        "type": "modal",
        "callback_id": ids.INCIDENT_OPEN,
        "private_metadata": metadata,
        "title": kit.plain("Open incident"),
        "submit": kit.plain("Open"),
        "close": kit.plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": ids.TITLE, "label": kit.plain("What is wrong?"), "element": box},
            {"type": "input", "block_id": ids.SEVERITY, "label": kit.plain("Severity"), "element": select},
            kit.context("Critical pages whoever is on call."),
        ],
    }
