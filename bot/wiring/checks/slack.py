"""Slack: its tokens, the scopes the app was given, the channel for alerts, and the people the settings name."""

import asyncio
from collections.abc import Sequence
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_accounts import SlackAccounts
from bot.adapters.slack_web import answered, web_client
from bot.domain.probe import Finding, Probe, bad, ok
from bot.manifest import scopes
from bot.settings import Settings
from bot.wiring.checks.check import check

_PAGE = 200
_REINSTALL = "Update the Slack app from app-manifest.yml and install it again."


def checks(settings: Settings, client: AsyncWebClient) -> Sequence[Probe[Any]]:
    """All about Slack."""
    people = tuple(dict.fromkeys((*settings.responders, *settings.operators, *settings.guardians, *settings.admins)))
    found = [
        check("slack:token", "Slack bot token and scopes", lambda: _token(client), mend="Set MUSD_SLACK_BOT_TOKEN."),
        check("slack:alerts", f"#{settings.alerts_channel}", lambda: _channel(client, settings.alerts_channel)),
        check("slack:people", "People with a role", lambda: _people(client, people), mend="Correct the user ids."),
        check("slack:enough", "Guardians and admins by id", lambda: _enough(settings)),
        check("slack:factor", "Second factor", lambda: _factor(settings)),
    ]
    if settings.groups:
        mend = "Correct MUSD_GROUP_ROLES, or the user group in Slack."
        found.append(check("slack:groups", "User groups with a role", lambda: _groups(client, settings), mend=mend))
    if settings.audit_channel:
        found.append(
            check("slack:audit", f"#{settings.audit_channel}", lambda: _channel(client, settings.audit_channel))
        )
    if settings.slack_mode == "socket":
        token = settings.slack_app_token.get_secret_value()
        socket = web_client(token, settings.slack_api_url)
        mend = "Make an app-level token with connections:write and set MUSD_SLACK_APP_TOKEN."
        found.append(check("slack:socket", "Slack app-level token", lambda: _socket(socket), mend=mend))
    return found


async def _token(client: AsyncWebClient) -> Finding:
    headers: dict[str, Any] = {}

    async def call() -> Any:
        response = await client.auth_test()
        headers.update(response.headers)
        return response

    answer = await answered("take the bot token", call())
    said = next((str(value) for name, value in headers.items() if name.lower() == "x-oauth-scopes"), "")
    granted, wanted = {one.strip() for one in said.split(",") if one.strip()}, scopes()
    if wanted - granted:
        return bad(f"the app lacks {', '.join(sorted(wanted - granted))}", mend=_REINSTALL)
    extra = f"; it has more than it needs: {', '.join(sorted(granted - wanted))}" if granted - wanted else ""
    return ok(f"{answer.get('user')} in {answer.get('team')}, {len(granted)} scopes{extra}")


async def _socket(client: AsyncWebClient) -> Finding:
    await answered("take the app-level token", client.apps_connections_open(app_token=client.token or ""))
    return ok("a socket may be opened")


async def _channel(client: AsyncWebClient, name: str) -> Finding:
    cursor = ""
    while True:
        call = client.users_conversations(types="public_channel,private_channel", limit=_PAGE, cursor=cursor)
        page = await answered("list the bot's channels", call)
        if any(channel.get("name") == name for channel in page["channels"]):
            return ok("the bot is a member")
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return bad("the bot is not in it, or it does not exist", mend=f"Make #{name} and /invite the bot there.")


async def _people(client: AsyncWebClient, people: Sequence[str]) -> Finding:
    async def one(person: str) -> str:
        user = (await answered(f"know {person}", client.users_info(user=person)))["user"]
        if user.get("deleted"):
            return f"{person} is deactivated"
        if user.get("is_bot") or user.get("is_restricted") or user.get("is_ultra_restricted"):
            return f"{person} is a bot or a guest"
        return ""

    wrong = [text for text in await asyncio.gather(*map(one, people)) if text]
    if wrong:
        return bad("; ".join(wrong), mend="Take them out of MUSD_RESPONDERS, _OPERATORS, _GUARDIANS and _ADMINS.")
    return ok(f"{len(people)} people, all active members")


async def _groups(client: AsyncWebClient, settings: Settings) -> Finding:
    there = await SlackAccounts(client).groups()
    wrong = [f"there is no group {name}" for name in settings.groups if name not in there]
    wrong += [f"nobody is in {name}" for name in settings.groups if name in there and not there[name]]
    if wrong:
        return bad("; ".join(wrong))
    each = [f"{len(there[name])} in {name} ({role.label})" for name, role in settings.groups.items()]
    return ok(", ".join(each))


async def _enough(settings: Settings) -> Finding:
    if settings.shorthanded:
        mend = "Name at least 2 in MUSD_GUARDIANS and 2 in MUSD_ADMINS, by Slack user id."
        return bad(settings.shorthanded, mend=mend)
    return ok(f"{len({*settings.guardians, *settings.admins})} guardians, {len(set(settings.admins))} of them admins")


async def _factor(settings: Settings) -> Finding:
    if not settings.second_factor:
        return ok("switched off (MUSD_SECOND_FACTOR): for the drill alone")
    if not settings.second_factor_secret.get_secret_value():
        mend = "Set MUSD_SECOND_FACTOR_SECRET and enrol people with `musd-bot enrol`."
        return bad("on, but without a secret: no unpause, restore, rotation or Canton vote can be approved", mend=mend)
    return ok("on: unpause, restore, rotation and Canton take a code")
