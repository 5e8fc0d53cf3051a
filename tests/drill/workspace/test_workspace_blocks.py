"""Block Kit, checked as strictly as Slack does."""

from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from bot.drill.workspace.blocks import check_attachments, check_blocks, check_view
from bot.drill.workspace.errors import SlackError


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def option(value: str = "v", text: str = "Option") -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def section(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def asking(element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "input", "label": plain("Which"), "element": element}


DIALOG = {"title": plain("Sure?"), "text": plain("Really."), "confirm": plain("Yes"), "deny": plain("No")}
EVERYTHING = [
    {"type": "header", "text": plain("Relay down")},
    section(fields=[plain("a"), plain("b")], accessory=button(confirm=DIALOG, style="danger", value="x")),
    {"type": "divider"},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "since 12:00"}]},
    {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a graph"},
    actions(
        button(),
        {"type": "static_select", "action_id": "s", "options": [option()], "initial_option": option()},
        {"type": "overflow", "action_id": "o", "options": [option()]},
    ),
    asking({"type": "checkboxes", "action_id": "c", "options": [option()], "initial_options": [option()]}),
    asking({"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "min_value": "1"}),
]


def test_a_message_with_everything_passes_here_and_in_the_sdk() -> None:
    check_blocks(EVERYTHING)
    for block in EVERYTHING:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


def test_blocks_and_elements_without_ids_get_some() -> None:
    nameless = {"type": "button", "text": plain("Go")}
    (block,) = check_blocks([actions(nameless)])
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([section(fields=[plain("x")] * 11)], "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        (
            [section(fields=[plain("x" * 2001)])],
            "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
        ),
        ([{"type": "section"}], "text or fields must be given [json-pointer:/blocks/0]"),
        (
            [{"type": "header", "text": plain("x" * 151)}],
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        ),
        (
            [{"type": "context", "elements": [plain("x")] * 11}],
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            [actions(*(button(action_id=str(number)) for number in range(26)))],
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            [actions(button(text=plain("x" * 76)))],
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            [actions(button(value="x" * 2001))],
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
        (
            [actions(button(style="default"))],
            "value must be one of primary, danger [json-pointer:/blocks/0/elements/0/style]",
        ),
        (
            [actions(button(confirm={name: DIALOG[name] for name in ("title", "confirm", "deny")}))],
            "missing required field: text [json-pointer:/blocks/0/elements/0/confirm]",
        ),
        (
            [actions(button(colour="red"))],
            "invalid additional property: colour [json-pointer:/blocks/0/elements/0]",
        ),
        ([actions(button(), button())], 'action_id "go" already exists [json-pointer:/blocks/0]'),
        (
            [{"type": "divider", "block_id": "d"}, {"type": "divider", "block_id": "d"}],
            'block_id "d" already exists [json-pointer:/blocks/1/block_id]',
        ),
        (
            [section(accessory={"type": "plain_text_input", "action_id": "x"})],
            "unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]",
        ),
        ([asking(button())], "unsupported type: button [json-pointer:/blocks/0/element/type]"),
        ([{"type": "sectoin"}], "unsupported type: sectoin [json-pointer:/blocks/0/type]"),
        (
            [actions({"type": "static_select", "options": [option(str(number)) for number in range(101)]})],
            "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
        ),
        (
            [actions({"type": "static_select", "options": [option(), option()]})],
            "option values must be unique [json-pointer:/blocks/0/elements/0]",
        ),
        (
            [actions({"type": "static_select", "options": [option()], "initial_option": option("w")})],
            "the initial option 'w' is not among the options [json-pointer:/blocks/0/elements/0]",
        ),
        (
            [actions({"type": "overflow", "options": [option(str(number)) for number in range(6)]})],
            "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
        ),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ],
    ids=lambda value: value.partition(" [")[0] if isinstance(value, str) else "",
)
def test_what_is_wrong_with_blocks_is_said(blocks: Any, complaint: str) -> None:
    with pytest.raises(SlackError) as caught:
        check_blocks(blocks)
    assert caught.value.as_json() == {
        "ok": False,
        "error": "invalid_blocks",
        "response_metadata": {"messages": [f"[ERROR] {complaint}"]},
    }


def test_all_text_of_a_message_together_has_a_limit() -> None:
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_blocks([section("x" * 2700) for _ in range(5)])


def test_blocks_are_a_list() -> None:
    with pytest.raises(SlackError, match="invalid_blocks_format"):
        check_blocks({"type": "divider"})


def test_blocks_in_attachments_are_checked_too() -> None:
    with pytest.raises(SlackError, match="invalid_attachments"):
        check_attachments([{"color": "#f00", "blocks": [section("x" * 3001)]}])


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Pause"), "blocks": list(blocks), **more}


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal(*[{"type": "divider"}] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (
            modal(asking({"type": "plain_text_input", "action_id": "t"})),
            "a modal with input blocks needs submit [json-pointer:/view]",
        ),
        ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
        ({"type": "home", "blocks": []}, "unsupported type: home [json-pointer:/view/type]"),
    ],
    ids=lambda value: value.partition(" [")[0] if isinstance(value, str) else "",
)
def test_what_is_wrong_with_a_modal_is_said(view: Any, complaint: str) -> None:
    with pytest.raises(SlackError) as caught:
        check_view(view, ("modal",))
    assert caught.value.as_json() == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {"messages": [f"[ERROR] {complaint}"]},
    }


def test_a_view_has_250_kilobytes_at_most() -> None:
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(*[section("x" * 3000) for _ in range(90)]), ("modal",))
