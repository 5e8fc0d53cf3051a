"""Signers: who holds the pausing key. The key never leaves its signer: not by repr, pickle or copy, not in a log.

`KeystoreSigner` has a Foundry keystore, opened once at start. `KmsSigner` has a key in AWS KMS, which no one can read.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol, Self

from bot.adapters.trouble import reason
from bot.errors import ConfigurationError, UnavailableError

Transaction = Mapping[str, Any]
"""A type-2 transaction, every field filled in: chainId, nonce, to, value, data, gas and both fees."""

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the curve secp256k1."""
_READABLE_BY_ALL = 0o007
_POINT = 64
"""Bytes of an uncompressed public key, and the end of its DER form."""


@dataclass(frozen=True)
class Signed:
    """A signed transaction's bytes and its hash, both 0x-prefixed hex."""

    raw: str
    hash: str


class Signer(Protocol):
    """Somebody who signs for one address."""

    @property
    def address(self) -> str:
        """Checksummed."""

    async def sign(self, transaction: Transaction) -> Signed:
        """Sign a transaction. Sends nothing."""

    async def check(self) -> None:
        """Raise `UnavailableError` where it could not sign now."""


class KeystoreSigner:
    """A Foundry V3 keystore's key, in memory since `unlock`."""

    __slots__ = ("_address", "_sign")

    def __init__(self, address: str, sign: Callable[[Transaction], Signed]) -> None:
        self._address = address
        # A closure holds the key, so that no attribute of this object does.
        self._sign = sign

    def __repr__(self) -> str:
        return f"<KeystoreSigner {self.address}>"

    @property
    def address(self) -> str:
        """Checksummed."""
        return self._address

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a signer is not pickled or copied: its key stays where it is")

    @classmethod
    async def unlock(cls, path: Path, password_file: Path) -> Self:
        """Decrypt the keystore, in a thread: scrypt may take seconds and hundreds of megabytes.

        Raises:
            ConfigurationError: a file can't be read, everybody may read the password, or it is the wrong one.
        """
        address, sign = await asyncio.to_thread(_unlocked, path, password_file)
        return cls(address, sign)

    async def check(self) -> None:
        """It can: the key is in memory."""

    async def sign(self, transaction: Transaction) -> Signed:
        """Sign a transaction. Sends nothing."""
        return self._sign(transaction)


def _unlocked(path: Path, password_file: Path) -> tuple[str, Callable[[Transaction], Signed]]:
    from eth_account import Account  # noqa: PLC0415 - 0.6 s that only a bot with a key pays

    keystore, password = _keystore(path), _password(password_file)
    try:
        account = Account.from_key(Account.decrypt(keystore, password))
    except ValueError:
        raise ConfigurationError(
            f"The password in {password_file} does not open the keystore {path}.",
            means="The bot has no key to pause with.",
            next_step="Check it with: cast wallet address --keystore PATH --password-file FILE.",
        ) from None
    except Exception as error:  # noqa: BLE001 - a damaged keystore fails in as many ways as there are
        raise _damaged(path, type(error).__name__) from None

    def sign(transaction: Transaction) -> Signed:
        signed = account.sign_transaction(dict(transaction))
        return Signed(raw="0x" + bytes(signed.raw_transaction).hex(), hash="0x" + bytes(signed.hash).hex())

    return account.address, sign


def _keystore(path: Path) -> dict[str, Any]:
    try:
        keystore = json.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(
            f"The keystore {path} can't be read: {error.strerror}.", next_step="Correct MUSD_KEYSTORE."
        ) from None
    except ValueError:
        raise _damaged(path, "it is not JSON") from None
    if not isinstance(keystore, dict) or keystore.get("version") != 3:  # noqa: PLR2004 - the format's number
        raise _damaged(path, "it is not a V3 keystore")
    return keystore


def _damaged(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The keystore {path} can't be used: {why}.",
        means="The bot has no key to pause with.",
        next_step="Make one with: cast wallet import NAME --interactive.",
    )


def _password(path: Path) -> str:
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(
            f"The password file {path} can't be read: {why}.", next_step="Correct MUSD_KEYSTORE_PASSWORD_FILE."
        ) from None
    if mode & _READABLE_BY_ALL:
        raise ConfigurationError(
            f"Everybody on this machine may read the password file {path} (mode {mode & 0o777:o}).",
            means="Whoever reads it and the keystore can pause the protocol.",
            next_step="Run: chmod 600 on it; for a Kubernetes secret mount set defaultMode: 0400.",
        )
    return text.rstrip("\r\n")


