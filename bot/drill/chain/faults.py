"""The ways the practice chain and the protocol on it can be broken."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from bot.drill.chain import health
from bot.drill.chain.accounts import (
    ADMIN,
    ATTACKER,
    BREACHER,
    FEEDER,
    PAUSER,
    RELAYER,
    STRATEGIST,
    USER,
    account,
    address,
)
from bot.drill.chain.artifacts import role
from bot.drill.chain.protocol import PAUSE_LIST, PracticeError, Step
from bot.drill.chain.proxy import MODES
from bot.drill.chain.rpc import RpcError
from bot.drill.part import Fault, UnknownFaultError

if TYPE_CHECKING:
    from bot.drill.chain.chain import Chain

Request = Mapping[str, Any]
Inflict = Callable[["Chain", Request], Awaitable[None]]

_CONTRACT = {"contract": f"one of {', '.join(PAUSE_LIST)}"}
_WHICH = {"which": "A or B: the one the bot's first or second RPC address leads to"}


def choice(request: Request, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """An argument that is one of a few words. Raises `ValueError` naming them."""
    value = request.get(key, default)
    if value not in allowed:
        raise ValueError(f"{request.get('fault')}: {key} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def number(request: Request, key: str, default: float | str) -> Decimal:
    """An argument that is a number. Raises `ValueError`."""
    try:
        return Decimal(str(request.get(key, default)))
    except InvalidOperation:
        raise ValueError(f"{request.get('fault')}: {key} must be a number, not {request.get(key)!r}") from None


async def _oracle_stale(chain: "Chain", request: Request) -> None:
    chain.feeding = False
    _, now = await chain.rpc.head()
    age = int(number(request, "age", health.PRICE_MAX_AGE + 300))
    await chain.protocol.send(Step(ADMIN, "PRICE_ORACLE", "practiceAge", (chain.collateral_token, now - age)))


async def _oracle_breaker(chain: "Chain", _request: Request) -> None:
    await chain.protocol.send(Step(ADMIN, "PRICE_ORACLE", "practiceBreaker", (chain.collateral_token, True)))


async def _oracle_disabled(chain: "Chain", _request: Request) -> None:
    steps = Step(ADMIN, "PRICE_ORACLE", "setFeed", (chain.collateral_token, health.PRICE_MAX_AGE, False))
    await chain.protocol.send(steps)


async def _oracle_move(chain: "Chain", request: Request) -> None:
    percent = number(request, "percent", -60)
    if percent <= -100:
        raise ValueError("oracle-move: percent must be above -100")
    chain.moved_percent = float(percent)
    await chain.feed()


async def _chainlink_move(chain: "Chain", request: Request) -> None:
    _, now = await chain.rpc.head()
    price = health.price_at(now, float(number(request, "percent", -45)))
    await chain.protocol.send(Step(ADMIN, "CHAINLINK", "practiceAnswer", (health.chainlink(price),)))


async def _oracle_spike(chain: "Chain", request: Request) -> None:
    """Up and back down within three blocks, as a manipulated price does."""
    _, now = await chain.rpc.head()
    for percent in (float(number(request, "percent", 40)), 0.0):
        price = health.price_at(now, percent)
        await chain.protocol.send(Step(FEEDER, "PRICE_ORACLE", "updatePrice", (chain.collateral_token, price)))


async def _supply_breach(chain: "Chain", request: Request) -> None:
    path = choice(request, "path", ("direct", "lending", "bridge"), "direct")
    at = chain.protocol.addresses
    over = int(number(request, "percent", 3) * 100)
    cap, supply = await chain.protocol.read("MUSD", "supplyCap"), await chain.protocol.read("MUSD", "totalSupply")
    # Whole USDC, so that all three paths mint the same.
    amount = (cap * (10_000 + over) // 10_000 - supply) // 10**18 + 1
    if amount <= 0:
        raise ValueError("supply-breach: the supply is that far above its cap already")
    unlimited, minted = 2**256 - 1, amount * 10**18
    head, _ = await chain.rpc.head()
    steps = {
        "direct": [
            Step(ADMIN, "USDC", "practiceSetBalance", (address(BREACHER), amount * 10**6)),
            Step(BREACHER, "USDC", "approve", (at["DIRECT_MINT"], unlimited)),
            Step(BREACHER, "DIRECT_MINT", "mint", (amount * 10**6,)),
        ],
        "lending": [
            Step(ADMIN, "BORROW_MODULE", "practicePosition", (address(BREACHER), minted * 100, 0)),
            Step(BREACHER, "BORROW_MODULE", "borrow", (minted,)),
        ],
        "bridge": [
            Step(RELAYER, "BLE_BRIDGE", "mint", ((10**9 + head).to_bytes(32, "big"), address(BREACHER), minted))
        ],
    }
    await chain.protocol.send(Step(ADMIN, "MUSD", "practiceHeedCap", (False,)), *steps[path])


async def _reserve_ratio(chain: "Chain", request: Request) -> None:
    percent = number(request, "percent", "94.1")
    if percent < 0:
        raise ValueError("reserve-ratio: percent must not be negative")
    await health.set_ratio(chain.protocol, percent)


async def _strategy_broken(chain: "Chain", _request: Request) -> None:
    await chain.protocol.send(Step(ADMIN, "STRATEGY_2", "practiceBreak", (True,)))


async def _share_price_drop(chain: "Chain", request: Request) -> None:
    kind = choice(request, "kind", ("loss", "donation"), "loss")
    percent = number(request, "percent", 6)
    assets = await chain.protocol.read("SMUSD", "totalAssets")
    amount = int(assets * percent / 100)
    if kind == "loss":
        loss = Step(ADMIN, "STRATEGY_2", "practiceLose", (amount // health.USDC_SCALE,))
        report = Step(STRATEGIST, "SMUSD", "reportLoss", (chain.protocol.addresses["STRATEGY_2"], amount))
        await chain.protocol.send(report, loss)
        return
    donated = assets // 20
    await chain.protocol.send(
        Step(USER, "MUSD", "transfer", (address(ATTACKER), donated)),
        Step(ATTACKER, "MUSD", "transfer", (chain.contracts["SMUSD"], donated)),
        Step(ADMIN, "SMUSD", "practiceDrain", (address(ATTACKER), donated + amount)),
    )


async def _liquidation_surge(chain: "Chain", request: Request) -> None:
    count = int(number(request, "count", 25))
    if not 1 <= count <= 200:
        raise ValueError("liquidation-surge: count must be from 1 to 200")
    for position in range(1, count + 1):
        borrower = address(f"borrower {position}")
        await chain.protocol.send(
            Step(ADMIN, "BORROW_MODULE", "practicePosition", (borrower, 1_000 * 10**18, 200 * 10**18)),
            Step(USER, "BORROW_MODULE", "liquidate", (borrower,)),
        )


async def _contract_paused(chain: "Chain", request: Request) -> None:
    contract = choice(request, "contract", tuple(PAUSE_LIST))
    await chain.protocol.send(Step(ADMIN, contract, "pause"))


async def _role_missing(chain: "Chain", request: Request) -> None:
    contract = choice(request, "contract", tuple(PAUSE_LIST))
    await chain.protocol.send(Step(ADMIN, contract, "revokeRole", (role(PAUSE_LIST[contract]), address(PAUSER))))


async def _no_balance(chain: "Chain", _request: Request) -> None:
    await chain.rpc("anvil_setBalance", address(PAUSER), "0x0")


async def _foreign_nonce(chain: "Chain", _request: Request) -> None:
    """It waits in the pool until somebody sends more, as a transaction with too small a tip does."""
    if chain.block_time is None:
        await chain.wait_for_company()
    transaction: dict[str, Any] = {
        "chainId": chain.chain_id,
        "nonce": await chain.rpc.number("eth_getTransactionCount", address(PAUSER), "pending"),
        "to": address(PAUSER),
        "value": 0,
        "gas": 21_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 10**9,
    }
    signed = account(PAUSER).sign_transaction(transaction)
    chain.foreign.append(await chain.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex()))


async def _base_fee(chain: "Chain", request: Request) -> None:
    factor = number(request, "factor", 10)
    if not 0 < factor <= 10_000:
        raise ValueError("base-fee: factor must be above 0 and at most 10000")
    chain.fee_factor = float(factor)
    await chain.set_base_fee()
    await chain.mine()


async def _automine_off(chain: "Chain", _request: Request) -> None:
    chain.hold_blocks()
    await chain.rpc("evm_setAutomine", False)


async def _head_frozen(chain: "Chain", request: Request) -> None:
    """No more blocks, and both ways to the chain answer as of the block that was the head then."""
    await _automine_off(chain, request)
    head, now = await chain.rpc.head()
    since = now - int(number(request, "seconds", 900))
    back = 0
    while back < head and int((await chain.block(head - back))["timestamp"], 16) > since:
        back += 1
    for proxy in chain.proxies:
        await proxy.break_it("stale", {"blocks": back})


async def _reorg(chain: "Chain", request: Request) -> None:
    depth = int(number(request, "depth", 1))
    head, _ = await chain.rpc.head()
    if not 1 <= depth < head:
        raise ValueError(f"reorg: depth must be from 1 to {head - 1}")
    await chain.rpc("anvil_reorg", depth, [])


def _rpc(mode: str) -> Inflict:
    async def inflict(chain: "Chain", request: Request) -> None:
        which = choice(request, "which", ("A", "B"), "A")
        await chain.proxies[0 if which == "A" else 1].break_it(mode, request)

    return inflict


def _fault(name: str, text: str, **arguments: str) -> Fault:
    return Fault("chain", name, text, arguments or None)


_RPC_HELP = {
    "down": ("drops every connection unanswered", {}),
    "hang": ("answers nothing", {"seconds": "for how long each request hangs; until mended unless said"}),
    "stale": ("answers as of an old block", {"blocks": "how many blocks behind, 5 unless said"}),
    "wrong-chain": ("says it is another chain", {}),
    "lying-paused": ("says the opposite of paused()", {}),
}

TABLE: dict[str, tuple[Fault, Inflict]] = {
    fault.fault: (fault, inflict)
    for fault, inflict in (
        (_fault("oracle-stale", "the price feeder stops and the price is too old", age="seconds, 1200"), _oracle_stale),
        (_fault("oracle-breaker", "the oracle's circuit breaker is active"), _oracle_breaker),
        (_fault("oracle-disabled", "the collateral's price feed is not enabled"), _oracle_disabled),
        (_fault("oracle-move", "the oracle's price moves and stays", percent="-60 unless said"), _oracle_move),
        (_fault("chainlink-move", "Chainlink's price moves and stays", percent="-45 unless said"), _chainlink_move),
        (_fault("oracle-spike", "the oracle's price jumps and comes back", percent="40 unless said"), _oracle_spike),
        (
            _fault(
                "supply-breach",
                "mUSD is minted past its cap",
                path="direct (the default), lending or bridge",
                percent="above the cap, 3 unless said",
            ),
            _supply_breach,
        ),
        (_fault("reserve-ratio", "reserves to supply become exactly that", percent="94.1 unless said"), _reserve_ratio),
        (_fault("strategy-broken", "a strategy's value reverts and counts as nothing"), _strategy_broken),
        (
            _fault(
                "share-price-drop",
                "smUSD's share price falls",
                percent="6 unless said; a reported loss at most 10",
                kind="loss (reported, the default) or donation (manipulated)",
            ),
            _share_price_drop,
        ),
        (_fault("liquidation-surge", "many positions are liquidated", count="25 unless said"), _liquidation_surge),
        (_fault("contract-paused", "somebody else has paused a contract", **_CONTRACT), _contract_paused),
        (_fault("role-missing", "the pausing key has lost its role on a contract", **_CONTRACT), _role_missing),
        (_fault("no-balance", "the pausing key has no ether"), _no_balance),
        (_fault("foreign-nonce", "a transaction of somebody else's hangs on the pausing key"), _foreign_nonce),
        (_fault("base-fee", "gas becomes dear", factor="times 1 gwei, 10 unless said"), _base_fee),
        (_fault("automine-off", "transactions wait in the pool until somebody calls evm_mine"), _automine_off),
        (_fault("head-frozen", "the chain has stopped", seconds="how long ago, 900 unless said"), _head_frozen),
        (_fault("reorg", "the newest blocks are replaced by empty ones", depth="1 unless said"), _reorg),
        *(
            (_fault(f"rpc-{mode}", f"one RPC {_RPC_HELP[mode][0]}", **_WHICH, **_RPC_HELP[mode][1]), _rpc(mode))
            for mode in MODES
        ),
    )
}


async def inflict(chain: "Chain", request: Request) -> None:
    """Break what the request names. Raises `UnknownFaultError`, or `ValueError` for an argument that makes no sense."""
    name = str(request.get("fault"))
    if name not in TABLE:
        raise UnknownFaultError(f"the chain knows no fault {name!r}; it knows {', '.join(TABLE)}")
    try:
        await TABLE[name][1](chain, request)
    except (PracticeError, RpcError) as failure:
        raise ValueError(f"{name}: {failure}") from failure
