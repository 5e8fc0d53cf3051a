"""Buttons, menus and modals, as a person uses them."""

import sys
from collections.abc import Iterator
from typing import Any

from bot.drill.workspace.acting import find_channel, find_user, interact, readable
from bot.drill.workspace.blocks import elements_of
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import DoorError, SlackError
from bot.drill.workspace.inputs import complaint, filled
from bot.drill.workspace.payloads import action_json, closing, in_message, in_view, submission
from bot.drill.workspace.records import Channel, Json, Message, User

Place = tuple[Json, Json, int | None]
"""A block, one of its elements, and the number of the attachment they are in, if any."""

Wanted = tuple[str, str, str]
"""The action_id, label and block_id of an element, each empty when it does not matter."""


def places(message: Message) -> Iterator[Place]:
    """Every element of a message that can be used, from top to bottom."""
    for block in message.blocks:
        yield from ((block, element, None) for element in elements_of(block))
    for attachment in message.attachments:
        for block in attachment.get("blocks", []):
            yield from ((block, element, attachment["id"]) for element in elements_of(block))


def label_of(element: Json) -> str:
    """What is written on a button or, before anything is chosen, on a menu."""
    text = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text", ""))


async def press(
    slack: Slack,
    user: User,
    *,
    channel: Channel | None = None,
    ts: str = "",
    view_id: str = "",
    action_id: str = "",
    label: str = "",
    block_id: str = "",
    value: Any = None,
) -> Json:
    """Press a button, or choose `value` in a menu, of a message, a modal or App Home. Dialogs are accepted."""
    wanted = (action_id, label, block_id)
    if view_id:
        view = _view(slack, user, view_id)
        payload, element = _in_view(slack, user, view, wanted, value)
        ack = await interact(slack, "interactive", payload, user)
    elif channel:
        message = readable(slack, user, channel, ts)
        payload, element = _in_message(slack, user, message, wanted, value)
        what = f"The button {label_of(element)!r}"
        ack = await interact(slack, "interactive", payload, user, where=channel, thread_ts=message.thread_ts, what=what)
    else:
        raise DoorError("missing_argument", detail="a press needs channel and ts, or view_id")
    slack.did(user.name, f"pressed {label_of(element)}")
    return {"acked_ms": ack.ms}


def _in_view(slack: Slack, user: User, view: Json, wanted: Wanted, value: Any) -> tuple[Json, Json]:
    """What a press in a modal or App Home sends, and the element pressed."""
    block, element, _ = _find(((one, each, None) for one in view["blocks"] for each in elements_of(one)), wanted)
    state = _chosen(slack, element, value)
    if state and element["type"] != "overflow":
        view["state"]["values"].setdefault(block["block_id"], {})[element["action_id"]] = state
    payload = in_view(slack, "block_actions", user, view)
    return payload | {"actions": [action_json(block, element, state)]}, element


def _in_message(slack: Slack, user: User, message: Message, wanted: Wanted, value: Any) -> tuple[Json, Json]:
    """What a press in a message sends, and the element pressed."""
    block, element, attachment = _find(places(message), wanted)
    state = _chosen(slack, element, value)
    if state and element["type"] != "overflow":
        choices = slack.choices.setdefault((message.ts, user.id), {})
        choices.setdefault(block["block_id"], {})[element["action_id"]] = state
    payload = in_message(slack, "block_actions", user, message, attachment)
    return payload | {"actions": [action_json(block, element, state)]}, element


async def suggest(slack: Slack, user: User, view_id: str, action_id: str, value: str) -> Json:
    """Type into a menu whose options the app supplies; what it suggests."""
    view = _view(slack, user, view_id)
    every = ((one, each, None) for one in view["blocks"] for each in elements_of(one))
    block, element, _ = _find(every, (action_id, "", ""))
    payload = in_view(slack, "block_suggestion", user, view)
    payload |= {"action_id": element["action_id"], "block_id": block["block_id"], "value": value}
    ack = await interact(slack, "interactive", payload, user)
    answered = ack.payload or {}
    return {"acked_ms": ack.ms, **{key: answered[key] for key in ("options", "option_groups") if key in answered}}


def _find(every: Iterator[Place], wanted: Wanted) -> Place:
    action_id, label, block_id = wanted
    seen = []
    for place in every:
        block, element, _ = place
        seen.append(label_of(element))
        if block_id and block["block_id"] != block_id:
            continue
        if element["action_id"] == action_id or (label and label_of(element) == label):
            return place
    raise DoorError("button_not_found", known=seen)


