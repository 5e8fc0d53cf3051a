"""The Secrets that are rotated: written by server-side apply, and known to anybody only by what may be said of them.

A value passes through this process's memory and through nothing else: no log, no file, no message, no argument of a
program. What comes out is an address or a fingerprint. Until a rotation has ended, the value before stays in the same
Secret under a key of its own, so that it can be rolled back (docs/adr/0011).
"""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes_asyncio import client
from pydantic import SecretStr

from bot.adapters.kube_api import KubeApi
from bot.errors import RefusedError, UnavailableError

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_MANAGER = "musd-bot"
_BEFORE = ".before"
"""Behind a Secret's key: the value that was there before."""
_TYPED_BY = "musd-bot/typed-by"
"""Our annotation on a Secret: what may be said of the value that was typed, and who typed it."""
_FINGERPRINT = 12
_WHO_AT_MOST = 120
"""Characters of who typed it: anybody who may write the Secret may write there."""

Source = Callable[[str], Awaitable[SecretStr]]
"""Where a new value comes from by reference, given whose it is to be where that can be chosen."""
Trial = Callable[[SecretStr], Awaitable[str]]
"""How what takes a value turns it down; empty while it takes it."""


@dataclass(frozen=True)
class Kept:
    """One value in one Secret."""

    secret: str
    """The Secret's name."""
    key: str
    fact: Callable[[str], str]
    """What may be said of a value; raises `ValueError` for what is none."""
    source: Source | None = None
    trial: Trial | None = None


class ClusterSecrets:
    """Fulfils `ports.SecretWrites`."""

    def __init__(self, kube: KubeApi, kept: Mapping[str, Kept]) -> None:
        self._kube = kube
        self._kept = kept

    async def fact(self, secret: str) -> str:
        """What may be said of the present value."""
        present, _ = await self._values(self._one(secret))
        return _fact(self._one(secret), present) if present else ""

    async def obtain(self, secret: str, announced: str, *, holder: str = "") -> str:
        """Put the value before there, or the source's, if it is the announced one."""
        one = self._one(secret)
        _, before = await self._values(one)
        if announced and before and _fact(one, before).lower() == announced.lower():
            return await self.put(secret, SecretStr(before), announced)
        return "" if one.source is None else await self.put(secret, await one.source(holder), announced)

    async def forget(self, secret: str) -> None:
        """Take the value before out of the cluster."""
        one = self._one(secret)
        _, before = await self._values(one)
        if before:
            await self._patch(one, {"data": {one.key + _BEFORE: None}}, _MERGE)

    async def typed_by(self, secret: str) -> str:
        """Who typed the present value; what is said of another one is not taken for it."""
        one = self._one(secret)
        found = await self._read(one)
        present, _ = _kept(one, found)
        said = (found.metadata.annotations or {}).get(_TYPED_BY, "")
        about, _, who = said.rpartition(" by ")
        return who[:_WHO_AT_MOST] if present and about == _fact(one, present) else ""

    async def refused(self, secret: str, old: str) -> str:
        """How the value of this fact is turned down: the present one, or the one before."""
        one = self._one(secret)
        for value in await self._values(one):
            if value and one.trial and _fact(one, value) == old:
                return await one.trial(SecretStr(value))
        raise UnavailableError(f"The value of {old} is not in the Secret {one.secret}, so it can't be tried.")

    async def put(self, secret: str, value: SecretStr, announced: str, *, by: str = "") -> str:
        """Put a value there, if it is the announced one; what may be said of it.

        Args:
            secret: which.
            value: the new one.
            announced: what may be said of it, where that is known.
            by: who typed it, to be written beside it: a statement, and no proof.

        Raises:
            RefusedError: it is another one, or none at all. Nothing was changed.
        """
        one = self._one(secret)
        text = value.get_secret_value().strip()
        try:
            fact = one.fact(text)
        except ValueError:
            raise RefusedError(f"That is no {secret}.", means="Nothing was changed.") from None
        if announced and fact.lower() != announced.lower():
            raise RefusedError(
                f"That {secret} is of {fact}, and {announced} was announced.",
                means="Nothing was changed.",
                next_step="Check which key this is, or propose the rotation again with its address.",
            )
        present, _ = await self._values(one)
        if present != text:
            values = {one.key: text, **({one.key + _BEFORE: present} if present else {})}
            await self._apply(one, values, {_TYPED_BY: f"{fact} by {by}"} if by else {})
        return fact

    def _one(self, secret: str) -> Kept:
        try:
            return self._kept[secret]
        except KeyError:
            raise RefusedError(f"There is no secret {secret[:40]!r} that is rotated.") from None

    async def _values(self, one: Kept) -> tuple[str, str]:
        """The present one and the one before; empty where there is none."""
        return _kept(one, await self._read(one))

    async def _read(self, one: Kept) -> Any:
        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).read_namespaced_secret(
                one.secret, self._kube.namespace, _request_timeout=self._kube.timeout
            )

        return await self._kube.ask(question, f"read the Secret {one.secret}", f"get on secrets/{one.secret}")

    async def _apply(self, one: Kept, values: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """Whole: an annotation of ours that is left out here is taken away, with the value it was about."""
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        meta = {"name": one.secret, **({"annotations": annotations} if annotations else {})}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
        await self._patch(one, body, _APPLY, force=True)

    async def _patch(self, one: Kept, body: Mapping[str, Any], how: str, **more: bool) -> None:
        async def question(api: Any) -> Any:
            core: Any = client.CoreV1Api(api)
            return await core.patch_namespaced_secret(
                one.secret,
                self._kube.namespace,
                body,
                field_manager=_MANAGER,
                _content_type=how,
                _request_timeout=self._kube.timeout,
                **more,
            )

        grant = f"patch on secrets/{one.secret}"
        await self._kube.ask(question, f"change the Secret {one.secret}", grant, writes=True)


def address_of(value: str) -> str:
    """The address that a private key derives.

    Raises:
        ValueError: it is no private key.
    """
    from eth_account import Account  # noqa: PLC0415 - only a rotation pays for loading it

    try:
        return str(Account.from_key(value).address)
    except Exception:  # noqa: BLE001 - its own errors quote the key
        raise ValueError("no private key") from None


def fingerprint_of(value: str) -> str:
    """The beginning of a token's hash: tells two apart, and gives neither away.

    Raises:
        ValueError: it is empty.
    """
    if not value:
        raise ValueError("no token")
    return f"token {hashlib.sha256(value.encode()).hexdigest()[:_FINGERPRINT]}"


def _kept(one: Kept, found: Any) -> tuple[str, str]:
    there = found.data or {}
    try:
        return _decoded(there.get(one.key, "")), _decoded(there.get(one.key + _BEFORE, ""))
    except (binascii.Error, UnicodeDecodeError):
        raise UnavailableError(f"The Secret {one.secret} holds no text under {one.key}.") from None


def _fact(one: Kept, value: str) -> str:
    try:
        return one.fact(value)
    except ValueError:
        return "something that is none"


def _decoded(value: str) -> str:
    return base64.b64decode(value, validate=True).decode().strip()
