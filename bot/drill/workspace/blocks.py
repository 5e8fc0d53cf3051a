"""Strict checks of messages, modals and App Home views: what Slack refuses is refused here, with its reasons."""

import copy
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from bot.drill.workspace.elements import ID, IN_ACTIONS, IN_CONTEXT, IN_INPUT, IN_SECTION, URL, plain, rich
from bot.drill.workspace.errors import SlackError, invalid_arguments
from bot.drill.workspace.records import Json
from bot.drill.workspace.rules import Complaint, Rule, anything, boolean, listing, shape, string, typed

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 40_000
BLOCKS_TEXT = 13_000
VIEW_BYTES = 250_000


def _section(value: Any, path: str) -> Iterator[Complaint]:
    if isinstance(value, dict) and not ({"text", "fields"} & value.keys()):
        yield path, "text or fields must be given"
    fields = listing(rich(2000), 1, 10)
    yield from _block({}, {"text": rich(3000), "fields": fields, "accessory": typed(IN_SECTION), "expand": boolean})(
        value, path
    )


def _image(value: Any, path: str) -> Iterator[Complaint]:
    if isinstance(value, dict) and ("image_url" in value) == ("slack_file" in value):
        yield path, "exactly one of image_url and slack_file must be given"
    yield from _block({"alt_text": string(2000)}, {"image_url": URL, "slack_file": anything, "title": plain(2000)})(
        value, path
    )


def _block(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    return shape(required, {"block_id": ID, **optional})


_CELL = typed({"raw_text": shape({"text": string(3000)}, {}), "rich_text": anything})
_EVERYWHERE: Mapping[str, Rule] = {
    "section": _section,
    "header": _block({"text": plain(150)}, {}),
    "divider": _block({}, {}),
    "image": _image,
    "actions": _block({"elements": listing(typed(IN_ACTIONS), 1, 25)}, {}),
    "context": _block({"elements": listing(typed(IN_CONTEXT), 1, 10)}, {}),
    "input": _block(
        {"label": plain(2000), "element": typed(IN_INPUT)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _block({"elements": listing(anything, 0, 1000)}, {}),
}
_IN_MESSAGES = typed(
    {
        **_EVERYWHERE,
        "markdown": _block({"text": string(12_000)}, {}),
        "table": _block({"rows": listing(listing(_CELL, 1, 20), 1, 100)}, {"column_settings": anything}),
    }
)
_IN_VIEWS = typed(_EVERYWHERE)
_VIEW_FIELDS: Mapping[str, Rule] = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
_VIEWS: Mapping[str, Rule] = {
    "modal": shape(
        {"title": plain(24), "blocks": listing(_IN_VIEWS, 0, VIEW_BLOCKS)},
        {
            **_VIEW_FIELDS,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": shape({"blocks": listing(_IN_VIEWS, 0, VIEW_BLOCKS)}, _VIEW_FIELDS),
}
_ATTACHMENT = shape(
    {},
    {
        **{name: string(8000, least=0) for name in ("fallback", "text", "pretext", "title", "footer", "author_name")},
        **dict.fromkeys(("title_link", "image_url", "thumb_url", "footer_icon", "author_link", "author_icon"), URL),
        "color": string(20),
        "blocks": listing(_IN_MESSAGES, 1, MESSAGE_BLOCKS),
        "fields": listing(anything, 0, 100),
        "mrkdwn_in": anything,
        "ts": anything,
    },
)


def check_blocks(blocks: Any) -> list[Json]:
    """A message's blocks with an id for every block and element.

    Raises `SlackError` invalid_blocks_format, invalid_blocks (with messages) or msg_blocks_too_long.
    """
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    found = [*listing(_IN_MESSAGES, 0, MESSAGE_BLOCKS)(blocks, "/blocks")]
    if not found:
        found = [*_duplicates(blocks, "/blocks")]
    _refuse(found, "invalid_blocks")
    if sum(_texts(blocks)) > BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    return with_ids(blocks)


def check_attachments(attachments: Any) -> list[Json]:
    """A message's attachments, their blocks included. Raises `SlackError` invalid_attachments or as `check_blocks`."""
    if not isinstance(attachments, list):
        raise SlackError("invalid_attachments")
    _refuse([*listing(_ATTACHMENT, 0, 100)(attachments, "/attachments")], "invalid_attachments")
    return [
        {**one, "id": place, **({"blocks": check_blocks(one["blocks"])} if "blocks" in one else {})}
        for place, one in enumerate(attachments, start=1)
    ]


def check_view(view: Any, kinds: tuple[str, ...]) -> Json:
    """A view of one of `kinds` (modal, home), ids added. Raises `SlackError` invalid_arguments or view_too_large."""
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    found = [*typed({kind: _VIEWS[kind] for kind in kinds})(view, "/view")]
    if not found:
        found = [*_duplicates(view["blocks"], "/view/blocks")]
        if view["type"] == "modal" and "submit" not in view and any(one["type"] == "input" for one in view["blocks"]):
            found.append(("/view", "a modal with input blocks needs submit"))
    _refuse(found, "invalid_arguments")
    return {**view, "blocks": with_ids(view["blocks"])}


def elements_of(block: Mapping[str, Any]) -> list[Json]:
    """The elements of a block that carry an action_id, or would."""
    if block["type"] == "section":
        return [block["accessory"]] if "accessory" in block and block["accessory"]["type"] != "image" else []
    if block["type"] == "input":
        return [block["element"]]
    return list(block["elements"]) if block["type"] == "actions" else []


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy in which every block and every element has an id, made up where the app gave none."""
    made = copy.deepcopy(blocks)
    for block in made:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return made


def _duplicates(blocks: list[Json], path: str) -> Iterator[Complaint]:
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield f"{path}/{place}/block_id", f'block_id "{block_id}" already exists'
        if block_id is not None:
            seen.add(block_id)
        actions = [one["action_id"] for one in elements_of(block) if "action_id" in one]
        for action_id in sorted({one for one in actions if actions.count(one) > 1}):
            yield f"{path}/{place}", f'action_id "{action_id}" already exists'


def _texts(value: Any) -> Iterator[int]:
    """The length of every text in a message's blocks."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "text" and isinstance(one, str):
                yield len(one)
            else:
                yield from _texts(one)


def _refuse(found: list[Complaint], error: str) -> None:
    if found:
        raise invalid_arguments(*(f"{message} [json-pointer:{path}]" for path, message in found), error=error)
