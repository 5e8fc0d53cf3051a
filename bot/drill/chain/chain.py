"""The practice chain: a real anvil with the protocol's practice contracts, kept alive, fed with prices, breakable."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientError

from bot.drill.chain import faults, health
from bot.drill.chain.accounts import FEEDER, PAUSER, UNPAUSER, address, write_keystore
from bot.drill.chain.anvil import Anvil
from bot.drill.chain.deployment import HOURS, SHARE_DECIMALS, deploy
from bot.drill.chain.health import act_for_practice_accounts, fund
from bot.drill.chain.protocol import NAMED_IN_RUNBOOKS, PracticeError, Protocol, Step
from bot.drill.chain.proxy import Proxy
from bot.drill.chain.rpc import Rpc, RpcError
from bot.drill.part import Fault, read_json, write_json

logger = logging.getLogger(__name__)

BEAT = 12.0
"""Seconds between blocks when nothing else makes one."""
FEED_AGE = 60
"""Seconds after which the price is fed again."""
SAVE_EVERY = 2.0
BASE_FEE = 10**9
CHAIN_ID = 31337


class Chain:
    """A part of the practice world. With `block_time` a block is made every so many seconds, otherwise at once."""

    name = "chain"
    faults: tuple[Fault, ...] = tuple(fault for fault, _ in faults.TABLE.values())

    def __init__(self, block_time: float | None = None, share_decimals: int = SHARE_DECIMALS) -> None:
        """`share_decimals`: smUSD's in a world that is new."""
        self.block_time = block_time
        self.share_decimals = share_decimals
        self.chain_id = CHAIN_ID
        self.proxies = (Proxy("A"), Proxy("B"))
        self.url = ""
        """anvil itself, which no fault is in the way of."""
        self.pauser, self.unpauser = address(PAUSER), address(UNPAUSER)
        self.rpc: Rpc
        self.protocol: Protocol
        self.keystore: Path
        """A Foundry keystore of the key that can only pause; `password_file` beside it opens it."""
        self.password_file: Path
        self.unpause_keystore: Path
        """The same of the second signer, which can unpause and grant roles."""
        self.unpause_password_file: Path
        self.feeding = True
        self.feeder_runs = True
        """Whether the deployment that writes the prices has a pod."""
        self.moved_percent = 0.0
        self.fee_factor = 1.0
        self._holding = False
        self.foreign: list[str] = []
        """Transactions of somebody else's that a fault sent with the pausing key."""
        self._folder: Path
        self._anvil: Anvil
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def rpc_urls(self) -> tuple[str, str]:
        """The two addresses the bot uses, each breakable by itself."""
        return self.proxies[0].url, self.proxies[1].url

    @property
    def contracts(self) -> dict[str, str]:
        """The runbooks' names and the addresses behind them."""
        return {name: self.protocol.addresses[name] for name in NAMED_IN_RUNBOOKS}

    @property
    def timelock(self) -> str:
        """The 48 hour timelock that may unpause BorrowModule and DirectMintV2."""
        return self.protocol.addresses["TIMELOCK"]

    @property
    def collateral_token(self) -> str:
        """The token whose price the oracle has."""
        return self.protocol.addresses["COLLATERAL"]

    @property
    def chainlink_feed(self) -> str:
        """A price feed that the protocol itself does not use."""
        return self.protocol.addresses["CHAINLINK"]

    @property
    def usdc(self) -> str:
        """The reserves' token."""
        return self.protocol.addresses["USDC"]

    @property
    def strategies(self) -> list[str]:
        """The Treasury's strategies."""
        return [self.protocol.addresses["STRATEGY_1"], self.protocol.addresses["STRATEGY_2"]]

    async def start(self, folder: Path) -> None:
        """Start anvil, deploy or continue, and open the two ways in. Raises `AnvilMissingError`."""
        self._folder = folder
        self.keystore, self.password_file = write_keystore(folder, PAUSER, "pausing-key")
        self.unpause_keystore, self.unpause_password_file = write_keystore(folder, UNPAUSER, "unpause-key")
        self._anvil = Anvil(folder)
        await self._anvil.start(*self._options())
        try:
            await self._begin()
            for proxy in self.proxies:
                await proxy.start(self.url)
        except BaseException:
            await self._anvil.end()
            raise
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._keep())]

    async def stop(self) -> None:
        """Save, end anvil, close both ways in. Does nothing the second time."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.save()
        for proxy in self.proxies:
            await proxy.stop()
        await self._anvil.stop()

    def save(self) -> None:
        """Write what anvil doesn't know: addresses and what the faults changed. The chain itself is saved beside it."""
        state = {
            "addresses": self.protocol.addresses,
            "feeding": self.feeding,
            "moved_percent": self.moved_percent,
            "fee_factor": self.fee_factor,
        }
        write_json(self._folder / "protocol.json", state)

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `UnknownFaultError`, or `ValueError` for an argument that makes no sense."""
        await faults.inflict(self, request)

    async def mend(self) -> None:
        """A healthy protocol on a healthy chain; what people paused through the bot stays paused."""
        for proxy in self.proxies:
            proxy.mend()
        self.feeding, self.moved_percent, self.fee_factor = True, 0.0, 1.0
        for sent in self.foreign:
            await self.rpc("anvil_dropTransaction", sent)
        self.foreign.clear()
        await self._let_blocks_come()
        await self.set_base_fee()
        await fund(self.rpc)
        await health.restore(self.protocol)

    async def feed_again(self) -> None:
        """The feeder goes on after a stop, at once rather than with the next beat."""
        if not self.feeding:
            self.feeding = True
            with contextlib.suppress(ClientError, RpcError, PracticeError, TimeoutError, OSError):
                await self.feed()

    async def feed(self) -> None:
        """Put the present price on the chain."""
        _, now = await self.rpc.head()
        price = health.price_at(now, self.moved_percent)
        await self.protocol.send(Step(FEEDER, "PRICE_ORACLE", "updatePrice", (self.collateral_token, price)))

    async def mine(self) -> None:
        """Make a block now."""
        await self.rpc("evm_mine")

    def hold_blocks(self) -> None:
        """Leave making blocks to whoever calls evm_mine, until mended."""
        self._holding = True
        self.protocol.mine_after_sending = False

    async def wait_for_company(self) -> None:
        """Make no block until the pool holds more than one transaction; then as ever."""
        self.hold_blocks()
        await self.rpc("evm_setAutomine", False)
        self._tasks.append(asyncio.create_task(self._company()))

    async def _company(self) -> None:
        while self._holding:
            status = await self.rpc("txpool_status")
            if int(status["pending"], 16) + int(status["queued"], 16) > 1:
                await self._let_blocks_come()
                return
            await asyncio.sleep(0.1)

    async def set_base_fee(self) -> None:
        """Hold the base fee where it should be: blocks that are nearly empty would let it fall to nothing."""
        await self.rpc("anvil_setNextBlockBaseFeePerGas", hex(int(BASE_FEE * self.fee_factor)))

    async def block(self, number: int) -> dict[str, Any]:
        """A block without its transactions' bodies."""
        found: dict[str, Any] = await self.rpc("eth_getBlockByNumber", hex(number), False)
        return found

    def _options(self) -> list[str]:
        began = [] if self._anvil.has_state else ["--timestamp", str(int(time.time()) - HOURS * 3600)]
        return ["--chain-id", str(CHAIN_ID), "--slots-in-an-epoch", "1", *began]

    async def _begin(self) -> None:
        """A new chain with its contracts and a day behind it, or the one that was saved."""
        saved = read_json(self._folder / "protocol.json", None) if self._anvil.has_state else None
        self.rpc, self.url = self._anvil.rpc, self._anvil.rpc.url
        self.protocol = Protocol(self.rpc, saved["addresses"] if saved else {})
        if saved:
            self.feeding, self.moved_percent = saved["feeding"], saved["moved_percent"]
            self.fee_factor = saved["fee_factor"]
            await act_for_practice_accounts(self.rpc)
        else:
            await fund(self.rpc)
            await deploy(self.protocol, self.share_decimals)
            self.save()
            await self._anvil.save()
        await self._let_blocks_come()
        await self._breathe()

    async def _let_blocks_come(self) -> None:
        self._holding = False
        self.protocol.mine_after_sending = self.block_time is not None
        await self.rpc("evm_setAutomine", self.block_time is None)

    async def _beat(self) -> None:
        """Blocks for a chain that would stand still otherwise, and prices that are never old unless a fault says so."""
        while True:
            await asyncio.sleep(self.block_time or BEAT)
            try:
                await self._breathe()
            except (ClientError, RpcError, PracticeError, TimeoutError, OSError) as failure:
                logger.warning("the practice chain missed a beat: %s", failure)

    async def _breathe(self) -> None:
        if self._holding or (self.block_time is None and not await self.rpc("anvil_getAutomine")):
            return
        await self.set_base_fee()
        if self.feeding and self.feeder_runs and await self._price_age() > FEED_AGE:
            await self.feed()
        else:
            await self.mine()

    async def _price_age(self) -> int:
        _, now = await self.rpc.head()
        return now - int(await self.protocol.read("PRICE_ORACLE", "lastUpdate", self.collateral_token))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            with contextlib.suppress(ClientError, RpcError, TimeoutError, OSError):
                await self._anvil.save()
