"""The compiled practice contracts: what to deploy, and how their calls are written and read."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

ARTIFACTS = Path(__file__).with_name("artifacts.json")
"""Written by ``node scripts/compile-contracts.mjs``."""


@cache
def _everything() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(ARTIFACTS.read_text())
    return loaded


def _type(item: dict[str, Any]) -> str:
    """An ABI item's type as signatures write it, tuples spelled out."""
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(map(_type, item['components']))}){item['type'].removeprefix('tuple')}"


class Artifact:
    """One compiled contract. Raises `KeyError` for a contract or a function there isn't."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._compiled = _everything()[name]
        functions = [item for item in self._compiled["abi"] if item["type"] == "function"]
        self._inputs = {item["name"]: [_type(one) for one in item["inputs"]] for item in functions}
        self._outputs = {item["name"]: [_type(one) for one in item["outputs"]] for item in functions}

    def creation(self, *arguments: Any) -> str:
        """The data of the transaction that deploys it, as hex."""
        inputs = [item["inputs"] for item in self._compiled["abi"] if item["type"] == "constructor"]
        types = [_type(one) for one in inputs[0]] if inputs else []
        return str(self._compiled["bytecode"]) + encode(types, arguments).hex()

    def call(self, function: str, *arguments: Any) -> str:
        """The data of a call, as hex."""
        types = self._inputs[function]
        selector = keccak(text=f"{function}({','.join(types)})")[:4]
        return "0x" + (selector + encode(types, arguments)).hex()

    def result(self, function: str, answer: str) -> Any:
        """What a call returned: one value by itself, several as a tuple."""
        values = decode(self._outputs[function], bytes.fromhex(answer.removeprefix("0x")))
        return values[0] if len(values) == 1 else values


def topic(signature: str) -> str:
    """The first topic of an event, such as ``Paused(address)``."""
    return "0x" + keccak(text=signature).hex()


def role(name: str) -> bytes:
    """A role's id in OpenZeppelin's AccessControl."""
    return bytes(32) if name == "DEFAULT_ADMIN_ROLE" else keccak(text=name)