def _chosen(slack: Slack, element: Json, value: Any) -> Json | None:
    return None if element["type"] == "button" else filled(element, resolved(slack, element, value))


def resolved(slack: Slack, element: Json, value: Any) -> Any:
    """A value in which people and channels called by name have become ids."""
    several = [resolved(slack, element, one) for one in value] if isinstance(value, list) else None
    if several is not None or not value:
        return several if several is not None else value
    if element["type"] in {"users_select", "multi_users_select"}:
        return find_user(slack, value).id
    if element["type"].endswith(("channels_select", "conversations_select")):
        return find_channel(slack, None, value).id
    return value


def _view(slack: Slack, user: User, view_id: str) -> Json:
    """A view that person sees: the modal on top, or their App Home."""
    home = slack.state.homes.get(user.id)
    if home and home["id"] == view_id:
        return home
    stack = slack.windows.of(user.id)
    if not stack or stack[-1]["id"] != view_id:
        raise DoorError("view_not_found", known=[one["id"] for one in stack])
    return stack[-1]


async def submit(slack: Slack, user: User, view_id: str, values: Json | None = None) -> Json:
    """Fill in a modal and submit it; the app's errors, or the client's own, come back as ``errors``."""
    view = _view(slack, user, view_id)
    if view["type"] != "modal" or not view["submit"] or view["submit_disabled"]:
        raise DoorError("no_submit")
    _fill(slack, view, values or {})
    state = view["state"]["values"]
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    found = {
        block["block_id"]: wrong
        for block in inputs
        if (wrong := complaint(block, state[block["block_id"]][block["element"]["action_id"]]))
    }
    if found:
        raise DoorError("invalid_input", errors=found)
    ack = await interact(slack, "interactive", submission(slack, user, view), user)
    _respond(slack, user, view, ack.payload or {})
    slack.did(user.name, f"submitted {(view.get('title') or {}).get('text', 'a modal')}")
    return {"acked_ms": ack.ms}


def _fill(slack: Slack, view: Json, values: Json) -> None:
    blocks = {block["block_id"]: elements_of(block) for block in view["blocks"] if elements_of(block)}
    for block_id, value in values.items():
        if block_id not in blocks:
            raise DoorError("no_such_block", block_id=block_id, known=list(blocks))
        if len(blocks[block_id]) > 1 and not isinstance(value, dict):
            raise DoorError("bad_value", detail=f"{block_id} has several elements: give {{action_id: value}}")
        for element in blocks[block_id]:
            one = value.get(element["action_id"]) if len(blocks[block_id]) > 1 else value
            state = _chosen(slack, element, one)
            if state is not None:
                view["state"]["values"].setdefault(block_id, {})[element["action_id"]] = state


def _respond(slack: Slack, user: User, view: Json, answered: Json) -> None:
    """Do with a submitted modal what the app's acknowledgement says."""
    action = answered.get("response_action")
    if action not in {None, "clear", "update", "push", "errors"}:
        raise DoorError("invalid_response_action", response_action=action)
    try:
        if action is None:
            slack.windows.close(user.id, view["id"])
        elif action == "clear":
            slack.windows.of(user.id).clear()
        elif action == "update":
            slack.windows.update(view, answered.get("view"))
        elif action == "push":
            slack.windows.push(user.id, answered.get("view"))
        else:
            _refused(view, answered.get("errors") or {})
    except SlackError as error:
        print(f"slack: refused the app's answer to a view_submission: {error.as_json()}", file=sys.stderr)  # noqa: T201  Slack would only say "trouble connecting"
        raise DoorError(error.error, **error.beside) from error
    finally:
        slack.state.changed()


def _refused(view: Json, errors: Json) -> None:
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    strange = [block_id for block_id in errors if block_id not in inputs]
    if strange or not errors:
        raise SlackError("invalid_errors", strange=strange, known=inputs)
    raise DoorError("invalid_input", errors=errors)


async def close(slack: Slack, user: User, view_id: str) -> Json:
    """Close the modal on top; the app is told if it asked to be."""
    view = _view(slack, user, view_id)
    slack.windows.close(user.id, view_id)
    if view["clear_on_close"]:
        slack.windows.of(user.id).clear()
    slack.state.changed()
    if not view["notify_on_close"]:
        return {}
    ack = await interact(slack, "interactive", closing(slack, user, view), user)
    return {"acked_ms": ack.ms}
