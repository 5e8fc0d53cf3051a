"""What people fill in: from an element and a value to the state an app receives, and what is wrong with it."""

import re
from collections.abc import Mapping
from typing import Any

from bot.drill.workspace.blocks import elements_of
from bot.drill.workspace.elements import options_of
from bot.drill.workspace.errors import DoorError
from bot.drill.workspace.records import Json

REQUIRED = "Please complete this required field."

_SIMPLE: Mapping[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
}
"""Element type to the key its state is under, and the field that holds what it begins with."""


_FORMS: Mapping[str, tuple[str, str]] = {
    "datepicker": (r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "date"),
    "timepicker": (r"([01]\d|2[0-3]):[0-5]\d", "time"),
    "email_text_input": (r"\S+@\S+\.\S+", "email address"),
    "url_text_input": (r"https?://\S+", "URL"),
}
"""What people must write, where the client checks the form."""


def key_of(element: Mapping[str, Any]) -> str:
    """The key under which an element's state holds what was chosen or written."""
    return _SIMPLE[element["type"]][0]


def is_many(element: Mapping[str, Any]) -> bool:
    """Whether several values can be chosen."""
    return key_of(element).endswith("s") and element["type"] != "overflow"


def initial_values(blocks: list[Json]) -> Json:
    """``state.values`` of a view or message nobody has touched yet."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in {"button", "overflow"}:
                continue
            key, initial = _SIMPLE[element["type"]]
            begins = element.get(initial, [] if is_many(element) else None)
            state = {"type": element["type"], key: begins}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def filled(element: Mapping[str, Any], value: Any) -> Json:
    """The state of an element in which somebody chose or wrote `value`.

    Options are named by their value (or label). Raises `DoorError` no_such_option or bad_value.
    """
    key = key_of(element)
    kind = element["type"]
    if is_many(element):
        given = [] if value in (None, "") else value if isinstance(value, list) else [value]
        chosen = [_option(element, one) for one in given] if key == "selected_options" else [str(one) for one in given]
        return {"type": kind, key: chosen}
    if value in (None, ""):
        return {"type": kind, key: None}
    if key == "selected_option":
        return {"type": kind, key: _option(element, value)}
    if isinstance(value, (list, dict, bool)):
        raise DoorError("bad_value", detail=f"{kind} takes one value, not {value!r}")
    return {"type": kind, key: int(value) if kind == "datetimepicker" else str(value)}


def _option(element: Mapping[str, Any], value: Any) -> Json:
    options = options_of(element)
    if element["type"] in {"external_select", "multi_external_select"} and isinstance(value, dict):
        return value
    for option in options:
        if value in (option["value"], option["text"]["text"]):
            return option
    raise DoorError("no_such_option", detail=f"{value!r} is none of {[option['value'] for option in options]}")


def complaint(block: Mapping[str, Any], state: Mapping[str, Any]) -> str | None:
    """What Slack's client says under an input before it sends anything; None when there is nothing to say."""
    element = block["element"]
    value = state[key_of(element)]
    if value in (None, "", []):
        return None if block.get("optional") else REQUIRED
    if element["type"] == "plain_text_input":
        return _length(element, value)
    if element["type"] == "number_input":
        return _number(element, value)
    if element["type"] in _FORMS:
        expression, meaning = _FORMS[element["type"]]
        return None if re.fullmatch(expression, value) else f"Enter a valid {meaning}."
    if is_many(element) and len(value) > element.get("max_selected_items", len(value)):
        return f"Choose at most {element['max_selected_items']}."
    return None


def _length(element: Mapping[str, Any], value: str) -> str | None:
    if len(value) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    return None


def _number(element: Mapping[str, Any], value: str) -> str | None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return "Enter a valid number."
    if "." in value and not element["is_decimal_allowed"]:
        return "Enter a whole number."
    if float(value) < float(element.get("min_value", value)):
        return f"Must be at least {element['min_value']}."
    if float(value) > float(element.get("max_value", value)):
        return f"Must be at most {element['max_value']}."
    return None
