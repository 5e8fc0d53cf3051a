"""Canton as the protocol's templates tell it: services, prices, supply, governance. Reads only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import SecretStr

from bot.adapters.health import HttpHealth
from bot.adapters.ledger_api import TIMEOUT, LedgerApi
from bot.domain.canton import SERVICES, Ballot, Governance, PauseState, Proof, short
from bot.errors import UnavailableError
from bot.ports import CantonPrice, CantonService, Health, LedgerEnd

PRICE_FEED = "CantonLending:CantonPriceFeed"
HOLDING = "CantonDirectMint:CantonMUSD"
CONFIG = "Governance:GovernanceConfig"
BALLOT = "Governance:MultiSigProposal"
PROOF = "Governance:GovernanceActionLog"
PAUSE_STATE = "Governance:EmergencyPauseState"

T = TypeVar("T")
Json = Mapping[str, Any]


class CantonLedger:
    """Fulfils `ports.LedgerReads`."""

    def __init__(
        self, url: str, token: SecretStr, *, package: str, services: Sequence[str] = SERVICES, timeout: float = TIMEOUT
    ) -> None:
        """Ask one participant.

        Args:
            url: its base.
            token: a user's bearer token; its rights say which parties' contracts are read.
            package: the package's name in template ids, such as ``musd-protocol``.
            services: the templates whose `paused` counts, as Module:Template.
            timeout: seconds for one request.
        """
        self._api = LedgerApi(url, token, package=package, timeout=timeout)
        self._health = HttpHealth("Canton", url, setting="MUSD_LEDGER_URL", token=token, timeout=timeout)
        self._services = tuple(services)

    async def live(self) -> Health:
        """``GET /livez``."""
        return await self._health.live()

    async def ready(self) -> Health:
        """``GET /readyz``."""
        return await self._health.ready()

    async def version(self) -> str:
        """``GET /v2/version``."""
        said = await self._api.get("/v2/version")
        return str(said.get("version") or "unknown")

    async def end(self) -> LedgerEnd:
        """``GET /v2/state/ledger-end``; the age is that of the newest record time of any synchronizer."""
        said = await self._api.get("/v2/state/ledger-end")
        times = [one.get("recordTime") for one in said.get("synchronizerTimes") or ()]
        return _parsed(
            lambda: LedgerEnd(int(said["offset"]), max((_time(one) for one in times if one), default=None)),
            "the ledger's end",
        )

    @property
    def wanted_services(self) -> Sequence[str]:
        """Those that are configured."""
        return self._services

    async def services(self) -> Sequence[CantonService]:
        """Every active service contract."""
        found = await self._api.active(*self._services)
        known = {short(one): one for one in self._services}
        return _parsed(lambda: [_service(one, known) for one in found], "the services")

    async def prices(self) -> Sequence[CantonPrice]:
        """Every price feed."""
        found = await self._api.active(PRICE_FEED)
        return _parsed(lambda: [_price(one) for one in found], "the price feeds")

    async def supply(self) -> Decimal:
        """All mUSD held on Canton."""
        held = await self._api.active(HOLDING)
        amounts: Iterable[Decimal] = (Decimal(one["createArgument"]["amount"]) for one in held)
        return _parsed(lambda: sum(amounts, Decimal(0)), "the holdings")

    async def governance(self) -> Governance:
        """The newest `GovernanceConfig`."""
        found = await self._api.active(CONFIG)
        if not found:
            raise UnavailableError(
                "There is no GovernanceConfig on Canton that the bot's user may read.",
                next_step="Check MUSD_LEDGER_PACKAGE, and that the user may read as the operator.",
            )
        return _parsed(lambda: _governance(found[-1]["createArgument"]), "the governance configuration")

    async def ballots(self) -> Sequence[Ballot]:
        """Every `MultiSigProposal`."""
        found = await self._api.active(BALLOT)
        return _parsed(lambda: [_ballot(one) for one in found], "the governance proposals")

    async def proofs(self) -> Sequence[Proof]:
        """Every `GovernanceActionLog` that is still active."""
        found = await self._api.active(PROOF)
        return _parsed(lambda: [_proof(one) for one in found], "the governance proofs")

    async def pause_state(self) -> PauseState | None:
        """The newest `EmergencyPauseState`."""
        found = await self._api.active(PAUSE_STATE)
        return _parsed(lambda: _pause_state(found[-1]) if found else None, "the pause state")

    async def close(self) -> None:
        """Close the connections."""
        await self._health.close()
        await self._api.close()


def _parsed(parse: Callable[[], T], what: str) -> T:
    try:
        return parse()
    except (KeyError, ValueError, TypeError, ArithmeticError, IndexError):
        raise UnavailableError(f"Canton's answer about {what} has a shape this bot does not know.") from None


def _service(created: Json, known: Mapping[str, str]) -> CantonService:
    name, paused = short(str(created["templateId"])), created["createArgument"]["paused"]
    if not isinstance(paused, bool):
        raise TypeError(name)
    return CantonService(name, paused, created["contractId"], known.get(name, ""))


def _price(created: Json) -> CantonPrice:
    said = created["createArgument"]
    return CantonPrice(
        said["symbol"], Decimal(said["priceUsd"]), _time(said["lastUpdated"]), said["source"], created["contractId"]
    )


def _governance(said: Json) -> Governance:
    return Governance(
        operator=said["operator"],
        governors=tuple(pair["_1"] for pair in said["governors"]),
        standard=int(said["standardThreshold"]),
        elevated=int(said["elevatedThreshold"]),
        timelock=_span(said["timelockDuration"]),
        expiry=_span(said["proposalExpiry"]),
    )


def _ballot(created: Json) -> Ballot:
    said = created["createArgument"]
    ends = said.get("timelockEndsAt")
    return Ballot(
        contract_id=created["contractId"],
        key=said["proposalId"],
        proposer=said["proposer"],
        governors=tuple(said["governors"]),
        action_type=said["actionType"],
        description=said["description"],
        target_module=said["targetModule"],
        payload=said["payload"],
        payload_hash=said["payloadHash"],
        required=int(said["requiredApprovals"]),
        approvals=_parties(said["approvals"]),
        rejections=_parties(said["rejections"]),
        proposed_at=_time(said["proposedAt"]),
        expires_at=_time(said["expiresAt"]),
        timelock_ends_at=_time(ends) if ends else None,
        status=said["status"],
    )


def _proof(created: Json) -> Proof:
    said = created["createArgument"]
    return Proof(
        contract_id=created["contractId"],
        key=said["proposalId"],
        action_type=said["actionType"],
        target_module=said["targetModule"],
        payload=said["payload"],
        payload_hash=said["payloadHash"],
        executed_at=_time(said["executedAt"]),
    )


def _pause_state(created: Json) -> PauseState:
    said = created["createArgument"]
    return PauseState(
        contract_id=created["contractId"],
        paused=said["isPaused"],
        guardians=tuple(said["guardians"]),
        votes=_parties(said["pauseApprovals"]),
        threshold=int(said["pauseThreshold"]),
        updated_at=_time(said["lastUpdated"]),
    )


def _parties(value: Json) -> tuple[str, ...]:
    """A Daml ``Set Party``: a map whose values say nothing."""
    return tuple(pair[0] for pair in value["map"])


def _span(value: Json) -> timedelta:
    """A Daml ``RelTime``."""
    return timedelta(microseconds=int(value["microseconds"]))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at
