"""Breaking the world: one door to every part's faults, and the faults that take several parts at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.drill.part import Fault, Part, UnknownFaultError

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Breakage:
    """A fault of the world: what it asks of which parts. Arguments are handed to each of them as they are."""

    fault: str
    help: str
    parts: tuple[Request, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)


def _cluster(fault: str, **more: Any) -> Request:
    return {"target": "cluster", "fault": fault, **more}


def _chain(fault: str, **more: Any) -> Request:
    return {"target": "chain", "fault": fault, **more}


_LEDGER_DOWN: Request = {"target": "ledger", "fault": "down"}
_RPCS_DOWN = (_chain("rpc-down", which="A"), _chain("rpc-down", which="B"))
_PERCENT = {"percent": "how far, negative for a fall"}

BREAKAGES: tuple[Breakage, ...] = (
    Breakage("relay-crashloop", "the relay dies at every start", (_cluster("crashloop", deployment="musd-relay"),)),
    Breakage("relay-oom", "the relay is killed for its memory", (_cluster("oomkilled", deployment="musd-relay"),)),
    Breakage("relay-down", "the relay is gone; its health endpoint refuses", (_cluster("relay-down"),)),
    Breakage("relay-unhealthy", "the relay's health endpoint answers 503", (_cluster("relay-unhealthy"),)),
    Breakage(
        "relay-connectivity-canton",
        "Canton can't be reached, from the relay nor from the bot",
        (_cluster("egress-blocked", kind="canton"), _LEDGER_DOWN),
    ),
    Breakage(
        "relay-connectivity-ethereum",
        "Ethereum can't be reached, from the relay nor from the bot",
        (_cluster("egress-blocked", kind="ethereum"), *_RPCS_DOWN),
    ),
    Breakage("validator-down", "validators crash-loop", (_cluster("validator-down"),), {"count": "how many, 1 to 3"}),
    Breakage("oracle-stale", "the price on the chain is too old", (_chain("oracle-stale"),), {"age": "in seconds"}),
    Breakage(
        "relay-not-syncing",
        "the relay can't write prices, and the price on the chain grows old",
        (_cluster("price-sync-failing"), _chain("oracle-stale")),
    ),
    Breakage(
        "oracle-api-down",
        "the first price source is down and the price on the chain grows old",
        ({"target": "prices", "fault": "tradecraft-down"}, _chain("oracle-stale")),
    ),
    Breakage(
        "market-crash",
        "prices fall everywhere, and positions are liquidated",
        (
            {"target": "prices", "fault": "spike-and-revert", "seconds": 86_400, "percent": -45},
            _chain("oracle-move", percent=-45),
            _chain("chainlink-move", percent=-45),
            _chain("liquidation-surge"),
        ),
        _PERCENT,
    ),
    Breakage(
        "oracle-manipulated",
        "the price on the chain alone falls, and positions are liquidated",
        (_chain("oracle-move", percent=-45), _chain("liquidation-surge")),
        _PERCENT,
    ),
    Breakage("supply-breach", "mUSD is minted past its cap", (_chain("supply-breach"),), {"path": "as on the chain"}),
    Breakage(
        "reserve-ratio", "reserves fall", (_chain("reserve-ratio", percent="94.1"),), {"percent": "of the supply"}
    ),
    Breakage(
        "share-price-drop",
        "smUSD's share price falls",
        (_chain("share-price-drop"),),
        {"percent": "how far", "kind": "loss or donation"},
    ),
    Breakage("ethereum-down", "neither RPC answers", _RPCS_DOWN),
    Breakage("participant-down", "the Canton participant is down", (_cluster("participant-down"),)),
    Breakage("database-full", "the ledger database's disk is full", (_cluster("disk-full"),), {"percent": "how full"}),
    Breakage("database-down", "the ledger's database does not answer", (_cluster("postgres-down"),)),
    Breakage(
        "database-crowded", "every connection of the ledger's database is taken", (_cluster("connections-taken"),)
    ),
    Breakage(
        "backup-overdue",
        "nobody has taken a backup for days",
        ({"target": "aws", "fault": "backup-overdue"},),
        {"hours": "how old the newest one is"},
    ),
    Breakage(
        "liquidation-bot-down",
        "the liquidation bot dies at every start",
        (_cluster("crashloop", deployment="liquidation-bot"),),
    ),
    Breakage(
        "validator-key-disabled",
        "a validator's KMS key is disabled",
        ({"target": "aws", "fault": "kms-disabled"},),
        {"which": "the key"},
    ),
)


class Breaker:
    """Sends a fault to whom it concerns."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = {part.name: part for part in parts}
        self._breakages = {one.fault: one for one in BREAKAGES}

    def known(self) -> list[dict[str, Any]]:
        """Every fault there is, as `GET /faults` shows them: the world's own first."""
        own = [Fault("world", one.fault, one.help, one.arguments or None) for one in BREAKAGES]
        faults = [*own, *(fault for part in self._parts.values() for fault in part.faults)]
        shown = [
            {"target": one.target, "fault": one.fault, "help": one.help, "arguments": dict(one.arguments or {})}
            for one in faults
        ]
        return [*shown, {"target": "all", "fault": "clear", "help": "mends everything", "arguments": {}}]

    async def inflict(self, request: Request) -> None:
        """Break or mend. Raises `UnknownFaultError`, or `ValueError` for an argument that makes no sense."""
        target, fault = request.get("target"), request.get("fault")
        if target == "all" and fault == "clear":
            await self.mend()
        elif target == "world":
            for one in self._composed(request):
                await self.inflict(one)
        elif target not in self._parts:
            raise UnknownFaultError(
                f"there is no target {target!r}; there are {', '.join([*self._parts, 'world', 'all'])}"
            )
        elif fault == "clear":
            await self._parts[target].mend()
        else:
            await self._parts[target].inflict({key: value for key, value in request.items() if key != "target"})

    async def mend(self, targets: Iterable[str] | None = None) -> None:
        """Mend those parts, or all."""
        for name in self._parts if targets is None else targets:
            await self._parts[name].mend()

    def touched(self, request: Request) -> set[str]:
        """The parts a fault breaks."""
        if request.get("target") != "world":
            return {str(request.get("target"))}
        return {str(one["target"]) for one in self._composed(request)}

    def _composed(self, request: Request) -> list[Request]:
        breakage = self._breakages.get(str(request.get("fault")))
        if breakage is None:
            raise UnknownFaultError(
                f"the world knows no fault {request.get('fault')!r}; it knows {', '.join(self._breakages)}"
            )
        strange = set(request) - {"target", "fault", *breakage.arguments}
        if strange:
            takes = ", ".join(breakage.arguments) or "nothing"
            raise UnknownFaultError(f"{breakage.fault} takes {takes}, not {', '.join(sorted(strange))}")
        given = {key: request[key] for key in breakage.arguments if key in request}
        return [{**one, **given} for one in breakage.parts]
