"""The protocol's services, price feeds and holdings on Canton."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation

from bot.drill.ledger.book import Choice, Template, Transaction, require
from bot.drill.ledger.governance import use_proof
from bot.drill.listening import Json, parse_stamp

FEED = "CantonLending:CantonPriceFeed"
HOLDING = "CantonDirectMint:CantonMUSD"
LARGEST_MOVE = Decimal("0.5")
EMERGENCY_COOLDOWN = timedelta(minutes=30)


def money(amount: Decimal) -> str:
    """An amount as the templates write it: 18 decimals."""
    return f"{amount:.18f}"


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        require(False, f"NOT_A_NUMBER {text!r}")
        raise


def _operator(contract: Json, _: Json) -> str:
    return str(contract["operator"])


def _set_paused(tx: Transaction, contract: Json, argument: Json) -> str:
    require(isinstance(argument["newPaused"], bool), "NEW_PAUSED_MUST_BE_BOOL")
    return tx.create(contract["template"], {**contract["arguments"], "paused": argument["newPaused"]})


def _service(module: str, name: str, choice: str, *more: str) -> Template:
    return Template(
        module,
        name,
        ("operator", "paused", *more),
        signatories=("operator",),
        optional=("observers",),
        observers=lambda service: list(service.get("observers") or []),
        choices={f"{choice}_SetPaused": Choice(_operator, _set_paused, ("newPaused",))},
    )


SERVICES = (
    _service("CantonDirectMint", "CantonDirectMintService", "DirectMint", "supplyCap", "currentSupply"),
    _service("CantonLending", "CantonLendingService", "Lending", "cantonSupplyCap", "cantonCurrentSupply"),
    _service("CantonSMUSD", "CantonStakingService", "Staking", "totalShares", "totalAssets"),
    _service("CantonBoostPool", "CantonBoostPoolService", "BoostPool", "totalDeposited"),
)


def service_key(name: str) -> str:
    """The template of a service. Raises `ValueError` with the names there are."""
    for one in SERVICES:
        if one.name == name:
            return one.key
    raise ValueError(f"there is no service {name!r}; there are {', '.join(one.name for one in SERVICES)}")


def _update(tx: Transaction, contract: Json, argument: Json) -> str:
    feed = contract["arguments"]
    price, before = _amount(argument["newPriceUsd"]), _amount(feed["priceUsd"])
    require(price > 0, "PRICE_MUST_BE_POSITIVE")
    require(before * (1 - LARGEST_MOVE) <= price <= before * (1 + LARGEST_MOVE), "PRICE_MOVE_TOO_LARGE")
    changed = {"priceUsd": money(price), "source": argument["newSource"], "lastUpdated": tx.now}
    return tx.create(FEED, {**feed, **changed})


def _emergency_update(tx: Transaction, contract: Json, argument: Json) -> str:
    feed = contract["arguments"]
    use_proof(tx, argument["governanceProofCid"], "EmergencyPause", "CantonLending")
    price = _amount(argument["newPriceUsd"])
    require(price > 0, "PRICE_MUST_BE_POSITIVE")
    require(bool(argument["reason"]), "REASON_REQUIRED")
    require(tx.at - parse_stamp(feed["lastUpdated"]) >= EMERGENCY_COOLDOWN, "EMERGENCY_UPDATE_COOLDOWN")
    changed = {"priceUsd": money(price), "source": f"emergency-override: {argument['reason']}", "lastUpdated": tx.now}
    return tx.create(FEED, {**feed, **changed})


PROTOCOL = (
    *SERVICES,
    Template(
        "CantonLending",
        "CantonPriceFeed",
        ("operator", "symbol", "priceUsd", "lastUpdated", "source"),
        signatories=("operator",),
        optional=("observers",),
        observers=lambda feed: list(feed.get("observers") or []),
        choices={
            "PriceFeed_Update": Choice(
                _operator, _update, ("newPriceUsd", "newSource"), ("attestationHash", "validatorCount")
            ),
            "PriceFeed_EmergencyUpdate": Choice(
                _operator, _emergency_update, ("newPriceUsd", "reason", "governanceProofCid")
            ),
        },
    ),
    Template("CantonDirectMint", "CantonMUSD", ("operator", "owner", "amount"), signatories=("operator", "owner")),
)
