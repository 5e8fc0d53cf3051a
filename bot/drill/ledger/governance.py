"""The protocol's governance templates: proposals with thresholds and a timelock, their proofs, the pause state.

One thing is simpler than in a real deployment: there a proposal also carries the operator's signature, here a
governor creates one alone and the template itself insists on a fair one.
"""

import hashlib
from datetime import timedelta

from bot.drill.ledger.book import Choice, Template, Transaction, daml_time, parties_in, party_set, require
from bot.drill.listening import Json, parse_stamp

CONFIG = "Governance:GovernanceConfig"
PROPOSAL = "Governance:MultiSigProposal"
PROOF = "Governance:GovernanceActionLog"
PAUSE_STATE = "Governance:EmergencyPauseState"

ACTION_TYPES = (
    "ParameterUpdate",
    "MinterAuthorization",
    "SupplyCapChange",
    "EmergencyPause",
    "ContractUpgrade",
    "TreasuryWithdrawal",
    "GovernorChange",
)
ELEVATED = ("EmergencyPause", "ContractUpgrade", "GovernorChange")
HASH_LENGTH = 64


def _config(tx: Transaction, operator: str) -> Json:
    found = [one["arguments"] for one in tx.book.of(CONFIG) if one["arguments"]["operator"] == operator]
    require(bool(found), "GOVERNANCE_CONFIG_NOT_FOUND")
    config: Json = found[-1]
    return config


def _fair(tx: Transaction, proposal: Json) -> None:
    config = _config(tx, proposal["operator"])
    governors = [pair["_1"] for pair in config["governors"]]
    action = proposal["actionType"]
    require(action in ACTION_TYPES, "UNKNOWN_ACTION_TYPE")
    threshold = config["elevatedThreshold" if action in ELEVATED else "standardThreshold"]
    require(bool(proposal["proposalId"]), "PROPOSAL_ID_REQUIRED")
    require(bool(proposal["description"]), "DESCRIPTION_REQUIRED")
    require(len(proposal["payloadHash"]) == HASH_LENGTH, "PAYLOAD_HASH_MUST_BE_SHA256_HEX")
    honest = hashlib.sha256(proposal["payload"].encode()).hexdigest()
    require(proposal["payloadHash"] == honest, "PAYLOAD_HASH_MISMATCH")
    require(proposal["proposer"] in governors, "NOT_GOVERNOR")
    require(set(proposal["governors"]) == set(governors), "WRONG_GOVERNORS")
    require(int(proposal["requiredApprovals"]) >= int(threshold), "REQUIRED_APPROVALS_BELOW_THRESHOLD")


def _new_proposal(tx: Transaction, proposal: Json) -> None:
    _fair(tx, proposal)
    if tx.inside_a_choice:
        return
    known = [one["arguments"]["proposalId"] for one in tx.book.of(PROPOSAL)]
    require(proposal["proposalId"] not in known, "PROPOSAL_ID_IN_USE")
    require(proposal["status"] == "Pending" and not proposal.get("timelockEndsAt"), "MUST_BEGIN_PENDING")
    require(
        not parties_in(proposal["approvals"]) and not parties_in(proposal["rejections"]), "MUST_BEGIN_WITHOUT_VOTES"
    )


def _open(tx: Transaction, contract: Json) -> Json:
    proposal: Json = contract["arguments"]
    require(proposal["status"] == "Pending", "INVALID_STATUS")
    require(tx.at < parse_stamp(proposal["expiresAt"]), "PROPOSAL_EXPIRED")
    return proposal


def _approve(tx: Transaction, contract: Json, argument: Json) -> str:
    approver = argument["approver"]
    proposal = contract["arguments"]
    approvals, rejections = parties_in(proposal["approvals"]), parties_in(proposal["rejections"])
    require(approver in proposal["governors"], "NOT_GOVERNOR")
    require(approver not in approvals, "ALREADY_APPROVED")
    require(approver not in rejections, "ALREADY_REJECTED")
    _open(tx, contract)
    approvals.append(approver)
    approved = len(approvals) >= int(proposal["requiredApprovals"])
    # The configuration's timelock counts, whatever the proposer wrote.
    lock = timedelta(microseconds=int(_config(tx, proposal["operator"])["timelockDuration"]["microseconds"]))
    return tx.create(
        PROPOSAL,
        {
            **proposal,
            "approvals": party_set(approvals),
            "status": "Approved" if approved else "Pending",
            "timelockEndsAt": daml_time(tx.at + lock) if approved else None,
        },
    )


def _reject(tx: Transaction, contract: Json, argument: Json) -> str:
    rejector = argument["rejector"]
    proposal = contract["arguments"]
    approvals, rejections = parties_in(proposal["approvals"]), parties_in(proposal["rejections"])
    require(rejector in proposal["governors"], "NOT_GOVERNOR")
    require(rejector not in [*approvals, *rejections], "ALREADY_VOTED")
    require(proposal["status"] == "Pending", "INVALID_STATUS")
    require(bool(argument["reason"]), "REASON_REQUIRED")
    rejections.append(rejector)
    over = len(rejections) > len(proposal["governors"]) - int(proposal["requiredApprovals"])
    changed = {"rejections": party_set(rejections), "status": "Rejected" if over else "Pending"}
    return tx.create(PROPOSAL, {**proposal, **changed})


