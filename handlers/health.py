"""`/healthz` (the process lives and hears Slack), `/readyz` (its doors work), `/metrics` (Prometheus)."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.engine.bot import Bot


def register(app: web.Application, bot: Bot) -> None:
    """Add the routes."""

    async def alive(_: web.Request) -> web.Response:
        if bot.deaf():
            return web.json_response({"status": "deaf: Slack's socket is silent"}, status=503)
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        missing = await bot.missing()
        return web.json_response(
            {"status": "ready" if not missing else "not ready", "missing": missing}, status=503 if missing else 200
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", metrics)
