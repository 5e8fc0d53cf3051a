"""The shapes of Block Kit's texts, options, dialogs and elements, with their limits."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.drill.workspace.rules import (
    Complaint,
    Rule,
    anything,
    boolean,
    both,
    listing,
    one_of,
    pattern,
    shape,
    string,
    typed,
    whole,
)


def plain(most: int) -> Rule:
    """A plain text object."""
    return typed({"plain_text": shape({"text": string(most)}, {"emoji": boolean})})


def rich(most: int) -> Rule:
    """A text object, plain or with Slack's markup."""
    markup = shape({"text": string(most)}, {"verbatim": boolean})
    return typed({"plain_text": shape({"text": string(most)}, {"emoji": boolean}), "mrkdwn": markup})


ID = string(255)
URL = string(3000)
CONFIRM = shape(
    {"title": plain(100), "text": rich(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75)})
_RICH_OPTION = shape({"text": rich(75), "value": string(150)}, {"description": rich(75)})
_MENU_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": URL})
_GROUP = shape({"label": plain(75), "options": listing(_OPTION, 1, 100)}, {})
_DATE = pattern(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "a date, YYYY-MM-DD")
_TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "a time, HH:mm")
_NUMBER = pattern(r"-?\d+(\.\d+)?", "a number written as a string")


def options_of(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All options an element offers, those in groups included."""
    groups = [group["options"] for group in element.get("option_groups", [])]
    return [option for options in [element.get("options", []), *groups] for option in options]


def _offers(element: Any, path: str) -> Iterator[Complaint]:
    """Options or groups of them, never both; what is chosen to begin with is among them, values are distinct."""
    if not isinstance(element, dict):
        return
    if ("options" in element) == ("option_groups" in element):
        yield path, "exactly one of options and option_groups must be given"
    try:
        values = [option["value"] for option in options_of(element)]
        chosen = [
            *element.get("initial_options", []),
            *([element["initial_option"]] if "initial_option" in element else []),
        ]
        strange = [one["value"] for one in chosen if one["value"] not in values]
    except (KeyError, TypeError):
        return  # malformed options are complained about by their own rule
    if len(set(values)) != len(values):
        yield path, "option values must be unique"
    for value in strange:
        yield path, f"the initial option {value!r} is not among the options"


def _element(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    return shape(required, {"action_id": ID, **optional})


_PICK: Mapping[str, Rule] = {"placeholder": plain(150), "confirm": CONFIRM, "focus_on_load": boolean}
_MANY: Mapping[str, Rule] = {**_PICK, "max_selected_items": whole(1, 100)}
_WRITE: Mapping[str, Rule] = {
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": shape(
        {"trigger_actions_on": listing(one_of("on_enter_pressed", "on_character_entered"), 1, 2)}, {}
    ),
}
_CHOICES: Mapping[str, Rule] = {"options": listing(_OPTION, 1, 100), "option_groups": listing(_GROUP, 1, 100)}
_FILTER = shape(
    {},
    {"include": listing(string(20), 1, 4), "exclude_external_shared_channels": boolean, "exclude_bot_users": boolean},
)
_ANSWERS: Mapping[str, Rule] = {"response_url_enabled": boolean}

IMAGE = shape({"alt_text": string(2000)}, {"image_url": URL, "slack_file": anything})

ELEMENTS: Mapping[str, Rule] = {
    "button": _element(
        {"text": plain(75)},
        {
            "url": URL,
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "overflow": _element({"options": listing(_MENU_OPTION, 1, 5)}, {"confirm": CONFIRM}),
    "static_select": both(_element({}, {**_PICK, **_CHOICES, "initial_option": _OPTION}), _offers),
    "multi_static_select": both(
        _element({}, {**_MANY, **_CHOICES, "initial_options": listing(_OPTION, 1, 100)}), _offers
    ),
    "external_select": _element({}, {**_PICK, "initial_option": _OPTION, "min_query_length": whole(0, 100)}),
    "multi_external_select": _element(
        {}, {**_MANY, "initial_options": listing(_OPTION, 1, 100), "min_query_length": whole(0, 100)}
    ),
    "users_select": _element({}, {**_PICK, "initial_user": ID}),
    "multi_users_select": _element({}, {**_MANY, "initial_users": listing(ID, 1, 100)}),
    "channels_select": _element({}, {**_PICK, **_ANSWERS, "initial_channel": ID}),
    "multi_channels_select": _element({}, {**_MANY, "initial_channels": listing(ID, 1, 100)}),
    "conversations_select": _element(
        {},
        {
            **_PICK,
            **_ANSWERS,
            "initial_conversation": ID,
            "default_to_current_conversation": boolean,
            "filter": _FILTER,
        },
    ),
    "multi_conversations_select": _element(
        {},
        {
            **_MANY,
            "initial_conversations": listing(ID, 1, 100),
            "default_to_current_conversation": boolean,
            "filter": _FILTER,
        },
    ),
    "checkboxes": both(
        _element(
            {"options": listing(_RICH_OPTION, 1, 10)},
            {"initial_options": listing(_RICH_OPTION, 1, 10), "confirm": CONFIRM, "focus_on_load": boolean},
        ),
        _offers,
    ),
    "radio_buttons": both(
        _element(
            {"options": listing(_RICH_OPTION, 1, 10)},
            {"initial_option": _RICH_OPTION, "confirm": CONFIRM, "focus_on_load": boolean},
        ),
        _offers,
    ),
    "datepicker": _element({}, {**_PICK, "initial_date": _DATE}),
    "timepicker": _element({}, {**_PICK, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": _element(
        {}, {"initial_date_time": whole(0, 9_999_999_999), "confirm": CONFIRM, "focus_on_load": boolean}
    ),
    "plain_text_input": _element(
        {},
        {
            **_WRITE,
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
        },
    ),
    "number_input": _element(
        {"is_decimal_allowed": boolean},
        {**_WRITE, "initial_value": _NUMBER, "min_value": _NUMBER, "max_value": _NUMBER},
    ),
    "email_text_input": _element({}, {**_WRITE, "initial_value": string(3000)}),
    "url_text_input": _element({}, {**_WRITE, "initial_value": string(3000)}),
}

_CHOOSERS = [
    "static_select",
    "multi_static_select",
    "external_select",
    "multi_external_select",
    "users_select",
    "multi_users_select",
    "channels_select",
    "multi_channels_select",
    "conversations_select",
    "multi_conversations_select",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
]


def _only(*names: str) -> dict[str, Rule]:
    return {name: ELEMENTS[name] for name in names}


IN_SECTION = {**_only("button", "overflow", *_CHOOSERS), "image": IMAGE}
IN_ACTIONS = _only("button", "overflow", "datetimepicker", *_CHOOSERS)
IN_INPUT = _only("plain_text_input", "number_input", "email_text_input", "url_text_input", "datetimepicker", *_CHOOSERS)
IN_CONTEXT = {
    "image": IMAGE,
    "plain_text": shape({"text": string(3000)}, {"emoji": boolean}),
    "mrkdwn": shape({"text": string(3000)}, {"verbatim": boolean}),
}
