"""Reverts in words: from the bytes a contract reverted with to the custom error's name and what it means.

An error nobody listed here keeps its raw selector: shown as it is, never guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

MISSING = "no such function"
"""`Revert.error` where the contract has nothing by that name: an empty revert, or no answer at all."""

_SELECTOR = 4
_TEXT_AT_MOST = 200


@dataclass(frozen=True)
class Revert:
    """What a contract said no with."""

    error: str
    """The custom error's name; ``Error`` or ``Panic`` for Solidity's own; the raw selector where nothing decodes it."""
    text: str
    """The same for people, with its arguments."""


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return str(seconds)


_ROLES: Mapping[bytes, str] = {bytes(32): "DEFAULT_ADMIN_ROLE"} | {
    keccak(text=name): name
    for name in ("PAUSER_ROLE", "EMERGENCY_ROLE", "TIMELOCK_ROLE", "RELAYER_ROLE", "VALIDATOR_ROLE")
}


def _role(identifier: bytes) -> str:
    return _ROLES.get(identifier, f"the role 0x{identifier.hex()}")


_WORDS: Mapping[str, Callable[..., str]] = {
    "EnforcedPause()": lambda: "it is paused already",
    "ExpectedPause()": lambda: "it is not paused",
    "AccessControlUnauthorizedAccount(address,bytes32)": lambda who, role: (
        f"{to_checksum_address(who)} lacks {_role(role)}"
    ),
    "OwnableUnauthorizedAccount(address)": lambda who: f"{to_checksum_address(who)} is not the owner",
    "StalePrice()": lambda: "the price is stale",
    "StalePrice(address)": lambda _: "the price is stale",
    "StalePrice(address,uint256)": lambda _, at: f"the price is stale: last set {_time(at)}",
    "StalePrice(address,uint256,uint256)": lambda _, at, age: (
        f"the price is stale: last set {_time(at)}, and {age} s old is the oldest allowed"
    ),
    "CircuitBreakerActive()": lambda: "the circuit breaker is active",
    "CircuitBreakerActive(address)": lambda token: f"the circuit breaker of {token} is active",
    "FeedNotEnabled()": lambda: "the feed is not enabled",
    "FeedNotEnabled(address)": lambda token: f"the feed of {token} is not enabled",
    "UseRequestUnpause()": lambda: "this contract unpauses by requestUnpause(), 24 hours and executeUnpause()",
    "NoUnpauseRequested()": lambda: "nobody requested the unpause",
    "UnpauseTooEarly(uint256)": lambda at: f"the unpause can be executed from {_time(at)} on",
    "Error(string)": lambda text: f'"{text[:_TEXT_AT_MOST]}"',
    "Panic(uint256)": lambda code: f"an internal check of the contract failed (panic 0x{code:02x})",
}
"""By the error's signature: its arguments in words."""

_BY_SELECTOR: Mapping[bytes, str] = {function_signature_to_4byte_selector(signature): signature for signature in _WORDS}


def decode(data: bytes) -> Revert:
    """What these revert bytes say. Empty ones say that the function isn't there, or gives no reason."""
    if not data:
        return Revert(MISSING, "it has no such function, or reverted without a reason")
    signature = _BY_SELECTOR.get(data[:_SELECTOR])
    if signature is None:
        return Revert(f"0x{data[:_SELECTOR].hex()}", f"it reverted with the unknown error 0x{data[:_SELECTOR].hex()}")
    name, _, types = signature.rstrip(")").partition("(")
    try:
        arguments = abi_decode(types.split(",") if types else [], data[_SELECTOR:])
    except Exception:  # noqa: BLE001 - bytes from outside: the name is known, the arguments are not
        return Revert(name, f"{name}, with arguments that can't be read")
    words = _WORDS[signature](*arguments)
    return Revert(name, words if name in {"Error", "Panic"} else f"{name}: {words}")


def raw(data: Any) -> bytes | None:
    """The revert bytes in a JSON-RPC error's `data`, in each of the shapes nodes give it; None if there are none."""
    if isinstance(data, Mapping):
        return next((found for value in data.values() if (found := raw(value)) is not None), None)
    text = data.removeprefix("Reverted ") if isinstance(data, str) else ""
    try:
        return bytes.fromhex(text[2:]) if text.startswith("0x") else None
    except ValueError:
        return None
