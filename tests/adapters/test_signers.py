"""The keystore signer: a Foundry keystore on disk, and everything that can be wrong with it."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from bot.adapters.signers import KeystoreSigner, Signer
from bot.errors import ConfigurationError

KEY = keccak(text="a key that is worth nothing")
ADDRESS = Account.from_key(KEY).address
PASSWORD = "correct horse"


def transaction(nonce: int = 0) -> dict[str, Any]:
    return {
        "type": 2,
        "chainId": 31337,
        "nonce": nonce,
        "to": "0x" + "12" * 20,
        "value": 0,
        "data": "0x8456cb59",
        "gas": 120_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
    }


@pytest.fixture(scope="module")
def foundry() -> str:
    return json.dumps(Account.encrypt(KEY, PASSWORD, kdf="scrypt", iterations=8192))


@pytest.fixture
def keystore(tmp_path: Path, foundry: str) -> Path:
    path = tmp_path / "pauser"
    path.write_text(foundry)
    return path


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
async def signer(keystore: Path, password: Path) -> KeystoreSigner:
    return await KeystoreSigner.unlock(keystore, password)


def change(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def same(signer: Signer) -> str:
    return signer.address


async def test_a_keystore_is_unlocked_to_its_address(signer: KeystoreSigner) -> None:
    assert same(signer) == ADDRESS


async def test_a_signature_recovers_to_the_address(signer: KeystoreSigner) -> None:
    signed = await signer.sign(transaction())
    assert Account.recover_transaction(signed.raw) == ADDRESS


async def test_a_signed_transaction_is_the_one_asked_for(signer: KeystoreSigner) -> None:
    signed = await signer.sign(transaction(nonce=7))
    found = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert (found["nonce"], found["chainId"], bytes(found["data"]).hex()) == (7, 31337, "8456cb59")


async def test_the_hash_is_the_signed_bytes_hash(signer: KeystoreSigner) -> None:
    signed = await signer.sign(transaction())
    assert signed.hash == "0x" + keccak(hexstr=signed.raw).hex()


async def test_a_signer_shows_its_address_and_nothing_else(signer: KeystoreSigner) -> None:
    assert [repr(signer), str(signer), f"{signer}"] == [f"<KeystoreSigner {ADDRESS}>"] * 3


async def test_no_attribute_of_a_signer_holds_the_key(signer: KeystoreSigner) -> None:
    shown = [repr(getattr(signer, name)) for name in dir(signer)]
    assert [text for text in shown if KEY.hex() in text or str(KEY) in text] == []


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
async def test_a_signer_is_neither_pickled_nor_copied(signer: KeystoreSigner, take: Any) -> None:
    with pytest.raises(TypeError, match="its key stays where it is"):
        take(signer)


async def test_a_wrong_password_is_a_setting_to_mend(keystore: Path, password: Path) -> None:
    change(password, "battery staple")
    with pytest.raises(ConfigurationError) as caught:
        await KeystoreSigner.unlock(keystore, password)
    assert caught.value.happened == f"The password in {password} does not open the keystore {keystore}."


async def test_a_wrong_password_is_not_told(keystore: Path, password: Path) -> None:
    change(password, "battery staple")
    with pytest.raises(ConfigurationError) as caught:
        await KeystoreSigner.unlock(keystore, password)
    assert "battery" not in caught.value.sentences()


async def test_a_missing_keystore_is_named(tmp_path: Path, password: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere can't be read: No such file or directory"):
        await KeystoreSigner.unlock(tmp_path / "nowhere", password)


async def test_a_missing_password_file_is_named(keystore: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing can't be read: No such file or directory"):
        await KeystoreSigner.unlock(keystore, tmp_path / "nothing")


async def test_a_password_everybody_may_read_is_refused(keystore: Path, password: Path) -> None:
    change(password, PASSWORD, mode=0o644)
    with pytest.raises(ConfigurationError, match="Everybody on this machine may read") as caught:
        await KeystoreSigner.unlock(keystore, password)
    assert caught.value.next_step == "Run: chmod 600 on it; for a Kubernetes secret mount set defaultMode: 0400."


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no json", "it is not JSON"),
        ("[]", "it is not a V3 keystore"),
        ('{"version": 4}', "it is not a V3 keystore"),
        ('{"version": 3}', "KeyError"),
    ],
)
async def test_a_damaged_keystore_is_said_to_be_so(keystore: Path, password: Path, content: str, why: str) -> None:
    change(keystore, content)
    with pytest.raises(ConfigurationError) as caught:
        await KeystoreSigner.unlock(keystore, password)
    assert caught.value.happened == f"The keystore {keystore} can't be used: {why}."
