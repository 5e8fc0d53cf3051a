"""The first start: the contracts, who may do what, and a day behind them, so that questions about 24 hours answer."""

import time

from bot.drill.chain.accounts import (
    ADMIN,
    BORROWERS,
    FEEDER,
    KMS_PAUSER,
    PAUSER,
    RELAYER,
    STRATEGIST,
    UNPAUSER,
    USER,
    VALIDATORS,
    address,
)
from bot.drill.chain.artifacts import role
from bot.drill.chain.health import BASE_PRICE, PRICE_MAX_AGE, chainlink, price_at
from bot.drill.chain.protocol import PAUSE_LIST, Protocol, Step

HOURS = 26
"""How far the chain's history goes back when it is new."""
MUSD = 10**18
USDC = 10**6
SUPPLY_CAP = 40_000_000 * MUSD
LOCAL_CAP_BPS = 7_500
MUSD_DECIMALS = 18
SHARE_DECIMALS = 21
"""smUSD's own, unless said otherwise: mUSD's and an ERC-4626 decimals offset of 3, as deployments have it."""
UNLIMITED = 2**256 - 1


async def deploy(protocol: Protocol, share_decimals: int = SHARE_DECIMALS) -> None:
    """Everything, on an empty chain whose clock stands `HOURS` back; ends with the clock at the present."""
    began = int(time.time()) - HOURS * 3600
    await _contracts(protocol, share_decimals - MUSD_DECIMALS)
    await _roles(protocol)
    await _opening(protocol)
    for hour in range(1, HOURS + 1):
        await protocol.rpc("evm_setNextBlockTimestamp", began + hour * 3600 - 600)
        await protocol.send(*_hour(protocol, hour, began + hour * 3600 - 600))
    await protocol.rpc("evm_setTime", int(time.time()))


async def _contracts(protocol: Protocol, share_offset: int) -> None:
    at = protocol.addresses
    await protocol.deploy("USDC", "USD Coin", "USDC", 6)
    await protocol.deploy("COLLATERAL", "Canton Coin", "CC", 18)
    await protocol.deploy("MUSD", SUPPLY_CAP, LOCAL_CAP_BPS)
    await protocol.deploy("PRICE_ORACLE")
    await protocol.deploy("CHAINLINK")
    await protocol.deploy("TREASURY", at["USDC"])
    await protocol.deploy("STRATEGY_1", "Treasury bills")
    await protocol.deploy("STRATEGY_2", "Lending market")
    await protocol.deploy("BORROW_MODULE", at["MUSD"], at["COLLATERAL"], at["PRICE_ORACLE"])
    await protocol.deploy("SMUSD", at["MUSD"], share_offset)
    await protocol.deploy("DIRECT_MINT", at["MUSD"], at["USDC"], at["TREASURY"])
    await protocol.deploy("BLE_BRIDGE", at["MUSD"], address(RELAYER), [address(one) for one in VALIDATORS])
    await protocol.deploy("TIMELOCK", [address(ADMIN)])


async def _roles(protocol: Protocol) -> None:
    grants = [(contract, name, address(PAUSER)) for contract, name in PAUSE_LIST.items()]
    grants += [(contract, "DEFAULT_ADMIN_ROLE", address(UNPAUSER)) for contract in PAUSE_LIST]
    grants += [(contract, name, address(who)) for contract, name in PAUSE_LIST.items() for who in (ADMIN, KMS_PAUSER)]
    for contract in ("BORROW_MODULE", "DIRECT_MINT"):
        grants.append((contract, "TIMELOCK_ROLE", protocol.addresses["TIMELOCK"]))
    for minter in ("BORROW_MODULE", "DIRECT_MINT", "BLE_BRIDGE"):
        grants.append(("MUSD", "MINTER_ROLE", protocol.addresses[minter]))
    grants += [
        ("TREASURY", "PAYER_ROLE", protocol.addresses["DIRECT_MINT"]),
        ("PRICE_ORACLE", "FEEDER_ROLE", address(FEEDER)),
        ("SMUSD", "YIELD_ROLE", address(STRATEGIST)),
    ]
    await protocol.send(*(Step(ADMIN, contract, "grantRole", (role(name), who)) for contract, name, who in grants))


