"""Which channel a call means, and whether the bot may touch it."""

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.records import BOT_USER, Channel


def seen(slack: Slack, args: Arguments, name: str = "channel") -> Channel:
    """A channel the bot can see: public, or one it is in. Raises `SlackError` channel_not_found."""
    channel = slack.state.channel(args.text(name))
    if channel.is_private and BOT_USER not in channel.members:
        raise SlackError("channel_not_found")
    return channel


def entered(slack: Slack, args: Arguments, name: str = "channel") -> Channel:
    """A channel the bot is a member of. Raises `SlackError` channel_not_found or not_in_channel."""
    channel = seen(slack, args, name)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def alive(channel: Channel) -> Channel:
    """The same channel, unless it is archived. Raises `SlackError` is_archived."""
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def only(channel: Channel, *kinds: str) -> Channel:
    """The same channel, if it is of one of those kinds. Raises `SlackError` method_not_supported_for_channel_type."""
    if channel.kind not in kinds:
        raise SlackError("method_not_supported_for_channel_type")
    return channel
