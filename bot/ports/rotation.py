"""Ports of key rotation. No method hands a secret value out: what may be known of one is its address or fingerprint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from bot.domain.probe import Finding

RELAY_KEY, CANTON_TOKEN = "relay-key", "canton-token"
"""The secrets that are rotated, by the bot's words for them."""


class SecretWrites(Protocol):
    """The cluster's Secrets that are rotated, each one value."""

    async def fact(self, secret: str) -> str:
        """What may be said of the present value: a private key's address, a token's fingerprint; empty without one."""

    async def obtain(self, secret: str, announced: str, *, holder: str = "") -> str:
        """Put the value there that was there before, if it is the announced one, or else the one that its source has.

        A source is a secret store, or Canton's admin API. Empty where it has none.

        Args:
            secret: which.
            announced: what its `fact` has to be, where that is known; it is not put there otherwise.
            holder: to whom a source issues it, where it is another one than usual.

        Returns:
            The fact of what is there now.

        Raises:
            RefusedError: the source's value is not the announced one, or does not work. Nothing was changed.
        """

    async def typed_by(self, secret: str) -> str:
        """Who put the present value there from a terminal, by that terminal's own word; empty where nobody says."""

    async def refused(self, secret: str, old: str) -> str:
        """How the old value is turned down where it is used, by its fact; empty while it is taken.

        Raises:
            UnavailableError: nobody knows, or the cluster has no such value any more.
        """

    async def forget(self, secret: str) -> None:
        """Take the value before the present one out of the cluster: until then a rotation can be rolled back."""


class TokenUsers(Protocol):
    """The ledger's user whose tokens are rotated: revoking a token is denying its user everything."""

    @property
    def user(self) -> str:
        """Its id."""

    async def deactivate(self) -> None:
        """Deny it everything."""

    async def succeed(self, mark: str) -> str:
        """Another one with the same rights: its id. The same mark again is the same one."""


class CreatedKey(BaseModel):
    """A signing key in KMS."""

    model_config = ConfigDict(frozen=True)

    id: str
    address: str


class KeyWrites(Protocol):
    """AWS KMS under a credential of its own that may create keys: absent unless configured."""

    async def create(self, validator: str, mark: str) -> CreatedKey:
        """A key for this validator; the same mark again is the same key."""

    async def described(self, key: str) -> CreatedKey:
        """A key that there is, and its address."""


@dataclass(frozen=True)
class Rotation:
    """What rotating a key is handed."""

    secrets: SecretWrites
    users: TokenUsers | None
    """None where no token of the participant's admin is configured: a stolen token is revoked by hand."""
    keys: KeyWrites | None
    """None where no rotation credential is configured: new KMS keys are created by hand."""
    validator_keys: Mapping[str, str]
    """The present key of each validator, by configuration."""
    attests: Callable[[str], Awaitable[Finding]]
    """Has this validator attested something since its pod began?"""
    setting: str
    """The environment variable in which a validator is told its key: ``KMS_KEY_ID``."""
    patience: timedelta
    """How long a local prompt, or an attestation, is waited for."""
