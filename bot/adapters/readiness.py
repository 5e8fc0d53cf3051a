"""Looking at everything a pause needs: code, roles, dry runs, the key's balance and nonces, the RPCs among each other.

One batch to each RPC, at one moment. Nothing is sent, and the key itself is not needed: its address is enough.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from bot.adapters import reverts, rpc
from bot.adapters.rpc import Rpc, Rpcs
from bot.adapters.sending import GAS, GWEI
from bot.domain.amounts import Amount
from bot.errors import BotError, UnavailableError
from bot.ports import Flaw, Readiness

ROLES: Mapping[str, str] = {"BLE_BRIDGE": "EMERGENCY_ROLE"}
"""By contract: the role its pause takes, where that isn't PAUSER_ROLE (protocol facts, Pausing)."""
_IMPLEMENTATION = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
"""Where an upgradeable contract keeps the address of its present code (EIP-1967)."""
_APART = 3
"""Blocks that RPCs may be apart."""
_ETHER = 18
_PER_CONTRACT = 5


@dataclass(frozen=True)
class _Contract:
    """What one RPC says of one contract."""

    code: str
    """The hash of its code and of where that is kept; empty where there is none."""
    paused: bool | None
    has_role: bool | None
    """None where the contract knows no roles."""
    refuses: str
    """Why the pause would revert; empty where it would not."""


@dataclass(frozen=True)
class _Seen:
    """What one RPC says, all at one moment."""

    node: str
    block: int
    base_fee: int
    balance: int
    nonces: tuple[int, int]
    """The key's next, mined and with what waits."""
    contracts: Mapping[str, _Contract]


