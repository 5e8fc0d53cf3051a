"""`POST /slack/events`: what Slack sends in HTTP mode, signed. Bolt checks signatures; this guards the rest."""

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

LARGEST_BODY = 1024 * 1024
"""Bytes. Slack's largest payload, a submitted modal, has 250 KB."""


def register(app: web.Application, slack: AsyncApp) -> None:
    """Add the route."""

    async def events(request: web.Request) -> web.Response:
        # A timestamp that is no number, a signature or a body of odd bytes would be a 500 before any authentication.
        stamp, signature = (request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
        if not stamp.isdecimal() or not signature.isascii():
            return web.json_response({"error": "the request is not signed"}, status=401)
        if request.content_length is None or request.content_length > LARGEST_BODY:
            return web.json_response({"error": f"a body has a length, of at most {LARGEST_BODY} bytes"}, status=413)
        try:
            taken = await to_bolt_request(request)
        except (UnicodeDecodeError, LookupError):
            return web.json_response({"error": "a body is UTF-8"}, status=400)
        return await to_aiohttp_response(await slack.async_dispatch(taken))

    app.router.add_post("/slack/events", events)
