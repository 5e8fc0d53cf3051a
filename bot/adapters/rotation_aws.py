"""AWS under the rotation's own credential: keys created in KMS, values of Secrets Manager read by reference."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from bot.adapters.signers import address_of_public_key
from bot.errors import RefusedError, UnavailableError
from bot.ports import CreatedKey

_TIMEOUT = 5.0


class RotationAws:
    """Fulfils `ports.KeyWrites`; its `secret` is a source of values."""

    def __init__(self, *, region: str, access_key: str, secret_key: SecretStr, endpoint_url: str = "") -> None:
        """Connect under this credential; under the environment's where it is empty."""
        self._credential = (region, access_key, secret_key)
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint_url or None,
            "config": Config(connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 2}),
        }

    @cached_property
    def _session(self) -> Any:
        # Made when it is first asked: making one takes longer than most answers.
        region, access_key, secret_key = self._credential
        return aioboto3.Session(
            region_name=region or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key.get_secret_value() or None,
        )

    async def create(self, validator: str, mark: str) -> CreatedKey:
        """A key whose description carries the mark; one that has it already is that key."""
        description = f"{validator}, rotation {mark}"
        async with self._client("kms", "create a key") as kms:
            found = await _described(kms, description)
            if found is None:
                made = await kms.create_key(
                    KeySpec="ECC_SECG_P256K1",
                    KeyUsage="SIGN_VERIFY",
                    Description=description,
                    Tags=[{"TagKey": "musd-rotation", "TagValue": mark}],
                )
                found = str(made["KeyMetadata"]["KeyId"])
            return await _with_address(kms, found)

    async def described(self, key: str) -> CreatedKey:
        """A key that there is, and its address."""
        async with self._client("kms", f"describe the key {key}") as kms:
            return await _with_address(kms, key)

    async def secret(self, reference: str) -> SecretStr:
        """A value of Secrets Manager.

        Raises:
            RefusedError: there is none under this reference, none that this credential may read, or none that is text.
        """
        async with self._client("secretsmanager", f"read the secret {reference}") as store:
            value = (await store.get_secret_value(SecretId=reference)).get("SecretString")
        if not value:
            raise RefusedError(f"The secret {reference} holds no text.", means="Nothing was changed.")
        return SecretStr(value)

    @asynccontextmanager
    async def _client(self, service: str, what: str) -> AsyncIterator[Any]:
        try:
            async with self._session.client(service, **self._options) as found:
                yield found
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise RefusedError(f"AWS does not {what}: {code}.", means="Nothing was changed by this.") from None
        except BotoCoreError as error:
            raise UnavailableError(f"AWS does not answer, so it did not {what}: {type(error).__name__}.") from None


async def _described(kms: Any, description: str) -> str | None:
    """A key of that description. Creating one has no way of being asked for twice safely, so it is looked for."""
    async for page in kms.get_paginator("list_keys").paginate():
        for one in page["Keys"]:
            told = (await kms.describe_key(KeyId=one["KeyId"]))["KeyMetadata"]
            if told.get("Description") == description and told.get("Enabled"):
                return str(one["KeyId"])
    return None


async def _with_address(kms: Any, key: str) -> CreatedKey:
    public = await kms.get_public_key(KeyId=key)
    return CreatedKey(id=key, address=address_of_public_key(public["PublicKey"]))
