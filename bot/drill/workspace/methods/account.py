"""Who am I, where am I, and a socket please: auth.*, team.*, bots.*, apps.*, api.test."""

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.records import APP_ID, BOT_ID, BOT_NAME, BOT_USER, TEAM_DOMAIN, TEAM_ID, Json


def _api_test(_slack: Slack, args: Arguments) -> Json:
    if "error" in args:
        raise SlackError(args.text("error"), args={"error": args.text("error")})
    return {"args": {name: args.text(name) for name in args.names()}}


def _auth_test(slack: Slack, _args: Arguments) -> Json:
    return {
        "url": f"{slack.url}/",
        "team": "mUSD practice",
        "user": BOT_NAME,
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _connections_open(slack: Slack, _args: Arguments) -> Json:
    address = slack.url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={slack.delivery.sockets.ticket()}&app_id={APP_ID}"}


def _team_info(slack: Slack, args: Arguments) -> Json:
    if args.text("team", TEAM_ID) != TEAM_ID:
        raise SlackError("team_not_found")
    team = {"id": TEAM_ID, "name": "mUSD practice", "domain": TEAM_DOMAIN, "url": f"{slack.url}/", "email_domain": ""}
    return {"team": team}


def _bots_info(_slack: Slack, args: Arguments) -> Json:
    if args.text("bot", BOT_ID) != BOT_ID:
        raise SlackError("bot_not_found")
    return {
        "bot": {"id": BOT_ID, "deleted": False, "name": BOT_NAME, "app_id": APP_ID, "user_id": BOT_USER, "icons": {}}
    }


HANDLERS = {
    "api.test": _api_test,
    "auth.test": _auth_test,
    "apps.connections.open": _connections_open,
    "team.info": _team_info,
    "bots.info": _bots_info,
}
