"""`POST /pagerduty`: webhooks of version 3. Check the signature, store, and only then answer 202."""

from aiohttp import web

from bot.domain.page_event import parse, signed
from bot.engine.bot import Bot
from bot.errors import MalformedError, UnavailableError

LARGEST_BODY = 1024 * 1024
"""Bytes. PagerDuty's largest webhook has a few kilobytes."""


def register(app: web.Application, bot: Bot) -> None:
    """Add the route."""
    secret = bot.settings.pagerduty_webhook_secret.get_secret_value()

    async def pagerduty(request: web.Request) -> web.Response:
        if request.content_length is None or request.content_length > LARGEST_BODY:
            return web.json_response({"error": f"a body has a length, of at most {LARGEST_BODY} bytes"}, status=413)
        body = await request.read()
        if not signed(body, request.headers.get("X-PagerDuty-Signature", ""), secret):
            return web.json_response({"error": "wrong or missing signature"}, status=401)
        try:
            event = parse(body)
            if event is not None:
                await bot.page_events.receive(event)
        except MalformedError as error:
            return web.json_response({"error": error.sentences()}, status=400)
        except UnavailableError as error:  # PagerDuty sends again after a 5xx
            return web.json_response({"error": error.sentences()}, status=503)
        return web.json_response({"taken": event is not None}, status=202)

    app.router.add_post("/pagerduty", pagerduty)
