"""The bytes of files: uploaded to the address the app was given, downloaded by the app and the page."""

from pathlib import Path

from aiohttp import BodyPartReader, web

from bot.drill.workspace.core import Slack

_SHOWN_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"}


async def upload(slack: Slack, request: web.Request) -> web.Response:
    """``POST /upload/{id}``: the raw bytes, or a form with one file."""
    file = slack.state.files.get(request.match_info["id"])
    if file is None or file.complete:
        return web.Response(status=404, text="no such upload")
    content = await _part(request) if request.content_type.startswith("multipart/") else await request.read()
    if not content:
        return web.Response(status=400, text="empty upload")
    path = _path(slack, file.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    file.size = len(content)
    file.uploaded = True
    slack.state.changed()
    return web.Response(text=f"OK - {len(content)}")


async def _part(request: web.Request) -> bytes:
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader):
            return bytes(await part.read())
    return b""


async def download(slack: Slack, request: web.Request) -> web.StreamResponse:
    """``GET /files/{id}/{name}``; what a browser might run is offered for saving only."""
    file = slack.state.files.get(request.match_info["id"])
    if file is None or not file.complete:
        raise web.HTTPNotFound
    shown = "inline" if file.content_type in _SHOWN_INLINE else "attachment"
    charset = "; charset=utf-8" if file.content_type.startswith("text/") else ""
    return web.FileResponse(
        _path(slack, file.id),
        headers={
            "Content-Type": file.content_type + charset,
            "Content-Disposition": shown,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


def _path(slack: Slack, file_id: str) -> Path:
    return slack.folder / "files" / file_id
