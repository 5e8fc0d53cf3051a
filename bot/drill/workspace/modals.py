"""The modals each person has open, one on another, and the views an app may put there."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from bot.drill.workspace.blocks import check_view
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.inputs import initial_values
from bot.drill.workspace.records import APP_ID, BOT_ID, TEAM_ID, Json
from bot.drill.workspace.state import new_id

STACK_LIMIT = 3


def view_json(view: Any, *, kinds: tuple[str, ...] = ("modal",), view_id: str | None = None) -> Json:
    """A view as Slack keeps it: checked, with ids for every block, its state and a fresh hash.

    Raises `SlackError` invalid_arguments with messages, or view_too_large.
    """
    checked = check_view(view, kinds)
    made_id = view_id or new_id("V")
    return {
        "id": made_id,
        "team_id": TEAM_ID,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
        "type": checked["type"],
        "title": checked.get("title"),
        "submit": checked.get("submit"),
        "close": checked.get("close"),
        "blocks": checked["blocks"],
        "private_metadata": checked.get("private_metadata", ""),
        "callback_id": checked.get("callback_id", ""),
        "external_id": checked.get("external_id", ""),
        "notify_on_close": checked.get("notify_on_close", False),
        "clear_on_close": checked.get("clear_on_close", False),
        "submit_disabled": checked.get("submit_disabled", False),
        "state": {"values": initial_values(checked["blocks"])},
        "hash": f"{time.time():.6f}.{secrets.token_hex(4)}",
        "root_view_id": made_id,
        "previous_view_id": None,
    }


@dataclass
class Windows:
    """Every person's stack of modals, the one they see last. Not saved: a restart closes them."""

    stacks: dict[str, list[Json]] = field(default_factory=dict)

    def of(self, user: str) -> list[Json]:
        """That person's open modals, the visible one last."""
        return self.stacks.setdefault(user, [])

    def find(self, view_id: str = "", external_id: str = "") -> tuple[str, Json]:
        """Whose modal that is, and the modal. Raises `SlackError` not_found."""
        for user, stack in self.stacks.items():
            for view in stack:
                if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                    return user, view
        raise SlackError("not_found")

    def open(self, user: str, view: Any) -> Json:
        """Show a modal in place of all that are open."""
        made = self._made(view)
        self.stacks[user] = [made]
        return made

    def push(self, user: str, view: Any) -> Json:
        """Show a modal on top of the one that is open. Raises `SlackError` push_limit_reached or not_found."""
        stack = self.of(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise SlackError("push_limit_reached")
        made = self._made(view)
        made["root_view_id"] = stack[0]["id"]
        made["previous_view_id"] = stack[-1]["id"]
        stack.append(made)
        return made

    def update(self, old: Json, view: Any) -> Json:
        """Show another modal in the place of `old`; what was filled in stays where the inputs stay."""
        fresh = view_json(view, view_id=old["id"])
        for block_id, actions in fresh["state"]["values"].items():
            for action_id in actions:
                kept = old["state"]["values"].get(block_id, {}).get(action_id)
                if kept is not None and kept["type"] == actions[action_id]["type"]:
                    actions[action_id] = kept
        fresh["root_view_id"] = old["root_view_id"]
        fresh["previous_view_id"] = old["previous_view_id"]
        old.clear()
        old.update(fresh)
        return old

    def close(self, user: str, view_id: str) -> Json | None:
        """Take away a modal and those on top of it; the modal, or None when it was not open any more."""
        stack = self.of(user)
        for place, view in enumerate(stack):
            if view["id"] == view_id:
                del stack[place:]
                return view
        return None

    def _made(self, view: Any) -> Json:
        made = view_json(view)
        if made["external_id"] and any(
            one["external_id"] == made["external_id"] for stack in self.stacks.values() for one in stack
        ):
            raise SlackError("duplicate_external_id")
        return made
