"""Reading AWS: the validators' keys in KMS, and the backups in S3. It signs nothing and changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from bot.domain.probe import State
from bot.errors import UnavailableError
from bot.ports import Backup, SigningKey

TIMEOUT = 3.0
"""Seconds that connecting, and each answer, may take."""
_STATES = {
    "Enabled": (State.OK, "enabled"),
    "Disabled": (State.BAD, "the key is DISABLED: enable it again (kms:EnableKey)"),
    "PendingDeletion": (State.BAD, "the key is PENDING DELETION: cancel that (kms:CancelKeyDeletion), then enable it"),
}
_ERRORS = {
    "AccessDeniedException": "AccessDenied: the bot may not describe this key (kms:DescribeKey); check IAM permissions",
    "NotFoundException": "no such key in this region",
    "ThrottlingException": "throttled: AWS answers too many requests; ask again in a moment",
    "KMSInternalException": "KMS itself has trouble: look at AWS service health",
    "ServiceUnavailableException": "KMS is not available: look at AWS service health",
}  # fmt: skip
"""By KMS's code: what it means (Validator Down / Quorum Loss, resolution step 2)."""


class AwsReads:
    """Fulfils `ports.KeyReads` and `ports.BackupReads`."""

    def __init__(
        self,
        *,
        region: str,
        keys: Mapping[str, str],
        bucket: str = "",
        endpoint_url: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        """Read these.

        Args:
            region: such as ``eu-central-1``.
            keys: KMS key id by validator.
            bucket: where backups are.
            endpoint_url: another address, in the drill alone.
            timeout: seconds for one request.
        """
        self._keys = keys
        self._bucket = bucket
        self._region = region
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint_url or None,
            "config": Config(
                connect_timeout=timeout,
                read_timeout=timeout,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        }

    @cached_property
    def _session(self) -> Any:
        # Made when it is first asked: making one takes longer than most answers.
        return aioboto3.Session(region_name=self._region or None)

    async def validators(self) -> Sequence[SigningKey]:
        """One per configured validator, asked side by side."""
        if not self._keys:
            raise UnavailableError(
                "No validator's key is configured.", next_step="Set VALIDATOR_KMS_KEY_IDS to deployment=key-id, ….",
            )  # fmt: skip
        try:
            async with self._session.client("kms", **self._options) as kms:
                return await asyncio.gather(*(_described(kms, *one) for one in self._keys.items()))
        except (BotoCoreError, ValueError) as error:
            raise UnavailableError(f"AWS can't be asked: {error}.") from None

    async def last(self) -> Backup | None:
        """The newest object of the bucket."""
        if not self._bucket:
            raise UnavailableError("No place for backups is configured.", next_step="Set MUSD_BACKUP_BUCKET.")
        newest: Backup | None = None
        try:
            async with self._session.client("s3", **self._options) as s3:
                async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                    for one in page.get("Contents", ()):
                        described = one["Key"].endswith(".json")  # what a backup of ours is described by
                        if not described and (newest is None or one["LastModified"] > newest.at):
                            newest = Backup(one["Key"], one["LastModified"], one["Size"])
        except (BotoCoreError, ClientError, ValueError) as error:
            raise UnavailableError(f"The backups in {self._bucket} can't be listed: {_why(error)}.") from None
        return newest


async def _described(kms: Any, validator: str, key: str) -> SigningKey:
    try:
        told = (await kms.describe_key(KeyId=key))["KeyMetadata"]
    except (BotoCoreError, ClientError) as error:
        return SigningKey(validator, State.UNKNOWN, _why(error))
    state, text = _STATES.get(told["KeyState"], (State.BAD, f"the key is {told['KeyState']}"))
    return SigningKey(validator, state, text, told.get("CreationDate"))


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        return _ERRORS.get(code, f"AWS refused: {code}")
    if isinstance(error, NoCredentialsError):
        return "the bot has no AWS credentials"
    if isinstance(error, EndpointConnectionError):
        return "AWS is unreachable from the bot"
    return f"AWS is unreachable or does not answer ({type(error).__name__})"
