"""Answers to an interaction: what came with the acknowledgement of a command, or to its response URL."""

from aiohttp import web

from bot.drill.workspace.arguments import Arguments, read_arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.chat import content
from bot.drill.workspace.posting import change, delete, post
from bot.drill.workspace.records import BOT_USER
from bot.drill.workspace.triggers import ResponseUrl


def answer(slack: Slack, to: ResponseUrl, args: Arguments) -> None:
    """Post, replace or delete as the answer says. Raises `SlackError` when it is malformed."""
    channel = slack.state.channel(to.channel)
    original = slack.state.messages[channel.id].get(to.message_ts or "")
    if args.flag("delete_original") and original:
        delete(slack, original)
    given = content(args)
    if not given:
        if args.flag("delete_original"):
            return
        raise SlackError("no_text")
    if args.flag("replace_original") and original:
        change(slack, original, **{"blocks": [], **given})
        return
    public = args.text("response_type") == "in_channel"
    post(
        slack,
        channel,
        BOT_USER,
        given.pop("text", ""),
        by_bot=True,
        ephemeral_to=None if public else to.user,
        thread_ts=args.text("thread_ts") or None,
        **given,
    )


async def serve(slack: Slack, request: web.Request) -> web.Response:
    """``POST /response/{token}``."""
    try:
        args = await read_arguments(request)
        answer(slack, slack.response_urls.redeem(request.match_info["token"]), args)
    except SlackError as error:
        return web.json_response(error.as_json(), status=error.status if error.status != 200 else 400)
    return web.Response(text="ok")