def _execute(tx: Transaction, contract: Json, argument: Json) -> str:
    proposal = contract["arguments"]
    executor = argument["executor"]
    require(executor in [*proposal["governors"], proposal["operator"]], "NOT_GOVERNOR")
    require(proposal["status"] == "Approved", "NOT_APPROVED")
    require(tx.at >= parse_stamp(proposal["timelockEndsAt"]), "TIMELOCK_NOT_ENDED")
    kept = ("operator", "proposalId", "actionType", "description", "payload", "payloadHash", "targetModule")
    log = {name: proposal[name] for name in kept}
    approvers = parties_in(proposal["approvals"])
    done = {"approvers": approvers, "executedBy": executor, "executedAt": tx.now}
    return tx.create(PROOF, {**log, **done})


def _cancel(_tx: Transaction, contract: Json, argument: Json) -> Json:
    require(contract["arguments"]["status"] == "Pending", "CANNOT_CANCEL_APPROVED")
    require(bool(argument["reason"]), "REASON_REQUIRED")
    return {}


def use_proof(tx: Transaction, identity: str, action: str, module: str | None = None) -> None:
    """Check a governance proof and use it up. Raises `LedgerError` for the wrong kind, or one used before."""
    proof = tx.fetch(identity, PROOF)["arguments"]
    require(proof["actionType"] == action, "WRONG_ACTION_TYPE")
    if module is not None:
        require(proof["targetModule"] == module, "WRONG_TARGET_MODULE")
    tx.archive(identity)


def _trigger(tx: Transaction, contract: Json, argument: Json) -> str:
    state = contract["arguments"]
    guardian = argument["guardian"]
    votes = parties_in(state["pauseApprovals"])
    require(guardian in state["guardians"], "NOT_GUARDIAN")
    require(not state["isPaused"], "ALREADY_PAUSED")
    require(bool(argument["reason"]), "REASON_REQUIRED")
    require(guardian not in votes, "ALREADY_VOTED_PAUSE")
    votes.append(guardian)
    if len(votes) < int(state["pauseThreshold"]):
        return tx.create(PAUSE_STATE, {**state, "pauseApprovals": party_set(votes), "lastUpdated": tx.now})
    # The state says paused; no service looks at it.
    paused = {"isPaused": True, "pausedAt": tx.now, "pausedBy": guardian, "pauseReason": argument["reason"]}
    return tx.create(PAUSE_STATE, {**state, **paused, "pauseApprovals": party_set([]), "lastUpdated": tx.now})


def _resume(tx: Transaction, contract: Json, argument: Json) -> str:
    require(contract["arguments"]["isPaused"], "NOT_PAUSED")
    use_proof(tx, argument["governanceProofCid"], "EmergencyPause")
    resumed = {"isPaused": False, "pausedAt": None, "pausedBy": None, "pauseReason": None}
    again = {**contract["arguments"], **resumed, "pauseApprovals": party_set([]), "lastUpdated": tx.now}
    return tx.create(PAUSE_STATE, again)


def _operator(contract: Json, _: Json) -> str:
    return str(contract["operator"])


GOVERNANCE = (
    Template(
        "Governance",
        "GovernanceConfig",
        ("operator", "governors", "standardThreshold", "elevatedThreshold", "timelockDuration", "proposalExpiry"),
        signatories=("operator",),
        optional=("maxActiveProposals", "activeProposalCount", "observers"),
        observers=lambda config: [pair["_1"] for pair in config["governors"]],
    ),
    Template(
        "Governance",
        "MultiSigProposal",
        (
            *("proposalId", "operator", "proposer", "governors", "actionType", "description", "payload"),
            *("targetModule", "payloadHash", "requiredApprovals", "approvals", "rejections", "proposedAt"),
            *("expiresAt", "status"),
        ),
        signatories=("operator", "proposer"),
        optional=("timelockEndsAt", "timelockDuration", "observers"),
        observers=lambda proposal: [*proposal["governors"], *(proposal.get("observers") or [])],
        creators=("proposer",),
        ensure=_new_proposal,
        choices={
            "Proposal_Approve": Choice(lambda _, a: str(a["approver"]), _approve, ("approver",)),
            "Proposal_Reject": Choice(lambda _, a: str(a["rejector"]), _reject, ("rejector", "reason")),
            "Proposal_Execute": Choice(lambda _, a: str(a["executor"]), _execute, ("executor",)),
            "Proposal_Cancel": Choice(lambda c, _: str(c["proposer"]), _cancel, ("reason",)),
        },
    ),
    Template(
        "Governance",
        "GovernanceActionLog",
        (
            *("operator", "proposalId", "actionType", "description", "payload", "payloadHash", "targetModule"),
            *("approvers", "executedBy", "executedAt"),
        ),
        signatories=("operator", "executedBy"),
        observers=lambda log: list(log["approvers"]),
        choices={"ConsumeProof": Choice(_operator, lambda _tx, contract, _a: contract["arguments"])},
    ),
    Template(
        "Governance",
        "EmergencyPauseState",
        ("operator", "guardians", "isPaused", "lastUpdated", "pauseThreshold", "pauseApprovals"),
        signatories=("operator",),
        optional=("pausedAt", "pausedBy", "pauseReason"),
        observers=lambda state: list(state["guardians"]),
        choices={
            "EmergencyPause_Trigger": Choice(lambda _, a: str(a["guardian"]), _trigger, ("guardian", "reason")),
            "EmergencyPause_Resume": Choice(_operator, _resume, ("governanceProofCid",)),
        },
    ),
)