async def _opening(protocol: Protocol) -> None:
    """The protocol as it stood a day ago: 20 million mUSD by all three paths, a quarter of it staked."""
    at = protocol.addresses
    await protocol.send(
        Step(ADMIN, "PRICE_ORACLE", "setFeed", (at["COLLATERAL"], PRICE_MAX_AGE, True)),
        Step(FEEDER, "PRICE_ORACLE", "updatePrice", (at["COLLATERAL"], BASE_PRICE)),
        Step(ADMIN, "CHAINLINK", "practiceAnswer", (chainlink(BASE_PRICE),)),
        Step(ADMIN, "TREASURY", "addStrategy", (at["STRATEGY_1"],)),
        Step(ADMIN, "TREASURY", "addStrategy", (at["STRATEGY_2"],)),
        Step(ADMIN, "STRATEGY_1", "practiceSet", (5_000_000 * USDC, 31_000 * USDC)),
        Step(ADMIN, "STRATEGY_2", "practiceSet", (3_000_000 * USDC, 12_500 * USDC)),
        Step(ADMIN, "USDC", "practiceSetBalance", (at["TREASURY"], 1_250_000 * USDC)),
        Step(ADMIN, "USDC", "practiceSetBalance", (address(USER), 20_000_000 * USDC)),
        Step(ADMIN, "COLLATERAL", "practiceSetBalance", (at["BORROW_MODULE"], 10**9 * MUSD)),
        Step(ADMIN, "COLLATERAL", "practiceSetBalance", (address(USER), 10**9 * MUSD)),
        Step(USER, "USDC", "approve", (at["DIRECT_MINT"], UNLIMITED)),
        Step(USER, "COLLATERAL", "approve", (at["BORROW_MODULE"], UNLIMITED)),
        Step(USER, "MUSD", "approve", (at["SMUSD"], UNLIMITED)),
        Step(STRATEGIST, "MUSD", "approve", (at["SMUSD"], UNLIMITED)),
        Step(USER, "DIRECT_MINT", "mint", (11_000_000 * USDC,)),
        Step(USER, "BORROW_MODULE", "deposit", (200_000_000 * MUSD,)),
        Step(USER, "BORROW_MODULE", "borrow", (5_000_000 * MUSD,)),
        Step(RELAYER, "BLE_BRIDGE", "mint", (_attestation(0), address(USER), 4_000_000 * MUSD)),
        Step(USER, "SMUSD", "deposit", (5_000_000 * MUSD, address(USER))),
        Step(USER, "MUSD", "transfer", (address(STRATEGIST), 1_000_000 * MUSD)),
        Step(STRATEGIST, "SMUSD", "distributeYield", (240_000 * MUSD,)),
    )


def _hour(protocol: Protocol, hour: int, at: int) -> list[Step]:
    """What happened in one hour of the day before: a price always, the rest now and then."""
    steps = [Step(FEEDER, "PRICE_ORACLE", "updatePrice", (protocol.addresses["COLLATERAL"], price_at(at)))]
    if hour == HOURS:
        steps.append(Step(ADMIN, "CHAINLINK", "practiceAnswer", (chainlink(price_at(at)),)))
    if hour % 5 == 1:
        steps.append(Step(USER, "DIRECT_MINT", "mint", (15_000 * USDC,)))
    if hour % 8 == 3:
        steps.append(Step(USER, "BORROW_MODULE", "borrow", (4_000 * MUSD,)))
    if hour % 8 == 6:
        steps.append(Step(RELAYER, "BLE_BRIDGE", "mint", (_attestation(hour), address(USER), 9_000 * MUSD)))
    if hour % 6 == 2:
        steps.append(Step(STRATEGIST, "SMUSD", "distributeYield", (2_500 * MUSD,)))
    if hour == 19:
        borrower = address(BORROWERS[0])
        steps.append(Step(ADMIN, "BORROW_MODULE", "practicePosition", (borrower, 1_000 * MUSD, 150 * MUSD)))
        steps.append(Step(USER, "BORROW_MODULE", "liquidate", (borrower,)))
    return steps


def _attestation(number: int) -> bytes:
    return number.to_bytes(32, "big")
