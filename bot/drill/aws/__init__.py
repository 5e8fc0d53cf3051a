"""KMS and S3 on loopback: moto, behind a small proxy that signs as KMS signs and can be out of order."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from bot.drill.aws.backend import ACCOUNT, BACKUP_AGE, BUCKET, PAUSER, PLANS, REGION, VALIDATORS, Backend, Refusal
from bot.drill.listening import Json, StandIn, down, slow
from bot.drill.part import Fault

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "server", "date"}
WHICH = {"which": f"{', '.join(plan.name for plan in PLANS)} or a key id; pauser unless said"}


class Aws(StandIn):
    """Clients reach it with ``endpoint_url`` and any credentials. `start` returns at once; moto follows in a thread."""

    name = "aws"
    faults = (
        down("aws"),
        slow("aws"),
        Fault("aws", "kms-disabled", "a key is disabled", WHICH),
        Fault("aws", "kms-pending-deletion", "a key is scheduled for deletion", WHICH),
        Fault("aws", "kms-old", "a key was made long ago", WHICH | {"days": "how long, 500 unless said"}),
        Fault("aws", "kms-denied", "KMS denies access", {"operation": "only this one, such as Sign"}),
        Fault("aws", "backup-overdue", "the newest backup is old", {"hours": "how old, 72 unless said"}),
        Fault("aws", "backup-missing", "there is no backup any more"),
        Fault("aws", "kms-throttled", "KMS throttles", {"times": "how often; always when left out"}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.region = REGION
        self.bucket = BUCKET
        self.access_key = "practice-access-key"
        self.secret_key = "practice-secret-key"  # noqa: S105 - planted: moto takes any
        self.validator_key_ids = tuple(plan.id for plan in VALIDATORS)
        self.pauser_key_id = PAUSER.id
        self.ready_after: float | None = None
        """Seconds moto took to come up, once it has."""
        self._saved: Json | None = None
        self._ready: asyncio.Task[Backend] | None = None
        self._client: ClientSession | None = None

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Everything goes through."""
        yield web.route("*", "/{path:.*}", self._pass_on)

    async def start(self, folder: Path) -> None:
        """Listen; requests wait until moto is up."""
        await super().start(folder)
        self._client = ClientSession(auto_decompress=False)
        self._ready = asyncio.create_task(self._bring_up())

    async def stop(self) -> None:
        """Save, and end moto. Does nothing the second time."""
        if self._ready is None or self._client is None:
            return
        backend = await self._ready
        await super().stop()
        self._ready = None
        await self._client.close()
        await asyncio.to_thread(backend.stop)

    def remember(self) -> Json:
        """Keys and objects; while moto isn't up yet, what was saved last. A faulty key is kept as it was before."""
        if self._ready is None or not self._ready.done():
            return {"backend": self._saved}
        state = self._ready.result().state()
        faulty = {key for fault in ("kms-disabled", "kms-pending-deletion") for key in self._struck(fault)}
        for key in state["keys"]:
            if key["id"] in faulty:
                key["state"] = "Enabled"
        return {"backend": state}

    def recall(self, state: Json) -> None:
        """Continue from what `remember` returned."""
        self._saved = state["backend"]

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `ValueError` for a key there is not."""
        if str(request.get("fault")).startswith("backup-"):
            await super().inflict(request)
            gone = request["fault"] == "backup-missing"
            (await self._backend()).age_backups(None if gone else float(request.get("hours", 72)))
            return
        key = _key(request.get("which", PAUSER.name))
        struck = self._struck(str(request.get("fault")))
        await super().inflict(request)
        self.broken[request["fault"]]["keys"] = [*struck, key]
        backend = await self._backend()
        if request["fault"] == "kms-disabled":
            backend.disable(key)
        elif request["fault"] == "kms-pending-deletion":
            backend.schedule_deletion(key)
        elif request["fault"] == "kms-old":
            backend.age_key(key, float(request.get("days", 500)))

    async def mend(self) -> None:
        """Undo every fault; the keys that faults took out of use come back."""
        for fault in ("kms-disabled", "kms-pending-deletion"):
            for key in self._struck(fault):
                (await self._backend()).enable(key)
        for key in self._struck("kms-old"):
            (await self._backend()).age_key(key, 0)
        if any(fault.startswith("backup-") for fault in self.broken):
            (await self._backend()).age_backups(BACKUP_AGE)
        await super().mend()

    async def newest_backup(self) -> datetime | None:
        """When the newest thing in the bucket was put there."""
        return (await self._backend()).newest_backup()

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """An error in KMS's shape, or S3's."""
        if "X-Amz-Target" in request.headers:
            return _kms_error("ServiceUnavailableException", "Service Unavailable", status)
        text = "<Error><Code>ServiceUnavailable</Code><Message>Reduce your request rate.</Message></Error>"
        return web.Response(text=text, status=status, content_type="application/xml")

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """Denied or throttled, for KMS alone."""
        service, _, operation = request.headers.get("X-Amz-Target", "").partition(".")
        if service != "TrentService":
            return None
        if "kms-denied" in self.broken and self.broken["kms-denied"].get("operation", operation) == operation:
            user = f"User: arn:aws:iam::{ACCOUNT}:user/musd-bot is not authorized to perform: kms:{operation}"
            return _kms_error("AccessDeniedException", user)
        if self.take("kms-throttled"):
            text = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
            return _kms_error("ThrottlingException", text)
        return None

    def _struck(self, fault: str) -> list[str]:
        keys: list[str] = self.broken.get(fault, {}).get("keys", [])
        return keys

    async def _bring_up(self) -> Backend:
        begun = time.monotonic()
        backend = await asyncio.to_thread(Backend, self._saved)
        self.ready_after = time.monotonic() - begun
        return backend

    async def _backend(self) -> Backend:
        if self._ready is None:
            raise RuntimeError("the practice AWS is not started")
        return await asyncio.shield(self._ready)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        backend = await self._backend()
        body = await request.read()
        if request.headers.get("X-Amz-Target") == "TrentService.Sign":
            try:
                signed = await asyncio.to_thread(backend.sign, json.loads(body))
            except Refusal as refusal:
                return _kms_error(refusal.kind, refusal.message)
            if signed is not None:
                return web.json_response(signed, content_type="application/x-amz-json-1.1")
        return await self._forward(request, backend.url, body)

    async def _forward(self, request: web.Request, to: str, body: bytes) -> web.Response:
        if self._client is None:
            raise RuntimeError("the practice AWS is not started")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._client.request(
            request.method, to + request.raw_path, headers=headers, data=body, allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)


def _kms_error(kind: str, message: str, status: int = 400) -> web.Response:
    body = {"__type": kind, "message": message}
    return web.json_response(body, status=status, content_type="application/x-amz-json-1.1")


def _key(which: str) -> str:
    for plan in PLANS:
        if which in {plan.name, plan.id}:
            return plan.id
    raise ValueError(f"there is no practice key {which!r}; there are {', '.join(plan.name for plan in PLANS)}")
