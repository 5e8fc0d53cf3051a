"""Ethereum: each RPC by itself, each contract's code, and which candidate of each read this deployment answers."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from web3.eth import AsyncEth

from bot.adapters import reverts, rpc
from bot.adapters.rpc import Rpc, Rpcs
from bot.domain.probe import Finding, Probe, bad, ok
from bot.errors import RevertedError
from bot.ports import Reads
from bot.settings import Settings
from bot.wiring.checks.check import TIMEOUT, check, mended

_TOKENS = ("MUSD", "SMUSD")
"""Contracts whose amounts nobody can read without their decimals."""
_SLOW = 1.0
"""Seconds for one answer, from which on an RPC is no use at 03:00."""


def checks(settings: Settings, rpcs: Rpcs) -> Sequence[Probe[Any]]:
    """All about Ethereum but the signer."""
    return [
        *(_one_rpc(one, settings) for one in rpcs.all),
        *(_contract(name, address, rpcs) for name, address in settings.contracts.items()),
        check("ethereum:pause-set", "Contracts of the emergency pause", lambda: _pause_set(settings)),
        _read("reserves", "Reserves", _reserves),
        _read("supply", "Supply and cap", _supply),
        _read("share-price", "Share price", _share_price),
        _read("oracle", "Oracle's last price", _oracle),
        _read("price", "Oracle's price for users", _price),
    ]


def _one_rpc(one: Rpc, settings: Settings) -> Probe[Any]:
    async def ask() -> Finding:
        began = time.monotonic()
        block = await one.ask(lambda eth: eth.get_block("latest"))
        took = time.monotonic() - began
        age = datetime.now(UTC) - datetime.fromtimestamp(block["timestamp"], UTC)
        said = f"chain {settings.chain_id}, block {block['number']}, {age.total_seconds():.0f} s old, {took:.2f} s"
        if await one.ask(_syncing):
            return bad(f"it is still syncing: {said}")
        if age > settings.block_max_age:
            return bad(f"its newest block is too old: {said}", mend="Use another RPC, or raise MUSD_BLOCK_MAX_AGE.")
        return bad(f"too slow: {said}") if took > _SLOW * settings.patience else ok(said)

    return check(
        f"rpc:{one.name}",
        one.name,
        ask,
        mend="Check it, or put another into MUSD_RPC_URLS; MUSD_CHAIN_ID says which chain.",
    )


async def _syncing(eth: AsyncEth) -> bool:
    return bool(await eth.syncing)


def _contract(name: str, address: str, rpcs: Rpcs) -> Probe[Any]:
    async def ask() -> Finding:
        code = await rpcs.first(lambda eth: eth.get_code(rpc.checksummed(address)))
        if not code:
            return bad(f"no contract at {address} on chain {rpcs.chain_id}")
        said = f"{len(code)} bytes of code at {address}"
        if name not in _TOKENS:
            return ok(said)
        try:
            decimals = rpc.number(await rpcs.first(rpc.call(address, rpc.calldata("decimals()"))))
        except RevertedError as error:
            if error.error != reverts.MISSING:
                raise
            return bad(f"{said}, but no decimals(): it is no token")
        return ok(f"{said}, {decimals} decimals")

    return check(f"contract:{name}", name, ask, mend=f"Correct {name}.")


async def _pause_set(settings: Settings) -> Finding:
    missing = [name for name in settings.pause_contracts if name not in settings.contracts]
    if missing:
        return bad(f"without an address: {', '.join(missing)}", mend=f"Set {', '.join(missing)}.")
    return ok(", ".join(settings.pausable))


def _read(key: str, title: str, ask: Callable[[Reads], Awaitable[Finding]]) -> Probe[Reads]:
    mend = "Check the contracts' addresses, and their views in MUSD_RESERVE_READS, MUSD_CAP_READS, MUSD_PRICE_READS."
    return mended(Probe(f"read:{key}", title, ask, timeout=TIMEOUT), mend)


async def _reserves(reads: Reads) -> Finding:
    found = await reads.protocol.reserves()
    return ok(f"{found.read} answers: {found.reserves.text()} against {found.supply.text()}")


async def _supply(reads: Reads) -> Finding:
    found = await reads.protocol.supply()
    return ok(f"{found.read} answers: {found.supply.text()} of {found.cap.text()}")


async def _share_price(reads: Reads) -> Finding:
    found = await reads.protocol.share_price()
    return ok(f"one share is {found.price.text(6)}, with {found.shares.decimals} decimals")


async def _oracle(reads: Reads) -> Finding:
    found = await reads.protocol.oracle_price()
    return ok(f"{found.price.text(4)} at {found.updated_at:%Y-%m-%d %H:%M:%S} UTC")


async def _price(reads: Reads) -> Finding:
    found = await reads.chain.price()
    return ok(f"{found.read} answers: {found.price.text(4)}")