class PauseReadiness:
    """Fulfils `ports.PausingReads`."""

    def __init__(
        self,
        rpcs: Rpcs,
        contracts: Mapping[str, str],
        signer: str,
        *,
        calls: Mapping[str, str],
        max_fee_gwei: int,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Look at these contracts for this key.

        Args:
            rpcs: all of them are asked.
            contracts: those of the pause: address by setting name.
            signer: the key's address; empty where this process has not unlocked it.
            calls: by contract, where the pause isn't ``pause()``.
            max_fee_gwei: what a pause may offer per gas at most.
            check: raises `UnavailableError` where the key could not sign now.
        """
        self._rpcs = rpcs
        self._contracts = contracts
        self._signer = signer
        self._calls = calls
        self._max_fee = max_fee_gwei * GWEI
        self._check = check
        self._known: dict[str, str] = {}
        """The code of each contract when this process first saw it."""

    @property
    def signer(self) -> str:
        """The pausing key's address; empty where this process has not unlocked it."""
        return self._signer

    async def readiness(self) -> Readiness:
        """One look.

        Raises:
            UnavailableError: no RPC answered, or this process does not know the pausing key's address.
        """
        if not self._signer:
            raise UnavailableError("The pausing key is not unlocked in this process, so nothing is known about it.")
        answers = await self._rpcs.gather(self._see)
        seen = [one for one in answers if not isinstance(one, UnavailableError)]
        silent = [one for one in answers if isinstance(one, UnavailableError)]
        if not seen:
            raise rpc.silent(silent)
        best = max(seen, key=lambda one: one.block)
        flaws = [
            *(Flaw(f"{one.happened}.", "Mend or replace this RPC in MUSD_RPC_URLS.") for one in silent),
            *await self._signing_flaws(),
            *self._key_flaws(best),
            *(flaw for name in self._contracts for flaw in self._contract_flaws(name, best)),
            *_disagreements(seen),
        ]
        return Readiness(
            signer=self._signer,
            contracts=len(self._contracts),
            balance=Amount(best.balance, _ETHER),
            block=best.block,
            agreeing=tuple(one.node for one in seen),
            flaws=tuple(flaws),
        )

    async def _signing_flaws(self) -> list[Flaw]:
        try:
            if self._check is not None:
                await self._check()
        except BotError as error:
            return [Flaw(error.happened, error.next_step or "Look at where the pausing key is kept.")]
        return []

    def _key_flaws(self, seen: _Seen) -> list[Flaw]:
        flaws = []
        needed = len(self._contracts) * GAS * self._max_fee
        if seen.balance < needed:
            has, wants = Amount(seen.balance, _ETHER).text(4), Amount(needed, _ETHER).text(4)
            text = f"The pausing key {self._signer} has {has} ETH; {len(self._contracts)} pauses can take {wants} ETH."
            flaws.append(Flaw(text, "Send ether to it."))
        if seen.nonces[1] > seen.nonces[0]:
            waiting = seen.nonces[1] - seen.nonces[0]
            text = f"{waiting} transaction(s) of the pausing key wait unmined: a pause would have to go around them."
            flaws.append(Flaw(text, "Find out who else has this key, and mine or replace what waits."))
        if seen.base_fee > self._max_fee:
            text = f"The base fee is {seen.base_fee / GWEI:,.1f} gwei, above the cap of {self._max_fee / GWEI:,.0f}."
            flaws.append(Flaw(text, "Raise MUSD_MAX_FEE_GWEI."))
        return flaws

    def _contract_flaws(self, name: str, seen: _Seen) -> list[Flaw]:
        one, address = seen.contracts[name], self._contracts[name]
        if not one.code:
            return [Flaw(f"{name}: there is no contract at {address}.", f"Correct {name}.")]
        flaws = []
        if self._known.setdefault(name, one.code) != one.code:
            text = f"{name}: its code at {address} is not what it was when the bot started."
            flaws.append(Flaw(text, "Find out who changed it; restart the bot once it is known to be right."))
        if one.has_role is False:
            role = ROLES.get(name, "PAUSER_ROLE")
            text = f"{name}: the pausing key {self._signer} lacks {role}."
            flaws.append(Flaw(text, f"An admin grants it: grantRole({role}, {self._signer}) on {address}."))
        elif one.refuses and one.paused is not True:
            text = f"{name}: the dry run of its pause fails: {one.refuses}."
            flaws.append(
                Flaw(text, "Pause it by hand from another key meanwhile; check its address and the key's role.")
            )
        return flaws

    async def _see(self, node: Rpc) -> _Seen:
        fixed: list[tuple[str, Sequence[Any]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getBalance", [self._signer, "latest"]),
            ("eth_getTransactionCount", [self._signer, "latest"]),
            ("eth_getTransactionCount", [self._signer, "pending"]),
        ]
        asked = [*fixed, *(one for name in self._contracts for one in self._questions(name))]
        answers = await node.answers(asked)
        head, balance, mined, pending = (one.get("result") for one in answers[: len(fixed)])
        if not isinstance(head, dict) or not all(isinstance(one, str) for one in (balance, mined, pending)):
            raise UnavailableError(f"{node.name}: it knows no block, or nothing of the pausing key")
        of_contracts = answers[len(fixed) :]
        return _Seen(
            node=node.name,
            block=int(head["number"], 16),
            base_fee=int(head.get("baseFeePerGas", "0x0"), 16),
            balance=int(str(balance), 16),
            nonces=(int(str(mined), 16), int(str(pending), 16)),
            contracts={
                name: _read(of_contracts[place * _PER_CONTRACT : (place + 1) * _PER_CONTRACT])
                for place, name in enumerate(self._contracts)
            },
        )

    def _questions(self, name: str) -> list[tuple[str, Sequence[Any]]]:
        address = self._contracts[name]
        role = keccak(text=ROLES.get(name, "PAUSER_ROLE"))
        pause = rpc.calldata(self._calls.get(name, "pause()"))
        has_role = rpc.calldata("hasRole(bytes32,address)", role, self._signer)
        return [
            ("eth_getCode", [address, "latest"]),
            ("eth_getStorageAt", [address, _IMPLEMENTATION, "latest"]),
            ("eth_call", [{"to": address, "data": rpc.calldata("paused()")}, "latest"]),
            ("eth_call", [{"to": address, "data": has_role}, "latest"]),
            ("eth_call", [{"from": self._signer, "to": address, "data": pause, "gas": hex(GAS)}, "latest"]),
        ]


def _read(answers: Sequence[Mapping[str, Any]]) -> _Contract:
    code, kept_at, paused, has_role, pause = answers
    found = str(code.get("result") or "0x")
    return _Contract(
        code="" if found == "0x" else keccak(text=found + str(kept_at.get("result"))).hex(),
        paused=_bool(paused),
        has_role=_bool(has_role),
        refuses=_refusal(pause),
    )


def _bool(answer: Mapping[str, Any]) -> bool | None:
    found = answer.get("result")
    return bool(int(found, 16)) if isinstance(found, str) and len(found) == len("0x") + 64 else None


def _refusal(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    if error is None:
        return ""
    data = reverts.raw(error.get("data")) if isinstance(error, dict) else None
    return reverts.decode(data).text if data is not None else "it answered with an error"


def _disagreements(seen: Sequence[_Seen]) -> list[Flaw]:
    flaws = []
    newest = max(one.block for one in seen)
    for one in seen:
        if newest - one.block > _APART:
            text = f"{one.node} is {newest - one.block} blocks behind the others."
            flaws.append(Flaw(text, "Mend or replace this RPC in MUSD_RPC_URLS."))
    level = [one for one in seen if newest - one.block <= _APART]
    for name in level[0].contracts:
        says = {one.node: one.contracts[name] for one in level}
        if len({(one.code, one.paused) for one in says.values()}) > 1:
            words = "; ".join(f"{node} says {_words(one)}" for node, one in says.items())
            flaws.append(Flaw(f"{name}: the RPCs disagree: {words}.", "One of them lies or is broken: replace it."))
    return flaws


def _words(one: _Contract) -> str:
    return {True: "paused", False: "not paused", None: "nothing"}[one.paused] + f" (code {one.code[:8] or 'none'})"
