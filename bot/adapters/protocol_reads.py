"""Reading the protocol's books on Ethereum: reserves, supply, mints, share price, liquidations, prices written.

Contracts differ from the runbooks, so each reading has candidates, tried in order, and says which one answered. Logs
are read in bounded ranges of blocks.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_utils.crypto import keccak
from web3.eth import AsyncEth

from bot.adapters import reverts, rpc
from bot.adapters.rpc import Question, Rpcs
from bot.domain.amounts import Amount
from bot.errors import RevertedError, UnavailableError
from bot.ports import Flow, Minted, OraclePrice, Reserves, SharePrice, Strategy, Supply

RESERVE_CALLS = ("totalAssets()", "totalValueNet()", "totalValue()")
"""The runbook's name first, then what deployments have; in the reserves' own decimals."""
CAP_CALLS = (("DIRECT_MINT", "supplyCap()"), ("MUSD", "supplyCap()"))
USDC_DECIMALS = 6
MUSD_DECIMALS = 18
PRICE_DECIMALS = 18
GWEI_DECIMALS = 9
LIQUIDATION = "Liquidation(address,address,uint256,uint256)"
TRANSFER = "Transfer(address,address,uint256)"
PRICE_WRITTEN = "PriceUpdated(address,uint256,uint256)"
PATHS: Mapping[str, str] = {"DIRECT_MINT": "DirectMint", "BORROW_MODULE": "Lending", "BLE_BRIDGE": "Bridge"}
"""By setting name: the minting path a contract is (Supply Cap Breach, resolution step 2)."""
_VAULT_EVENTS: Mapping[str, str] = {
    "Deposit(address,address,uint256,uint256)": "holders",
    "Withdraw(address,address,address,uint256,uint256)": "holders",
    "YieldDistributed(address,uint256)": "yield",
    "LossReported(address,uint256)": "loss",
}
_REPORT = ("string", "uint256", "uint256", "uint256", "uint256", "bool")
_BLOCKS_A_RANGE = 2_000
_MOST_RANGES = 10
"""Together 20 000 blocks: two and a half days of Ethereum."""
_NOBODY = "0x" + "0" * 64


class OnChainProtocol:
    """Fulfils `ports.ProtocolReads`: from the first RPC that answers."""

    def __init__(
        self,
        rpcs: Rpcs,
        contracts: Mapping[str, str],
        *,
        collateral: str = "",
        reserve_calls: Sequence[str] = RESERVE_CALLS,
        cap_calls: Sequence[tuple[str, str]] = CAP_CALLS,
    ) -> None:
        """Read these contracts.

        Args:
            rpcs: shared with whatever else speaks to the chain.
            contracts: address by setting name.
            collateral: the token whose price is read.
            reserve_calls: views of the Treasury to try, in this order.
            cap_calls: contracts and views that may know the supply cap, in this order.
        """
        self._reserve_calls = reserve_calls
        self._cap_calls = cap_calls
        self._rpcs = rpcs
        self._contracts = contracts
        self._collateral = collateral

    async def reserves(self, ago: timedelta = timedelta(0)) -> Reserves:
        """Reserves and supply at one block."""
        block, at = await self._block(ago)
        (value, read), decimals, supply, scale = await asyncio.gather(
            self._first([("TREASURY", name) for name in self._reserve_calls], block),
            self._reserve_decimals(),
            self._number("MUSD", "totalSupply()", block=block),
            self._number("MUSD", "decimals()"),
        )
        return Reserves(Amount(value, decimals), Amount(supply, scale), block, at, read)

    async def strategies(self) -> Sequence[Strategy]:
        """The Treasury's strategies."""
        (raw, decimals) = await asyncio.gather(
            self._answer("TREASURY", "getCurrentAllocations()"), self._reserve_decimals()
        )
        addresses, values = abi_decode(["address[]", "uint256[]"], raw)
        return await asyncio.gather(
            *(self._strategy(one, value, decimals) for one, value in zip(addresses, values, strict=True))
        )

    async def supply(self) -> Supply:
        """Supply and caps at the newest block."""
        block, _ = await self._block()
        supply, decimals, (cap, read), local = await asyncio.gather(
            self._number("MUSD", "totalSupply()", block=block),
            self._number("MUSD", "decimals()"),
            self._first(self._cap_calls, block),
            self._optional("MUSD", "localCapBps()", block=block),
        )
        local_cap = None if local is None else Amount(cap * local // 10_000, decimals)
        return Supply(Amount(supply, decimals), Amount(cap, decimals), local_cap, block, read)

    async def mints(self, since: timedelta) -> Sequence[Minted]:
        """Who minted, oldest first: `Transfer` from nobody, and which path's contract took part in the transaction."""
        minted = await self._logs([self._address("MUSD")], [_topic(TRANSFER), _NOBODY], since)
        paths = {self._contracts[name].lower(): path for name, path in PATHS.items() if name in self._contracts}
        seen = {log["transactionHash"]: paths[log["address"].lower()] for log in await self._logs([*paths], [], since)}
        decimals = await self._number("MUSD", "decimals()")
        return [
            Minted(
                seen.get(log["transactionHash"], "unknown"),
                Amount(int.from_bytes(log["data"]), decimals),
                _hex(log["transactionHash"]),
            )
            for log in minted
        ]

    async def share_price(self, ago: timedelta = timedelta(0)) -> SharePrice:
        """What one whole share is worth: a share has `decimals()` of its own, 21 where the vault has an offset of 3."""
        block, at = await self._block(ago)
        decimals, scale = await asyncio.gather(self._number("SMUSD", "decimals()"), self._asset_decimals())
        worth, shares = await asyncio.gather(
            self._number("SMUSD", "convertToAssets(uint256)", 10**decimals, block=block),
            self._number("SMUSD", "totalSupply()", block=block),
        )
        return SharePrice(Amount(worth, scale), Amount(shares, decimals), block, at)

    async def vault_flows(self, since: timedelta) -> Sequence[Flow]:
        """What changed the vault's assets beside deposits and withdrawals, one per transaction, oldest first."""
        vault = self._address("SMUSD")
        word = "0x" + vault[2:].lower().rjust(64, "0")
        asset = "0x" + (await self._answer("SMUSD", "asset()"))[-20:].hex()
        into, out, events, scale = await asyncio.gather(
            self._logs([asset], [_topic(TRANSFER), None, word], since),
            self._logs([asset], [_topic(TRANSFER), word], since),
            self._logs([vault], [[_topic(event) for event in _VAULT_EVENTS]], since),
            self._asset_decimals(),
        )
        kinds = {_topic(event): kind for event, kind in _VAULT_EVENTS.items()}
        explained = {log["transactionHash"]: kinds[_hex(log["topics"][0])] for log in events}
        net: dict[bytes, int] = defaultdict(int)
        blocks: dict[bytes, tuple[int, int]] = {}
        for sign, logs in ((1, into), (-1, out)):
            for log in logs:
                net[log["transactionHash"]] += sign * int.from_bytes(log["data"])
                blocks[log["transactionHash"]] = (log["blockNumber"], log["transactionIndex"])
        return [
            Flow(explained.get(one, "unexplained"), Amount(net[one], scale).exact, _hex(one), blocks[one][0])
            for one in sorted(blocks, key=lambda one: blocks[one])
            if explained.get(one) != "holders" and net[one]
        ]

    async def liquidations(self, since: timedelta) -> Sequence[datetime]:
        """When positions were liquidated, oldest first."""
        logs = await self._logs([self._address("BORROW_MODULE")], [_topic(LIQUIDATION)], since)
        numbers = sorted({log["blockNumber"] for log in logs})
        times = dict(zip(numbers, await asyncio.gather(*map(self._time, numbers)), strict=True))
        return [times[log["blockNumber"]] for log in logs]

    async def oracle_price(self) -> OraclePrice:
        """The collateral's last price, past the oracle's own refusal to give out an old one."""
        token = self._token()
        value, updated, max_age = await asyncio.gather(
            self._number("PRICE_ORACLE", "lastPrice(address)", token),
            self._number("PRICE_ORACLE", "lastUpdate(address)", token),
            self._optional("PRICE_ORACLE", "maxAge(address)", token),
        )
        return OraclePrice(
            Amount(value, PRICE_DECIMALS),
            datetime.fromtimestamp(updated, UTC),
            None if max_age is None else timedelta(seconds=max_age),
        )

    async def oracle_moves(self, since: timedelta) -> Sequence[Amount]:
        """The prices that were written, oldest first."""
        word = "0x" + self._token()[2:].lower().rjust(64, "0")
        logs = await self._logs([self._address("PRICE_ORACLE")], [_topic(PRICE_WRITTEN), word], since)
        return [Amount(int.from_bytes(log["data"][:32]), PRICE_DECIMALS) for log in logs]

    async def bridge_signers(self) -> Sequence[tuple[str, str]]:
        """The relayer first, then the validators."""
        asked = (("relayer", "relayer()", ()), *((f"validator {n}", "validators(uint256)", (n,)) for n in range(3)))
        answers = await asyncio.gather(*(self._number("BLE_BRIDGE", call, *given) for _, call, given in asked))
        return [(name, rpc.checksummed(f"0x{found:040x}")) for (name, *_), found in zip(asked, answers, strict=True)]

    async def gas_price(self) -> Amount:
        """The present base fee, in gwei."""
        block = await self._rpcs.first(lambda eth: eth.get_block("latest"))
        return Amount(block["baseFeePerGas"], GWEI_DECIMALS)

    async def _strategy(self, address: str, value: int, decimals: int) -> Strategy:
        """A strategy's report, or as much as the allocations tell where it gives none."""
        try:
            raw = await self._answer("TREASURY", "getStrategyReport(address)", address)
            # A struct with a string in it: the tuple's own offset comes first.
            name, _, pending, loss, _, answers = abi_decode([f"({','.join(_REPORT)})"], raw)[0]
        except (RevertedError, UnavailableError):
            raise
        except Exception:  # noqa: BLE001 - another deployment's report has another shape: its value is known all the same
            return Strategy(address, address, Amount(value, decimals), None, None, answers=True)
        return Strategy(
            address, name, Amount(value, decimals), Amount(pending, decimals), Amount(loss, decimals), answers=answers
        )

    async def _reserve_decimals(self) -> int:
        """Of the Treasury's own unit: what it says, else what its asset says, else USDC's."""
        own = await self._optional("TREASURY", "decimals()")
        if own is not None:
            return own
        asset = await self._optional("TREASURY", "asset()")
        if asset is None:
            return USDC_DECIMALS
        return rpc.number(await self._rpcs.first(rpc.call("0x" + f"{asset:040x}", rpc.calldata("decimals()"))))

    async def _asset_decimals(self) -> int:
        return await self._number("MUSD", "decimals()") if "MUSD" in self._contracts else MUSD_DECIMALS

    def _address(self, contract: str) -> str:
        address = self._contracts.get(contract)
        if not address:
            raise UnavailableError(f"{contract} is not configured: it has no address.")
        return address

    def _token(self) -> str:
        if not self._collateral:
            raise UnavailableError("COLLATERAL_TOKEN is not configured, so there is no price to ask for.")
        return self._collateral

    async def _answer(self, contract: str, signature: str, *arguments: Any, block: int | None = None) -> bytes:
        data = rpc.calldata(signature, *arguments)
        question = rpc.call(self._address(contract), data, block="latest" if block is None else block)
        try:
            return await self._rpcs.first(question)
        except RevertedError as error:
            raise RevertedError(f"{contract} refused {signature}: {error.happened}", error=error.error) from None

    async def _number(self, contract: str, signature: str, *arguments: Any, block: int | None = None) -> int:
        try:
            return rpc.number(await self._answer(contract, signature, *arguments, block=block))
        except RevertedError as error:
            if error.error != reverts.MISSING:
                raise
            raise RevertedError(f"{contract} has no {signature}.", error=reverts.MISSING) from None

    async def _optional(self, contract: str, signature: str, *arguments: Any, block: int | None = None) -> int | None:
        """The number; None where the contract has no such view."""
        try:
            return await self._number(contract, signature, *arguments, block=block)
        except RevertedError as error:
            if error.error != reverts.MISSING:
                raise
            return None

    async def _first(self, candidates: Sequence[tuple[str, str]], block: int) -> tuple[int, str]:
        for contract, signature in candidates:
            value = await self._optional(contract, signature, block=block) if contract in self._contracts else None
            if value is not None:
                return value, f"{contract}.{signature}"
        tried = ", ".join(f"{contract}.{signature}" for contract, signature in candidates)
        raise UnavailableError(f"No contract here has any of {tried}.", next_step="Check the addresses.")

    async def _block(self, ago: timedelta = timedelta(0)) -> tuple[int, datetime]:
        """The newest block, or the last one that is at least that old."""
        head = await self._rpcs.first(lambda eth: eth.get_block("latest"))
        newest, at = int(head["number"]), datetime.fromtimestamp(head["timestamp"], UTC)
        if not ago:
            return newest, at
        number = await self._before(int((at - ago).timestamp()), newest)
        return number, await self._time(number)

    async def _before(self, moment: int, newest: int) -> int:
        """The last block not after that moment, by halving; the first one where the chain is younger."""
        low, high = 0, newest
        while low < high:
            middle = (low + high + 1) // 2
            at = (await self._time(middle)).timestamp()
            low, high = (middle, high) if at <= moment else (low, middle - 1)
        return low

    async def _time(self, number: int) -> datetime:
        block = await self._rpcs.first(lambda eth: eth.get_block(number))
        return datetime.fromtimestamp(block["timestamp"], UTC)

    async def _logs(self, addresses: Sequence[str], topics: Sequence[Any], since: timedelta) -> list[Any]:
        """All logs of that time, asked in bounded ranges of blocks.

        Raises:
            UnavailableError: that would be too many ranges, or a range can't be had.
        """
        if not addresses:
            return []
        newest, _ = await self._block()
        begin = await self._begin(newest, since)
        starts = range(begin, newest + 1, _BLOCKS_A_RANGE)
        if len(starts) > _MOST_RANGES:
            raise UnavailableError(f"{newest - begin} blocks are too many to read logs from.")
        ranges = [(start, min(start + _BLOCKS_A_RANGE - 1, newest)) for start in starts]
        found = await asyncio.gather(*(self._rpcs.first(_logged(addresses, topics, *one)) for one in ranges))
        return [log for logs in found for log in logs]

    async def _begin(self, newest: int, since: timedelta) -> int:
        head = await self._time(newest)
        return await self._before(int((head - since).timestamp()), newest) + 1


def _logged(addresses: Sequence[str], topics: Sequence[Any], first: int, last: int) -> Question[Any]:
    wanted: Any = {
        "address": [rpc.checksummed(one) for one in addresses],
        "topics": list(topics),
        "fromBlock": first,
        "toBlock": last,
    }

    async def question(eth: AsyncEth) -> Any:
        return await eth.get_logs(wanted)

    return question


def _topic(signature: str) -> str:
    return "0x" + keccak(text=signature).hex()


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()
