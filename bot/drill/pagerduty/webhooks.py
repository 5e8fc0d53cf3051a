"""Webhooks v3: what PagerDuty tells others, signed, in order, tried again while nobody takes it."""

import asyncio
import contextlib
import copy
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.drill.listening import Json, now, stamp

PATIENCE = (0.2, 0.5, 1, 2, 4, 8, 15, 30)
"""Seconds between one attempt and the next; the real one takes hours over it."""
ANSWER_WITHIN = 5
"""Seconds a receiver has."""


@dataclass(frozen=True)
class Receiver:
    """Somebody who wants to be told."""

    url: str
    secret: str
    subscription: str
    events: tuple[str, ...] | None = None
    """The event types wanted; all of them when None."""


def signature(secret: str, body: bytes) -> str:
    """The value of ``X-PagerDuty-Signature``."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(event_type: str, incident: Json, agent: Json) -> Json:
    """A webhook's body, as it is at this moment."""
    names = ("id", "self", "html_url", "status", "incident_key", "created_at", "title", "service")
    more = ("escalation_policy", "teams", "priority", "urgency", "conference_bridge", "resolve_reason")
    shown = {
        **{name: incident[name] for name in (*names, *more)},
        "type": "incident",
        "number": incident["incident_number"],
        "assignees": [one["assignee"] for one in incident["assignments"]],
    }
    return {
        "event": {
            "id": str(uuid4()).upper(),
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": stamp(now()),
            "agent": agent,
            "client": None,
            "data": copy.deepcopy(shown),
        }
    }


class Webhooks:
    """Sends one event after the other to everybody who wants it."""

    def __init__(self, receivers: Callable[[], Iterable[Receiver]], doubled: Callable[[], bool]) -> None:
        self._receivers = receivers
        self._doubled = doubled
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.sent: list[Json] = []
        """Every attempt: ``{at, url, id, event_type, status}``; status None when nobody answered."""

    def start(self) -> None:
        """Begin to send; needs a running loop."""
        self._task = asyncio.create_task(self._send_all())

    async def stop(self) -> None:
        """Leave what is not sent yet."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def tell(self, body: Json) -> None:
        """Have an event sent when its turn comes."""
        self._queue.put_nowait(body)

    async def forge(self, body: Json) -> None:
        """Send an event at once, signed by somebody who does not have the secret."""
        async with ClientSession(timeout=ClientTimeout(ANSWER_WITHIN)) as session:
            for receiver in self._receivers():
                await self._attempt(session, Receiver(receiver.url, "not the secret", receiver.subscription), body)

    async def _send_all(self) -> None:
        async with ClientSession(timeout=ClientTimeout(ANSWER_WITHIN)) as session:
            while True:
                body = await self._queue.get()
                kind = body["event"]["event_type"]
                wanted = [one for one in self._receivers() if one.events is None or kind in one.events]
                for receiver in wanted * (2 if self._doubled() else 1):
                    await self._deliver(session, receiver, body)

    async def _deliver(self, session: ClientSession, receiver: Receiver, body: Json) -> None:
        for pause in (*PATIENCE, None):
            status = await self._attempt(session, receiver, body)
            if status is not None and (status < 300 or 400 <= status < 500):
                return
            if pause is not None:
                await asyncio.sleep(pause)

    async def _attempt(self, session: ClientSession, receiver: Receiver, body: Json) -> int | None:
        raw = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": signature(receiver.secret, raw),
            "X-Webhook-Id": body["event"]["id"],
            "X-Webhook-Subscription": receiver.subscription,
        }
        status = None
        with contextlib.suppress(ClientError, TimeoutError):
            async with session.post(receiver.url, data=raw, headers=headers) as answer:
                status = answer.status
        happened = body["event"]
        entry = {"url": receiver.url, "id": happened["id"], "event_type": happened["event_type"], "status": status}
        self.sent.append({"at": stamp(now()), **entry})
        return status
