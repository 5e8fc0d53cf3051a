"""The commands to Canton's templates, as data: what is sent is also what is handed over."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.domain.canton import Ballot, Command, Governance, Motion, Party, PauseState, Proof, short
from bot.ports import CantonPrice, CantonService

BALLOT = "Governance:MultiSigProposal"
PROOF = "Governance:GovernanceActionLog"
PAUSE_STATE = "Governance:EmergencyPauseState"
PRICE_FEED = "CantonLending:CantonPriceFeed"
_DESCRIPTION = 500


def put(motion: Motion, key: str, reason: str, governance: Governance, guardian: str) -> Command:
    """Create the `MultiSigProposal` of a motion: pending, without votes, open as long as the configuration says."""
    now = datetime.now(UTC)
    return Command(
        by=Party.GUARDIAN,
        template=BALLOT,
        argument={
            "proposalId": key,
            "operator": governance.operator,
            "proposer": guardian,
            "governors": list(governance.governors),
            "actionType": motion.action_type,
            "description": f"{motion.title}. {reason}".strip()[:_DESCRIPTION],
            "payload": motion.payload(key),
            "targetModule": motion.target_module,
            "payloadHash": motion.payload_hash(key),
            "requiredApprovals": str(governance.threshold(motion.action_type)),
            "approvals": _party_set(()),
            "rejections": _party_set(()),
            "proposedAt": _daml_time(now),
            "expiresAt": _daml_time(now + governance.expiry),
            "status": "Pending",
        },
    )


def approve(ballot: Ballot, guardian: str) -> Command:
    """The bot's own guardian votes for it."""
    return _exercise(Party.GUARDIAN, BALLOT, ballot.contract_id, "Proposal_Approve", approver=guardian)


def execute(ballot: Ballot, guardian: str) -> Command:
    """Turn what has its votes into a proof."""
    return _exercise(Party.GUARDIAN, BALLOT, ballot.contract_id, "Proposal_Execute", executor=guardian)


def cancel(ballot: Ballot, reason: str) -> Command:
    """Take back a proposal of the bot's own."""
    return _exercise(Party.GUARDIAN, BALLOT, ballot.contract_id, "Proposal_Cancel", reason=reason)


def reject(ballot: Ballot, guardian: str, reason: str) -> Command:
    """The bot's own guardian votes against it."""
    return _exercise(Party.GUARDIAN, BALLOT, ballot.contract_id, "Proposal_Reject", rejector=guardian, reason=reason)


def trigger(state: PauseState, guardian: str, reason: str) -> Command:
    """The bot's own guardian votes for a pause without a proposal."""
    argument = {"guardian": guardian, "reason": reason or "emergency pause"}
    return _exercise(Party.GUARDIAN, PAUSE_STATE, state.contract_id, "EmergencyPause_Trigger", **argument)


def resume(state: PauseState, proof: Proof) -> Command:
    """Take the pause state back; this uses the proof up."""
    return _exercise(
        Party.OPERATOR, PAUSE_STATE, state.contract_id, "EmergencyPause_Resume", governanceProofCid=proof.contract_id
    )


def use_up(proof: Proof) -> Command:
    """End a proof, so that nobody can use it for anything else."""
    return _exercise(Party.OPERATOR, PROOF, proof.contract_id, "ConsumeProof")


def set_paused(service: CantonService, *, paused: bool) -> Command:
    """``Lending_SetPaused`` and its like."""
    choice = f"{short(service.template).removeprefix('Canton').removesuffix('Service')}_SetPaused"
    return _exercise(Party.OPERATOR, service.template, service.contract_id, choice, newPaused=paused)


def update_price(feed: CantonPrice, price: Decimal, source: str) -> Command:
    """An ordinary price."""
    argument = {"newPriceUsd": money(price), "newSource": source}
    return _exercise(Party.OPERATOR, PRICE_FEED, feed.contract_id, "PriceFeed_Update", **argument)


def override_price(feed: CantonPrice, price: Decimal, reason: str, proof: Proof) -> Command:
    """A price that moved by more than half; this uses the proof up."""
    argument = {"newPriceUsd": money(price), "reason": reason or "emergency", "governanceProofCid": proof.contract_id}
    return _exercise(Party.OPERATOR, PRICE_FEED, feed.contract_id, "PriceFeed_EmergencyUpdate", **argument)


def money(amount: Decimal) -> str:
    """A Daml ``Numeric 18``."""
    return f"{amount:.18f}"


def _exercise(by: Party, template: str, contract_id: str, choice: str, **argument: Any) -> Command:
    return Command(by=by, template=template, contract_id=contract_id, choice=choice, argument=argument)


def _party_set(parties: Iterable[str]) -> Mapping[str, Any]:
    return {"map": [[one, {}] for one in parties]}


def _daml_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
