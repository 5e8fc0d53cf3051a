"""The hand-over: what people with other keys have to send, in the forms their tools take, exactly as it must be sent.

Three forms of the same calls: `cast` lines in the runbook's style, a batch for Safe's transaction builder, and, for
calls that the 48 h timelock may make, the calldata of its `schedule` and `execute` (OpenZeppelin TimelockController).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

_SCHEDULE = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
_EXECUTE = "execute(address,uint256,bytes,bytes32,bytes32)"
_SELECTORS = {_SCHEDULE: "01d5062a", _EXECUTE: "134008d3"}
_WORD = 32
_NO_PREDECESSOR = "0x" + "00" * _WORD
_SENT_AS = "--account deployer --rpc-url $ETH_RPC_URL"
"""The runbook's key, by its name in Foundry's keystore."""
_NEEDS = (
    "Set ETH_RPC_URL, and have the key `deployer` in Foundry's keystore: cast wallet import deployer --interactive",
    "For a hardware wallet replace `--account deployer` by `--ledger`.",
)


class HandedCall(BaseModel):
    """One call to hand over."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The contract's own name."""
    address: str
    signature: str
    arguments: tuple[str, ...] = ()
    """As `cast` takes them."""
    calldata: str
    """The same, encoded: 0x-prefixed hex."""
    behind_timelock: bool = False

    @property
    def cast(self) -> str:
        """The line that sends it, as it stands."""
        return " ".join(["cast send", self.address, f'"{self.signature}"', *self.arguments, _SENT_AS])


class Handover(BaseModel):
    """What has to be sent by somebody else, in order."""

    model_config = ConfigDict(frozen=True)

    title: str
    why: str
    """Why the bot doesn't send it itself."""
    chain_id: int
    calls: tuple[HandedCall, ...]
    timelock: str = ""
    """The timelock's address, where there is one."""
    delay: timedelta = timedelta(hours=48)
    made_for: str
    """What it belongs to, such as a proposal's id: the timelock's salt comes from it."""

    def cast_lines(self) -> list[str]:
        """For a terminal, in order."""
        return [call.cast for call in self.calls]

    def script(self) -> str:
        """The lines as a file that a shell takes as it stands."""
        lines = [f"# {number}. {call.name}\n{call.cast}" for number, call in enumerate(self.calls, 1)]
        return "\n".join(
            ["#!/bin/sh", "set -e", *(f"# {text}" for text in (self.title, self.why, *_NEEDS)), *lines, ""]
        )

    @property
    def hashes(self) -> frozenset[str]:
        """32 bytes that stand in these files by themselves: roles and salts, which are public."""
        calls = [made for call in self.through_timelock for made in (self.schedule(call), self.execute(call))]
        return frozenset(
            one for call in (*self.calls, *calls) for one in call.arguments if len(one) == len(_NO_PREDECESSOR)
        )

    def safe_batch(self, at: datetime) -> dict[str, Any]:
        """A batch for Safe's transaction builder (Transaction Builder → drag and drop)."""
        meta = {"name": self.title, "description": self.why, "txBuilderVersion": "1.16.5"}
        return {
            "version": "1.0",
            "chainId": str(self.chain_id),
            "createdAt": int(at.timestamp() * 1000),
            "meta": meta,
            "transactions": [
                {
                    "to": call.address,
                    "value": "0",
                    "data": call.calldata,
                    "contractMethod": None,
                    "contractInputsValues": None,
                }
                for call in self.calls
            ],
        }

    @property
    def through_timelock(self) -> tuple[HandedCall, ...]:
        """The calls that the timelock may make too."""
        return tuple(call for call in self.calls if call.behind_timelock) if self.timelock else ()

    def schedule(self, call: HandedCall) -> HandedCall:
        """The proposer's call that starts the timelock's delay."""
        numbers = (int(self.delay.total_seconds()),)
        return self._timelocked(_SCHEDULE, call, numbers)

    def execute(self, call: HandedCall) -> HandedCall:
        """The call that carries it out, once the delay is over; anybody may make it where the timelock is open."""
        return self._timelocked(_EXECUTE, call, ())

    def document(self) -> str:
        """Everything in one file, for people and their tools: JSON."""
        timelock = [
            {
                "for": f"{call.name}.{call.signature}",
                "schedule": _sent(self.schedule(call)),
                "then_wait_seconds": int(self.delay.total_seconds()),
                "execute": _sent(self.execute(call)),
            }
            for call in self.through_timelock
        ]
        whole = {"title": self.title, "why": self.why, "chain_id": self.chain_id, "cast": self.cast_lines()}
        return json.dumps(whole | ({"timelock": timelock} if timelock else {}), indent=2) + "\n"

    def _timelocked(self, signature: str, call: HandedCall, numbers: Sequence[int]) -> HandedCall:
        salt = "0x" + hashlib.sha256(f"{self.made_for} {call.address} {call.calldata}".encode()).hexdigest()
        arguments = (call.address, "0", call.calldata, _NO_PREDECESSOR, salt, *map(str, numbers))
        return HandedCall(
            name="Timelock",
            address=self.timelock,
            signature=signature,
            arguments=arguments,
            calldata=_encoded(_SELECTORS[signature], call, salt, numbers),
        )


def _sent(call: HandedCall) -> dict[str, str]:
    return {"to": call.address, "calldata": call.calldata, "cast": call.cast}


def _encoded(selector: str, call: HandedCall, salt: str, numbers: Sequence[int]) -> str:
    """The contract ABI's form: a head of words, among them where the one `bytes` begins, and its bytes at the end."""
    data = bytes.fromhex(call.calldata.removeprefix("0x"))
    head = [int(call.address, 16), 0, (5 + len(numbers)) * _WORD, 0, int(salt, 16), *numbers]
    padded = data + bytes(-len(data) % _WORD)
    tail = len(data).to_bytes(_WORD) + padded
    return "0x" + selector + b"".join(word.to_bytes(_WORD) for word in head).hex() + tail.hex()
