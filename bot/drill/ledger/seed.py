"""What is on the practice ledger on its first day."""

from datetime import datetime, timedelta
from decimal import Decimal

from bot.drill.ledger.access import GUARDIANS, HOLDER, OPERATOR
from bot.drill.ledger.book import Book, Transaction, party_set
from bot.drill.ledger.governance import CONFIG, PAUSE_STATE
from bot.drill.ledger.protocol import FEED, HOLDING, money, service_key
from bot.drill.listening import Json
from bot.drill.prices import usd

SUPPLY = Decimal(4_000_000)
"""mUSD on Canton."""
HOLDINGS = 5
STANDARD, ELEVATED = 2, 3
"""Approvals out of five."""
EXPIRY = timedelta(hours=24)
COINS = {"CTN": "canton-network", "sMUSD": "usd-coin"}
"""What the feeds follow; the staked dollar stays a dollar here."""


def relative(span: timedelta) -> Json:
    """A ``RelTime`` as Daml's JSON has it."""
    return {"microseconds": str(int(span.total_seconds() * 1_000_000))}


def begin(book: Book, at: datetime, timelock: timedelta) -> None:
    """Create everything in one transaction."""
    tx = Transaction(book, at, {OPERATOR, HOLDER})
    governors = [{"_1": one, "_2": "Guardian"} for one in GUARDIANS]
    tx.create(
        CONFIG,
        {
            "operator": OPERATOR,
            "governors": governors,
            "standardThreshold": str(STANDARD),
            "elevatedThreshold": str(ELEVATED),
            "timelockDuration": relative(timelock),
            "proposalExpiry": relative(EXPIRY),
        },
    )
    state = {"operator": OPERATOR, "guardians": list(GUARDIANS), "isPaused": False, "lastUpdated": tx.now}
    tx.create(PAUSE_STATE, {**state, "pauseThreshold": str(ELEVATED), "pauseApprovals": party_set([])})
    cap = money(Decimal(10_000_000))
    minted = {"CantonDirectMintService": Decimal(3_000_000), "CantonLendingService": Decimal(1_000_000)}
    fields = {
        "CantonDirectMintService": {"supplyCap": cap, "currentSupply": money(minted["CantonDirectMintService"])},
        "CantonLendingService": {"cantonSupplyCap": cap, "cantonCurrentSupply": money(minted["CantonLendingService"])},
        "CantonStakingService": {"totalShares": money(Decimal(500_000)), "totalAssets": money(Decimal(525_000))},
        "CantonBoostPoolService": {"totalDeposited": money(Decimal(250_000))},
    }
    for name, more in fields.items():
        tx.create(service_key(name), {"operator": OPERATOR, "paused": False, "observers": list(GUARDIANS), **more})
    for symbol, coin in COINS.items():
        price = {"priceUsd": money(Decimal(str(usd(coin, at)))), "source": "tradecraft-amm", "lastUpdated": tx.now}
        tx.create(FEED, {"operator": OPERATOR, "symbol": symbol, "observers": list(GUARDIANS), **price})
    for _ in range(HOLDINGS):
        tx.create(HOLDING, {"operator": OPERATOR, "owner": HOLDER, "amount": money(SUPPLY / HOLDINGS)})
    tx.commit()


def holdings(like: Json, total: Decimal, count: int) -> list[Json]:
    """That many holdings that sum up to `total`, in the likeness of a real one: what a query shows under a fault."""
    share = {**like["arguments"], "amount": money(total / count)}
    return [{**like, "id": f"{like['id'][:-6]}{place:06x}", "arguments": share} for place in range(count)]
