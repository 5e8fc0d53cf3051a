"""The KMS signer over real connections: the practice AWS, with the real client."""

from collections.abc import AsyncIterator
from typing import Any

import aioboto3
import pytest
import pytest_asyncio
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from bot.adapters.signers import KmsSigner, Signer
from bot.drill.aws import Aws
from bot.drill.aws.backend import ACCOUNT, PAUSER
from bot.errors import ConfigurationError, UnavailableError

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2


def transaction(nonce: int = 0) -> dict[str, Any]:
    fees = {"gas": 120_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
    to = {"to": "0x" + "12" * 20, "value": 0, "data": "0x8456cb59"}
    return {"type": 2, "chainId": 31337, "nonce": nonce, **to, **fees}


def same(signer: Signer) -> str:
    return signer.address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aws]:
    aws = Aws()
    await aws.start(tmp_path_factory.mktemp("aws"))
    yield aws
    await aws.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def aws(practice: Aws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Aws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", practice.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", practice.secret_key)
    yield practice
    await practice.mend()


async def opened(aws: Aws, key: str) -> KmsSigner:
    return await KmsSigner.open(key, region=aws.region, endpoint_url=aws.url)


@pytest_asyncio.fixture(loop_scope="module")
async def kms(aws: Aws) -> AsyncIterator[KmsSigner]:
    signer = await opened(aws, aws.pauser_key_id)
    yield signer
    await signer.close()


async def test_a_kms_key_has_the_address_of_its_public_key(kms: KmsSigner) -> None:
    assert same(kms) == Account.from_key(PAUSER.secret).address


@pytest.mark.parametrize("form", ["alias/musd-pauser", "arn:aws:kms:{region}:{account}:key/{id}"])
async def test_a_key_goes_by_alias_and_arn_too(aws: Aws, kms: KmsSigner, form: str) -> None:
    key = form.format(region=aws.region, account=ACCOUNT, id=aws.pauser_key_id)
    other = await opened(aws, key)
    await other.close()
    assert other.address == kms.address


async def test_a_hundred_signatures_recover_to_the_address(kms: KmsSigner) -> None:
    signed = [await kms.sign(transaction(nonce)) for nonce in range(100)]
    assert {Account.recover_transaction(one.raw) for one in signed} == {kms.address}


async def test_a_signatures_s_is_the_low_one(kms: KmsSigner) -> None:
    signed = [await kms.sign(transaction(nonce)) for nonce in range(20)]
    high = [one for one in signed if TypedTransaction.from_bytes(HexBytes(one.raw)).as_dict()["s"] > HALF_ORDER]
    assert high == []


async def test_the_same_transaction_is_signed_as_with_the_key_itself(kms: KmsSigner) -> None:
    signed = await kms.sign(transaction(nonce=7))
    found = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert {name: found[name] for name in ("nonce", "chainId", "gas")} == {
        "nonce": 7,
        "chainId": 31337,
        "gas": 120_000,
    }
    assert signed.hash == "0x" + keccak(hexstr=signed.raw).hex()


async def test_a_kms_signer_shows_its_address_and_nothing_else(kms: KmsSigner) -> None:
    assert repr(kms) == f"<KmsSigner {kms.address}>"


async def test_a_disabled_key_is_reported_at_start(aws: Aws) -> None:
    await aws.inflict({"fault": "kms-disabled", "which": "pauser"})
    with pytest.raises(UnavailableError) as caught:
        await opened(aws, aws.pauser_key_id)
    assert caught.value.happened == f"KMS key {aws.pauser_key_id} is disabled."


async def test_a_key_disabled_later_is_found_by_a_check(aws: Aws, kms: KmsSigner) -> None:
    await kms.check()
    await aws.inflict({"fault": "kms-pending-deletion", "which": "pauser"})
    with pytest.raises(UnavailableError, match="is pending deletion"):
        await kms.check()


async def test_a_refusal_is_named(aws: Aws, kms: KmsSigner) -> None:
    await aws.inflict({"fault": "kms-denied", "operation": "Sign"})
    with pytest.raises(UnavailableError) as caught:
        await kms.sign(transaction())
    assert caught.value.happened == f"AWS KMS refused Sign with key {aws.pauser_key_id}: AccessDeniedException."


async def test_a_throttled_signature_is_asked_for_again(aws: Aws, kms: KmsSigner) -> None:
    await aws.inflict({"fault": "kms-throttled", "times": 1})
    signed = await kms.sign(transaction())
    assert Account.recover_transaction(signed.raw) == kms.address


async def test_a_key_that_is_not_there_is_a_setting_to_mend(aws: Aws) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no KMS key alias/nobody\."):
        await opened(aws, "alias/nobody")


async def test_a_key_of_another_kind_is_a_setting_to_mend(aws: Aws) -> None:
    async with aioboto3.Session().client("kms", region_name=aws.region, endpoint_url=aws.url) as client:
        key = (await client.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"))["KeyMetadata"]["KeyId"]
    with pytest.raises(ConfigurationError, match="is RSA_2048 for SIGN_VERIFY"):
        await opened(aws, key)


async def test_a_key_whose_alias_moved_is_refused(aws: Aws) -> None:
    alias, first, second = "alias/moving", *aws.validator_key_ids[:2]
    async with aioboto3.Session().client("kms", region_name=aws.region, endpoint_url=aws.url) as client:
        await client.create_alias(AliasName=alias, TargetKeyId=first)
        signer = await opened(aws, alias)
        await client.update_alias(AliasName=alias, TargetKeyId=second)
    with pytest.raises(UnavailableError, match=f"KMS key {alias} did not sign as {signer.address}"):
        await signer.sign(transaction())
    await signer.close()


async def test_an_aws_that_does_not_answer_is_said_to_be_so(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    await aws.inflict({"fault": "down", "how": "close"})
    with pytest.raises(UnavailableError, match="AWS KMS does not answer"):
        await opened(aws, aws.pauser_key_id)


async def test_a_proxy_of_the_environment_is_not_used(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    signer = await opened(aws, aws.pauser_key_id)
    await signer.close()
    assert signer.address == Account.from_key(PAUSER.secret).address
