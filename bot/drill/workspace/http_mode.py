"""The other way to an app: signed HTTP requests to its request URL."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.drill.workspace.records import Json


class RefusedError(Exception):
    """The app answered, but not with 200."""


async def post(url: str, signing_secret: str, kind: str, payload: Json, retry: Json) -> Any:
    """Send a payload as Slack does and return what the app answered: JSON, text, or None for an empty body.

    Raises `RefusedError` for any status but 200 and `ConnectionError` when nobody answers.
    """
    content_type = "application/json" if kind == "events_api" else "application/x-www-form-urlencoded"
    stamp = str(int(time.time()))
    body = _body(kind, payload)
    signature = hmac.new(signing_secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signature}",
    }
    if retry.get("retry_attempt"):
        headers["X-Slack-Retry-Num"] = str(retry["retry_attempt"])
        headers["X-Slack-Retry-Reason"] = retry["retry_reason"].replace("timeout", "http_timeout")
    try:
        async with aiohttp.ClientSession() as session, session.post(url, data=body.encode(), headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200:
                raise RefusedError(f"HTTP {answer.status}")
            return json.loads(text) if answer.content_type == "application/json" and text else text or None
    except aiohttp.ClientError as error:
        raise ConnectionError(str(error)) from error


def _body(kind: str, payload: Json) -> str:
    if kind == "events_api":
        return json.dumps(payload)
    return urlencode(payload if kind == "slash_commands" else {"payload": json.dumps(payload)})
