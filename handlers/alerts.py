"""`POST /alertmanager`: authenticate, parse, store, and only then answer 200."""

import hmac
from datetime import UTC, datetime

from aiohttp import web

from bot.domain.signal import parse_alertmanager
from bot.engine.bot import Bot
from bot.errors import MalformedError, UnavailableError

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes. Alertmanager puts thousands of alerts in one body; beyond this it answers 413 and a notice says so."""


def register(app: web.Application, bot: Bot) -> None:
    """Add the route."""

    async def alertmanager(request: web.Request) -> web.Response:
        if not _authorised(request, bot.settings.alertmanager_token.get_secret_value()):
            return web.json_response({"error": "wrong or missing bearer token"}, status=401)
        try:
            async with bot.intake.room():
                return await _taken(bot, request)
        except web.HTTPRequestEntityTooLarge:
            await bot.intake.too_large(request.content_length)
            return web.json_response({"error": f"a body may have {LARGEST_BODY} bytes"}, status=413)
        except MalformedError as error:
            return web.json_response({"error": error.sentences()}, status=400)
        except UnavailableError as error:  # Alertmanager sends again after a 5xx, and only then
            return web.json_response({"error": error.sentences()}, status=503)

    app.router.add_post("/alertmanager", alertmanager)


async def _taken(bot: Bot, request: web.Request) -> web.Response:
    """Read, parse and store one delivery; only what is stored is answered with 200."""
    delivery = parse_alertmanager(await request.read(), datetime.now(UTC))
    new = await bot.intake.receive(delivery)
    return web.json_response({"received": len(delivery.signals), "new": new})


def _authorised(request: web.Request, token: str) -> bool:
    """In constant time, whatever the header holds."""
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given.encode(errors="replace"), f"Bearer {token}".encode())