class KmsSigner:
    """A secp256k1 key in AWS KMS, used by `kms:Sign`, `kms:GetPublicKey` and `kms:DescribeKey`."""

    def __init__(self, key: str, address: str, client: Any, stack: AsyncExitStack) -> None:
        self._address = address
        self._key = key
        self._client = client
        self._stack = stack

    def __repr__(self) -> str:
        return f"<KmsSigner {self.address}>"

    @property
    def address(self) -> str:
        """Checksummed."""
        return self._address

    @classmethod
    async def open(cls, key: str, *, region: str | None = None, endpoint_url: str | None = None) -> Self:
        """Connect, check that the key can sign, and learn its address.

        Args:
            key: its id, alias (``alias/musd-pauser``) or ARN.
            region: AWS region; the environment's when not given.
            endpoint_url: another KMS, as in the drill.

        Raises:
            ConfigurationError: there is no such key, or it is of a kind that can't sign for Ethereum.
            UnavailableError: AWS does not answer or allow it, or the key is disabled.
        """
        import aioboto3  # noqa: PLC0415 - only a bot with such a key pays for loading it
        from aiobotocore.config import AioConfig  # noqa: PLC0415

        # No proxy of the environment's gets between the bot and an endpoint that was named to it.
        proxies: dict[str, Any] = {"proxies": {}} if endpoint_url else {}
        config = AioConfig(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3}, **proxies)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                aioboto3.Session().client("kms", region_name=region, endpoint_url=endpoint_url, config=config)
            )
            described = await _ask(key, client.describe_key(KeyId=key))
            _check(key, described["KeyMetadata"])
            public = await _ask(key, client.get_public_key(KeyId=key))
            return cls(key, address_of_public_key(public["PublicKey"]), client, stack.pop_all())
        raise AssertionError("unreachable: the stack swallows nothing")

    async def check(self) -> None:
        """Whether the key could sign now.

        Raises:
            UnavailableError: it is disabled, or AWS does not answer.
        """
        described = await _ask(self._key, self._client.describe_key(KeyId=self._key))
        _check(self._key, described["KeyMetadata"])

    async def sign(self, transaction: Transaction) -> Signed:
        """Sign a transaction: KMS is handed the hash and nothing else.

        Raises:
            UnavailableError: AWS does not answer, or signed with another key than the one whose address is known.
        """
        from eth_account.typed_transactions.typed_transaction import TypedTransaction  # noqa: PLC0415 - as above
        from eth_utils.crypto import keccak  # noqa: PLC0415

        digest = bytes(TypedTransaction.from_dict(dict(transaction)).hash())
        answer = await _ask(
            self._key,
            self._client.sign(KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"),
        )
        v, r, s = self._recoverable(digest, answer["Signature"])
        raw = bytes(TypedTransaction.from_dict({**transaction, "v": v, "r": r, "s": s}).encode())
        return Signed(raw="0x" + raw.hex(), hash="0x" + keccak(raw).hex())

    async def close(self) -> None:
        """Close the connection."""
        await self._stack.aclose()

    def _recoverable(self, digest: bytes, der: bytes) -> tuple[int, int, int]:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 - as above
        from eth_keys.datatypes import Signature  # noqa: PLC0415

        r, s = decode_dss_signature(der)
        low = min(s, _ORDER - s)
        for v in (0, 1):
            signature = Signature(vrs=(v, r, low))
            if signature.recover_public_key_from_msg_hash(digest).to_checksum_address() == self.address:
                return v, r, low
        raise UnavailableError(
            f"KMS key {self._key} did not sign as {self.address}.",
            means="Nothing was sent.",
            next_step="Check whether its alias points to another key now, then restart the bot.",
        )


def address_of_public_key(der: bytes) -> str:
    """The address of a public key as KMS hands it out (DER)."""
    from eth_keys.datatypes import PublicKey  # noqa: PLC0415 - as above

    return PublicKey(der[-_POINT:]).to_checksum_address()


def _check(key: str, metadata: Mapping[str, Any]) -> None:
    if metadata.get("KeySpec") != "ECC_SECG_P256K1" or metadata.get("KeyUsage") != "SIGN_VERIFY":
        raise ConfigurationError(
            f"KMS key {key} is {metadata.get('KeySpec')} for {metadata.get('KeyUsage')}.",
            means="It can't sign for Ethereum.",
            next_step="Name a key with spec ECC_SECG_P256K1 and usage SIGN_VERIFY.",
        )
    if not metadata.get("Enabled"):
        state = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(metadata.get("KeyState", "Disabled")))
        raise UnavailableError(
            f"KMS key {key} is {state.lower()}.",
            means="The bot can't pause with it.",
            next_step="Enable it, or configure another key.",
        )


async def _ask(key: str, request: Any) -> Any:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as above

    try:
        return await request
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NotFoundException":
            raise ConfigurationError(f"There is no KMS key {key}.", next_step="Check its id, alias or ARN.") from None
        raise UnavailableError(f"AWS KMS refused {error.operation_name} with key {key}: {code}.") from None
    except Exception as error:  # noqa: BLE001 - botocore has no common root for a failing connection
        raise UnavailableError(f"AWS KMS does not answer: {reason(error)}.") from None
