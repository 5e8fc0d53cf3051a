"""What a healthy practice protocol looks like, and bringing a broken one back to it."""

import math
from decimal import Decimal

from bot.drill.chain.accounts import (
    ADMIN,
    ATTACKER,
    BREACHER,
    FEEDER,
    IMPERSONATED,
    KMS_PAUSER,
    PAUSER,
    STRATEGIST,
    UNPAUSER,
    address,
)
from bot.drill.chain.artifacts import role, topic
from bot.drill.chain.protocol import PAUSE_LIST, Protocol, Step
from bot.drill.chain.rpc import Rpc

BASE_PRICE = 160_000_000_000_000_000
"""The collateral's ordinary price in USD, 18 decimals; the practice price sources say the same."""
PRICE_MAX_AGE = 900
"""Seconds after which the oracle refuses its own price."""
HEALTHY_RATIO = Decimal("101.5")
"""Reserves to supply in percent."""
HEALTHY_RATIOS = (Decimal(100), Decimal(105))
SHARE_PRICE = 1_050_000_000_000_000_000
"""The least a whole share is worth when all is well, in mUSD, 18 decimals."""
KEY_BALANCE = 10 * 10**18
"""Wei on each of the bot's keys."""
PRACTICE_BALANCE = 10**24
STRATEGIES = ("STRATEGY_1", "STRATEGY_2")
USDC_SCALE = 10**12
"""mUSD's smallest units in one of USDC's."""


def price_at(at: int, moved_percent: float = 0.0) -> int:
    """The collateral's price at a time, swaying as the practice price sources do, moved by a fault's percent."""
    breath = 1 + 0.004 * math.sin(at * math.tau / 3600)
    return int(BASE_PRICE * breath * (1 + moved_percent / 100))


def chainlink(price: int) -> int:
    """A price as Chainlink's feed has it: 8 decimals."""
    return price // 10**10


async def fund(rpc: Rpc) -> None:
    """Give every key and practice account the ether it needs."""
    for name in (PAUSER, KMS_PAUSER, UNPAUSER):
        await rpc("anvil_setBalance", address(name), hex(KEY_BALANCE))
    for name in IMPERSONATED:
        await rpc("anvil_setBalance", address(name), hex(PRACTICE_BALANCE))
    await act_for_practice_accounts(rpc)


async def act_for_practice_accounts(rpc: Rpc) -> None:
    """Let the practice side send for its own accounts without their keys; anvil forgets that when it ends."""
    for name in IMPERSONATED:
        await rpc("anvil_impersonateAccount", address(name))


async def restore(protocol: Protocol) -> None:
    """Undo what faults did to the protocol. Pauses people made stay as people made them."""
    for part in (_roles, _pauses, _oracle, _supply, _strategies, _share_price):
        await protocol.send(*await part(protocol))
    if not HEALTHY_RATIOS[0] <= await ratio(protocol) <= HEALTHY_RATIOS[1]:
        await set_ratio(protocol, HEALTHY_RATIO)


async def ratio(protocol: Protocol) -> Decimal:
    """Reserves to supply, in percent."""
    supply = await protocol.read("MUSD", "totalSupply")
    return Decimal(await protocol.read("TREASURY", "totalAssets") * USDC_SCALE) / Decimal(supply) * 100


async def set_ratio(protocol: Protocol, percent: Decimal) -> None:
    """Make reserves to supply exactly that, by the Treasury's own USDC first and the strategies' values after."""
    supply = await protocol.read("MUSD", "totalSupply")
    wanted = int(Decimal(supply) * percent / 100) // USDC_SCALE
    at_work = 0
    _, values = await protocol.read("TREASURY", "getCurrentAllocations")
    for strategy, value in zip(STRATEGIES, values, strict=True):
        if at_work + value > wanted:
            excess = min(value, at_work + value - wanted)
            await protocol.send(Step(ADMIN, strategy, "practiceLose", (excess,)))
            at_work -= excess
        at_work += value
    idle = (protocol.addresses["TREASURY"], wanted - at_work)
    await protocol.send(Step(ADMIN, "USDC", "practiceSetBalance", idle))


async def _roles(protocol: Protocol) -> list[Step]:
    grants = [(contract, name, PAUSER) for contract, name in PAUSE_LIST.items()]
    grants += [(contract, "DEFAULT_ADMIN_ROLE", UNPAUSER) for contract in PAUSE_LIST]
    return [
        Step(ADMIN, contract, "grantRole", (role(name), address(who)))
        for contract, name, who in grants
        if not await protocol.read(contract, "hasRole", role(name), address(who))
    ]


async def _pauses(protocol: Protocol) -> list[Step]:
    """Only what the practice admin paused last is its to open again."""
    return [
        Step(ADMIN, contract, "practiceUnpause")
        for contract in PAUSE_LIST
        if await protocol.read(contract, "paused") and await _paused_by(protocol, contract) == address(ADMIN).lower()
    ]


async def _paused_by(protocol: Protocol, contract: str) -> str:
    wanted = {"address": protocol.addresses[contract], "fromBlock": "0x0", "topics": [topic("Paused(address)")]}
    logs = await protocol.rpc("eth_getLogs", wanted)
    return "0x" + logs[-1]["data"][-40:] if logs else ""


async def _oracle(protocol: Protocol) -> list[Step]:
    token = protocol.addresses["COLLATERAL"]
    _, now = await protocol.rpc.head()
    return [
        Step(ADMIN, "PRICE_ORACLE", "setFeed", (token, PRICE_MAX_AGE, True)),
        Step(ADMIN, "PRICE_ORACLE", "practiceBreaker", (token, False)),
        Step(FEEDER, "PRICE_ORACLE", "updatePrice", (token, price_at(now))),
        Step(ADMIN, "CHAINLINK", "practiceAnswer", (chainlink(price_at(now)),)),
    ]


async def _supply(protocol: Protocol) -> list[Step]:
    steps = [] if await protocol.read("MUSD", "capHeeded") else [Step(ADMIN, "MUSD", "practiceHeedCap", (True,))]
    if excess := await protocol.read("MUSD", "balanceOf", address(BREACHER)):
        steps.append(Step(ADMIN, "MUSD", "practiceBurn", (address(BREACHER), excess)))
    return steps


async def _strategies(protocol: Protocol) -> list[Step]:
    steps = []
    for strategy in STRATEGIES:
        if await protocol.read(strategy, "broken"):
            steps.append(Step(ADMIN, strategy, "practiceBreak", (False,)))
        if await protocol.read(strategy, "reportedLoss"):
            steps.append(Step(ADMIN, strategy, "practiceForgive"))
    return steps


async def _share_price(protocol: Protocol) -> list[Step]:
    """The attacker gives back what it drained; the strategist pays the share price up to where it was."""
    steps = []
    if stolen := await protocol.read("MUSD", "balanceOf", address(ATTACKER)):
        steps.append(Step(ATTACKER, "MUSD", "transfer", (address(STRATEGIST), stolen)))
    share = 10 ** await protocol.read("SMUSD", "decimals")
    shares = await protocol.read("SMUSD", "totalSupply")
    missing = shares * SHARE_PRICE // share - await protocol.read("SMUSD", "totalAssets")
    if missing > 0:
        steps.append(Step(STRATEGIST, "SMUSD", "distributeYield", (missing,)))
    return steps
