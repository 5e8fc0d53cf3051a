"""The Web API's methods, by family; every handler takes the workspace and the call's arguments."""

from collections.abc import Callable, Mapping

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.methods import account, chat, conversations, extras, files, history, membership, users, views
from bot.drill.workspace.records import Json

HANDLERS: Mapping[str, Callable[[Slack, Arguments], Json]] = {
    **account.HANDLERS,
    **chat.HANDLERS,
    **conversations.HANDLERS,
    **membership.HANDLERS,
    **history.HANDLERS,
    **users.HANDLERS,
    **views.HANDLERS,
    **files.HANDLERS,
    **extras.HANDLERS,
}
APP_METHODS = frozenset({"apps.connections.open"})
"""Methods that take the app-level token instead of the bot's."""
