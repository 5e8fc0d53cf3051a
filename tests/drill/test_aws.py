"""The practice KMS and S3, spoken to by the genuine client."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aioboto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bot.drill.aws import Aws

DIGEST = hashlib.sha256(b"an unsigned transaction").digest()


@pytest.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    part = Aws()
    await part.start(tmp_path)
    yield part
    await part.stop()


def client(aws: Aws, service: str, **config: Any) -> Any:
    return aioboto3.Session().client(
        service,
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


async def sign(aws: Aws, key: str = "") -> bytes:
    async with client(aws, "kms") as kms:
        answer = await kms.sign(
            KeyId=key or aws.pauser_key_id,
            Message=DIGEST,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return bytes(answer["Signature"])


async def public_key(aws: Aws, key: str) -> ec.EllipticCurvePublicKey:
    async with client(aws, "kms") as kms:
        found = load_der_public_key((await kms.get_public_key(KeyId=key))["PublicKey"])
    assert isinstance(found, ec.EllipticCurvePublicKey)
    return found


async def key_state(aws: Aws, key: str) -> str:
    async with client(aws, "kms") as kms:
        return str((await kms.describe_key(KeyId=key))["KeyMetadata"]["KeyState"])


async def refusal(aws: Aws) -> str:
    with pytest.raises(ClientError) as refused:
        await sign(aws)
    return str(refused.value.response["Error"]["Code"])


async def test_a_digest_is_signed_as_it_is(aws: Aws) -> None:
    signature = await sign(aws)
    key = await public_key(aws, aws.pauser_key_id)
    key.verify(signature, DIGEST, ec.ECDSA(Prehashed(SHA256())))


async def test_the_start_waits_for_nothing(tmp_path: Path) -> None:
    part = Aws()
    begun = time.monotonic()
    await part.start(tmp_path)
    try:
        assert time.monotonic() - begun < 0.3
    finally:
        await part.stop()


async def test_three_validators_and_a_pauser_have_aliases_and_the_ethereum_curve(aws: Aws) -> None:
    async with client(aws, "kms") as kms:
        aliases = {one["AliasName"]: one.get("TargetKeyId") for one in (await kms.list_aliases())["Aliases"]}
        described = await kms.describe_key(KeyId="alias/musd-pauser")
    mine = [aliases[f"alias/musd-{name}"] for name in ("validator-1", "validator-2", "validator-3", "pauser")]
    assert mine == [*aws.validator_key_ids, aws.pauser_key_id]
    assert described["KeyMetadata"]["KeySpec"] == "ECC_SECG_P256K1"


async def test_a_digest_of_another_length_is_refused(aws: Aws) -> None:
    async with client(aws, "kms") as kms:
        with pytest.raises(ClientError, match="invalid length"):
            await kms.sign(
                KeyId=aws.pauser_key_id, Message=b"x", MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )


async def test_an_unknown_key_is_not_found(aws: Aws) -> None:
    async with client(aws, "kms") as kms:
        with pytest.raises(ClientError, match="NotFoundException"):
            await kms.sign(KeyId="nobody", Message=DIGEST, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")


async def test_a_disabled_key_is_described_as_disabled_and_does_not_sign(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-disabled"})
    assert await key_state(aws, aws.pauser_key_id) == "Disabled"
    assert await refusal(aws) == "DisabledException"


async def test_one_validators_key_can_be_pending_deletion(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-pending-deletion", "which": "validator-2"})
    states = [await key_state(aws, key) for key in aws.validator_key_ids]
    assert states == ["Enabled", "PendingDeletion", "Enabled"]


async def test_a_key_there_is_not_cannot_be_broken(aws: Aws) -> None:
    with pytest.raises(ValueError, match="no practice key 'root'"):
        await aws.inflict({"fault": "kms-disabled", "which": "root"})


async def test_access_can_be_denied_for_one_operation(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-denied", "operation": "Sign"})
    assert await refusal(aws) == "AccessDeniedException"
    assert await key_state(aws, aws.pauser_key_id) == "Enabled"


async def test_throttling_lasts_as_often_as_asked(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-throttled", "times": 1})
    assert await refusal(aws) == "ThrottlingException"
    assert await sign(aws)


async def test_aws_can_be_down(aws: Aws) -> None:
    await aws.inflict({"fault": "down"})
    assert await refusal(aws) == "ServiceUnavailableException"


async def test_aws_can_be_slow(aws: Aws) -> None:
    await aws.inflict({"fault": "slow", "seconds": 2})
    async with client(aws, "kms", read_timeout=0.2) as kms:
        with pytest.raises(ReadTimeoutError):
            await kms.describe_key(KeyId=aws.pauser_key_id)


async def test_mending_brings_the_keys_back(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-disabled"})
    await aws.inflict({"fault": "kms-disabled", "which": "validator-2"})
    await aws.inflict({"fault": "kms-pending-deletion", "which": "validator-1"})
    await aws.mend()
    assert await sign(aws)
    assert await sign(aws, aws.validator_key_ids[1])
    assert await sign(aws, aws.validator_key_ids[0])


async def test_backups_are_stored_listed_and_read(aws: Aws) -> None:
    dump = bytes(range(256)) * 1000
    async with client(aws, "s3") as s3:
        await s3.put_object(Bucket=aws.bucket, Key="2026/backup.dump", Body=dump, Metadata={"sha256": "abc"})
        listed = (await s3.list_objects_v2(Bucket=aws.bucket))["Contents"]
        head = await s3.head_object(Bucket=aws.bucket, Key="2026/backup.dump")
        read = await (await s3.get_object(Bucket=aws.bucket, Key="2026/backup.dump"))["Body"].read()
    assert ("2026/backup.dump", len(dump)) in [(one["Key"], one["Size"]) for one in listed]
    assert (head["ContentLength"], head["Metadata"]) == (len(dump), {"sha256": "abc"})
    assert read == dump


async def test_a_large_backup_goes_up_in_parts(aws: Aws, tmp_path: Path) -> None:
    dump = tmp_path / "large.dump"
    await asyncio.to_thread(dump.write_bytes, b"0123456789abcdef" * 600_000)
    async with client(aws, "s3") as s3:
        await s3.upload_file(str(dump), aws.bucket, "large.dump")
        assert (await s3.head_object(Bucket=aws.bucket, Key="large.dump"))["ContentLength"] == 9_600_000


async def test_keys_and_objects_survive_a_restart_and_faults_do_not(aws: Aws, tmp_path: Path) -> None:
    before = (await public_key(aws, aws.pauser_key_id)).public_numbers()
    async with client(aws, "kms") as kms, client(aws, "s3") as s3:
        made = (await kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY"))["KeyMetadata"]["KeyId"]
        await kms.disable_key(KeyId=aws.validator_key_ids[2])
        await s3.put_object(Bucket=aws.bucket, Key="a", Body=b"kept")
    await aws.inflict({"fault": "kms-disabled"})
    await aws.stop()
    again = Aws()
    await again.start(tmp_path)
    try:
        assert (await public_key(again, aws.pauser_key_id)).public_numbers() == before
        states = [await key_state(again, key) for key in (made, aws.validator_key_ids[2], aws.pauser_key_id)]
        assert states == ["Enabled", "Disabled", "Enabled"]
        async with client(again, "s3") as s3:
            assert await (await s3.get_object(Bucket=again.bucket, Key="a"))["Body"].read() == b"kept"
    finally:
        await again.stop()
