"""The practice Canton ledger, over its JSON API."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from bot.drill.ledger import Ledger

Json = dict[str, Any]

GOVERNANCE = "#musd-protocol:Governance:"
PROPOSAL = f"{GOVERNANCE}MultiSigProposal"
PAUSE_STATE = f"{GOVERNANCE}EmergencyPauseState"
PROOF = f"{GOVERNANCE}GovernanceActionLog"
FEED = "#musd-protocol:CantonLending:CantonPriceFeed"
HOLDING = "#musd-protocol:CantonDirectMint:CantonMUSD"
DIRECT_MINT = "#musd-protocol:CantonDirectMint:CantonDirectMintService"
SERVICES = {
    DIRECT_MINT: "DirectMint_SetPaused",
    "#musd-protocol:CantonLending:CantonLendingService": "Lending_SetPaused",
    "#musd-protocol:CantonSMUSD:CantonStakingService": "Staking_SetPaused",
    "#musd-protocol:CantonBoostPool:CantonBoostPoolService": "BoostPool_SetPaused",
}


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    part = Ledger(timelock=timedelta(0))
    await part.start(tmp_path)
    yield part
    await part.stop()


async def ask(ledger: Ledger, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {ledger.token if token is None else token}"}
    method = "GET" if body is None else "POST"
    async with (
        ClientSession(headers=headers) as session,
        session.request(method, ledger.url + path, json=body) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


def query(ledger: Ledger, template: str) -> Json:
    one = {"identifierFilter": {"TemplateFilter": {"value": {"templateId": template}}}}
    return {
        "activeAtOffset": ledger.book.offset,
        "eventFormat": {"filtersByParty": {ledger.operator: {"cumulative": [one]}}, "verbose": False},
    }


async def active(ledger: Ledger, template: str) -> list[Json]:
    status, found = await ask(ledger, "/v2/state/active-contracts", query(ledger, template))
    assert status == 200, found
    return [one["contractEntry"]["JsActiveContract"]["createdEvent"] for one in found]


async def only(ledger: Ledger, template: str) -> Json:
    (found,) = await active(ledger, template)
    return found


async def feed_of(ledger: Ledger, symbol: str) -> Json:
    return next(one for one in await active(ledger, FEED) if one["createArgument"]["symbol"] == symbol)


_count = iter(range(1_000_000))


def submission(command: Json, party: str, command_id: str | None = None, **more: Any) -> Json:
    commands = {"commands": [command], "commandId": command_id or f"test-{next(_count)}", "actAs": [party], **more}
    return {"commands": commands}


def exercise(template: str, contract: str, choice: str, **argument: Any) -> Json:
    body = {"templateId": template, "contractId": contract, "choice": choice, "choiceArgument": argument}
    return {"ExerciseCommand": body}


async def submit(ledger: Ledger, body: Json, token: str | None = None) -> tuple[int, Any]:
    return await ask(ledger, "/v2/commands/submit-and-wait-for-transaction", body, token)


async def as_operator(ledger: Ledger, command: Json) -> tuple[int, Any]:
    return await submit(ledger, submission(command, ledger.operator), ledger.operator_token)


async def vote(ledger: Ledger, voter: str, template: str, contract: str, choice: str, **argument: Any) -> Any:
    body = submission(exercise(template, contract, choice, **argument), voter)
    return await submit(ledger, body, ledger.guardian_tokens[voter])


def created(answer: Any) -> list[Json]:
    return [event["CreatedEvent"] for event in answer["transaction"]["events"] if "CreatedEvent" in event]


def proposal(ledger: Ledger, number: str = "p-1", **changed: Any) -> Json:
    now = datetime.now(UTC)
    payload = json.dumps({"pause": True})
    return {
        "proposalId": number,
        "operator": ledger.operator,
        "proposer": ledger.guardians[0],
        "governors": list(ledger.guardians),
        "actionType": "EmergencyPause",
        "description": "Relay compromised",
        "payload": payload,
        "targetModule": "Governance",
        "payloadHash": hashlib.sha256(payload.encode()).hexdigest(),
        "requiredApprovals": "3",
        "approvals": {"map": []},
        "rejections": {"map": []},
        "proposedAt": now.isoformat(),
        "expiresAt": (now + timedelta(hours=1)).isoformat(),
        "status": "Pending",
        **changed,
    }


async def propose(ledger: Ledger, number: str = "p-1", **changed: Any) -> tuple[int, Any]:
    arguments = proposal(ledger, number, **changed)
    command = {"CreateCommand": {"templateId": PROPOSAL, "createArguments": arguments}}
    return await submit(ledger, submission(command, ledger.guardians[0]))


async def approve(ledger: Ledger, *guardians: str) -> Json:
    for guardian in guardians:
        contract = (await only(ledger, PROPOSAL))["contractId"]
        status, answer = await vote(ledger, guardian, PROPOSAL, contract, "Proposal_Approve", approver=guardian)
        assert status == 200, answer
    return await only(ledger, PROPOSAL)


async def proof(ledger: Ledger, **changed: Any) -> str:
    await propose(ledger, **changed)
    approved = await approve(ledger, *ledger.guardians[:3])
    me = ledger.guardians[0]
    _, answer = await vote(ledger, me, PROPOSAL, approved["contractId"], "Proposal_Execute", executor=me)
    (log,) = created(answer)
    return str(log["contractId"])


def reason(answer: tuple[int, Any]) -> tuple[int, str, str]:
    status, said = answer
    return status, said["code"], said["cause"].rpartition(": ")[2]


# Reading


async def test_health_needs_no_token(ledger: Ledger) -> None:
    assert (await ask(ledger, "/livez", token=""))[0] == 200
    assert (await ask(ledger, "/readyz", token=""))[0] == 200


async def test_a_ledger_that_is_not_ready_still_lives(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "not-ready"})
    assert (await ask(ledger, "/livez"))[0] == 200
    assert (await ask(ledger, "/readyz"))[0] == 503


async def test_the_ledger_end_is_now_and_moves_with_every_transaction(ledger: Ledger) -> None:
    _, before = await ask(ledger, "/v2/state/ledger-end")
    await propose(ledger)
    _, after = await ask(ledger, "/v2/state/ledger-end")
    at = datetime.fromisoformat(after["synchronizerTimes"][0]["recordTime"])
    assert after["offset"] == before["offset"] + 1
    assert datetime.now(UTC) - at < timedelta(seconds=5)


async def test_every_service_says_whether_it_is_paused(ledger: Ledger) -> None:
    paused = [(await only(ledger, template))["createArgument"]["paused"] for template in SERVICES]
    assert paused == [False, False, False, False]


async def test_the_holdings_add_up_to_the_supply(ledger: Ledger) -> None:
    amounts = [Decimal(one["createArgument"]["amount"]) for one in await active(ledger, HOLDING)]
    assert sum(amounts) == 4_000_000


async def test_price_feeds_are_fresh_and_agree_with_the_outside(ledger: Ledger) -> None:
    feed = (await feed_of(ledger, "CTN"))["createArgument"]
    assert Decimal(feed["priceUsd"]) == pytest.approx(Decimal("0.16"), rel=Decimal("0.01"))
    assert datetime.now(UTC) - datetime.fromisoformat(feed["lastUpdated"]) < timedelta(seconds=60)


async def test_a_template_of_another_package_is_not_found(ledger: Ledger) -> None:
    status, said = await ask(ledger, "/v2/state/active-contracts", query(ledger, "#other:Governance:MultiSigProposal"))
    assert (status, said["code"]) == (404, "PACKAGE_NAMES_NOT_FOUND")


async def test_an_unknown_template_is_not_found(ledger: Ledger) -> None:
    status, said = await ask(ledger, "/v2/state/active-contracts", query(ledger, "#musd-protocol:Governance:Nothing"))
    assert (status, said["code"]) == (404, "TEMPLATES_OR_INTERFACES_NOT_FOUND")


async def test_an_offset_beyond_the_end_is_refused(ledger: Ledger) -> None:
    asked = {**query(ledger, FEED), "activeAtOffset": ledger.book.offset + 1}
    status, said = await ask(ledger, "/v2/state/active-contracts", asked)
    assert (status, said["code"]) == (400, "OFFSET_AFTER_LEDGER_END")


async def test_the_past_can_be_read_at_its_offset(ledger: Ledger) -> None:
    asked = query(ledger, DIRECT_MINT)
    service = await only(ledger, DIRECT_MINT)
    await as_operator(ledger, exercise(DIRECT_MINT, service["contractId"], "DirectMint_SetPaused", newPaused=True))
    _, found = await ask(ledger, "/v2/state/active-contracts", asked)
    (then,) = [one["contractEntry"]["JsActiveContract"]["createdEvent"] for one in found]
    assert then["createArgument"]["paused"] is False


async def test_more_than_200_contracts_answer_413(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "many-contracts"})
    status, said = await ask(ledger, "/v2/state/active-contracts", query(ledger, HOLDING))
    assert (status, said["code"]) == (413, "JSON_API_MAXIMUM_LIST_ELEMENTS_NUMBER_REACHED")


async def test_pages_bring_every_contract_once(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "many-contracts"})
    asked: Json = {"eventFormat": query(ledger, HOLDING)["eventFormat"], "maxPageSize": 100}
    amounts, seen = Decimal(0), set()
    while True:
        _, page = await ask(ledger, "/v2/state/active-contracts-page", asked)
        for one in page["activeContracts"]:
            contract = one["contractEntry"]["JsActiveContract"]["createdEvent"]
            seen.add(contract["contractId"])
            amounts += Decimal(contract["createArgument"]["amount"])
        if "nextPageToken" not in page:
            break
        asked["pageToken"] = page["nextPageToken"]
    assert (len(seen), amounts) == (250, Decimal(4_000_000))


async def test_the_supply_can_be_made_to_breach_the_cap(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "supply", "amount": 25_000_000})
    amounts = [Decimal(one["createArgument"]["amount"]) for one in await active(ledger, HOLDING)]
    assert sum(amounts) == 25_000_000


# Who may


async def test_without_a_token_nothing_is_answered(ledger: Ledger) -> None:
    status, said = await ask(ledger, "/v2/version", token="")
    assert (status, said["code"]) == (401, "UNAUTHENTICATED")


async def test_a_token_with_a_wrong_signature_is_refused(ledger: Ledger) -> None:
    status, said = await ask(ledger, "/v2/version", token=ledger.token[:-4] + "AAAA")
    assert (status, said["code"]) == (401, "UNAUTHENTICATED")


async def test_an_expired_token_is_refused(ledger: Ledger) -> None:
    status, said = await ask(ledger, "/v2/version", token=ledger.access.token("musd-bot", timedelta(seconds=-1)))
    assert (status, said["cause"]) == (401, "The request has no valid access token: it has expired")


async def test_acting_as_somebody_else_names_the_missing_right(ledger: Ledger) -> None:
    service = await only(ledger, DIRECT_MINT)
    command = exercise(DIRECT_MINT, service["contractId"], "DirectMint_SetPaused", newPaused=True)
    status, said = await submit(ledger, submission(command, ledger.operator))
    assert (status, said["code"]) == (403, "PERMISSION_DENIED")
    assert said["cause"] == f"User musd-bot lacks the right CanActAs({ledger.operator})"


async def test_reading_as_any_party_needs_its_right(ledger: Ledger) -> None:
    asked = {"activeAtOffset": 1, "eventFormat": {"filtersForAnyParty": {"cumulative": []}}}
    status, said = await ask(ledger, "/v2/state/active-contracts", asked)
    assert (status, said["cause"]) == (403, "User musd-bot lacks the right CanReadAsAnyParty")


async def test_a_user_can_read_its_own_rights(ledger: Ledger) -> None:
    _, me = await ask(ledger, "/v2/authenticated-user")
    _, said = await ask(ledger, f"/v2/users/{me['user']['id']}/rights")
    assert said["rights"][0] == {"kind": {"CanActAs": {"value": {"party": ledger.guardians[0]}}}}


async def test_a_guardian_cannot_vote_for_another(ledger: Ledger) -> None:
    await propose(ledger)
    contract = (await only(ledger, PROPOSAL))["contractId"]
    mine, other = ledger.guardians[0], ledger.guardians[1]
    said = await vote(ledger, mine, PROPOSAL, contract, "Proposal_Approve", approver=other)
    assert (said[0], said[1]["code"]) == (400, "DAML_AUTHORIZATION_ERROR")


async def test_faults_can_take_the_token_or_its_rights_away(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "forbidden"})
    assert (await ask(ledger, "/v2/state/active-contracts", query(ledger, FEED)))[0] == 403
    await ledger.inflict({"fault": "unauthorized"})
    assert (await ask(ledger, "/v2/version"))[0] == 401


# Proposals


async def test_three_of_five_approvals_make_a_proof_of_a_proposal(ledger: Ledger) -> None:
    await propose(ledger)
    approved = await approve(ledger, *ledger.guardians[1:4])
    assert approved["createArgument"]["status"] == "Approved"
    me = ledger.guardians[0]
    status, answer = await vote(ledger, me, PROPOSAL, approved["contractId"], "Proposal_Execute", executor=me)
    (log,) = created(answer)
    assert status == 200
    assert log["createArgument"]["approvers"] == list(ledger.guardians[1:4])
    assert await active(ledger, PROPOSAL) == []


async def test_one_guardian_has_one_approval(ledger: Ledger) -> None:
    await propose(ledger)
    me = ledger.guardians[1]
    contract = (await approve(ledger, me))["contractId"]
    said = await vote(ledger, me, PROPOSAL, contract, "Proposal_Approve", approver=me)
    assert reason(said) == (400, "DAML_FAILURE", "ALREADY_APPROVED")


async def test_a_vote_on_the_contract_before_the_last_vote_finds_nothing(ledger: Ledger) -> None:
    await propose(ledger)
    old = (await only(ledger, PROPOSAL))["contractId"]
    await approve(ledger, ledger.guardians[1])
    second = ledger.guardians[2]
    status, said = await vote(ledger, second, PROPOSAL, old, "Proposal_Approve", approver=second)
    assert (status, said["code"], said["resources"]) == (404, "CONTRACT_NOT_FOUND", [["CONTRACT_ID", old]])


async def test_three_rejections_of_five_reject(ledger: Ledger) -> None:
    await propose(ledger)
    for guardian in ledger.guardians[1:4]:
        contract = (await only(ledger, PROPOSAL))["contractId"]
        await vote(ledger, guardian, PROPOSAL, contract, "Proposal_Reject", rejector=guardian, reason="no")
    assert (await only(ledger, PROPOSAL))["createArgument"]["status"] == "Rejected"


async def test_execution_waits_for_the_timelock(tmp_path: Path) -> None:
    ledger = Ledger(timelock=timedelta(hours=24))
    await ledger.start(tmp_path)
    try:
        await propose(ledger)
        approved = await approve(ledger, *ledger.guardians[:3])
        me = ledger.guardians[0]
        said = await vote(ledger, me, PROPOSAL, approved["contractId"], "Proposal_Execute", executor=me)
        assert reason(said) == (400, "DAML_FAILURE", "TIMELOCK_NOT_ENDED")
    finally:
        await ledger.stop()


async def test_an_expired_proposal_takes_no_approval(ledger: Ledger) -> None:
    await propose(ledger, expiresAt="2020-01-01T00:00:00Z")
    contract = (await only(ledger, PROPOSAL))["contractId"]
    me = ledger.guardians[1]
    said = await vote(ledger, me, PROPOSAL, contract, "Proposal_Approve", approver=me)
    assert reason(said) == (400, "DAML_FAILURE", "PROPOSAL_EXPIRED")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"requiredApprovals": "1"}, "REQUIRED_APPROVALS_BELOW_THRESHOLD"),
        ({"payloadHash": "0" * 64}, "PAYLOAD_HASH_MISMATCH"),
        ({"payloadHash": "abc"}, "PAYLOAD_HASH_MUST_BE_SHA256_HEX"),
        ({"status": "Approved"}, "MUST_BEGIN_PENDING"),
        ({"description": ""}, "DESCRIPTION_REQUIRED"),
        ({"actionType": "Pause"}, "UNKNOWN_ACTION_TYPE"),
    ],
)
async def test_an_unfair_proposal_is_refused(ledger: Ledger, changed: Json, why: str) -> None:
    assert reason(await propose(ledger, **changed)) == (400, "DAML_FAILURE", why)


async def test_a_proposal_with_votes_already_in_it_is_refused(ledger: Ledger) -> None:
    said = await propose(ledger, approvals={"map": [[ledger.guardians[1], {}]]})
    assert reason(said) == (400, "DAML_FAILURE", "MUST_BEGIN_WITHOUT_VOTES")


async def test_a_missing_field_is_named(ledger: Ledger) -> None:
    arguments = {key: value for key, value in proposal(ledger).items() if key != "targetModule"}
    command = {"CreateCommand": {"templateId": PROPOSAL, "createArguments": arguments}}
    status, said = await submit(ledger, submission(command, ledger.guardians[0]))
    assert (status, said["code"]) == (400, "INVALID_ARGUMENT")
    assert said["cause"].endswith("Missing non-optional fields of Governance:MultiSigProposal: targetModule")


async def test_nobody_can_make_a_proof_by_hand(ledger: Ledger) -> None:
    made = proposal(ledger)
    names = ("operator", "proposalId", "actionType", "description", "payload", "payloadHash", "targetModule")
    arguments = {name: made[name] for name in names}
    done = {"approvers": [], "executedBy": ledger.guardians[0], "executedAt": made["proposedAt"]}
    command = {"CreateCommand": {"templateId": PROOF, "createArguments": {**arguments, **done}}}
    status, said = await submit(ledger, submission(command, ledger.guardians[0]))
    assert (status, said["code"]) == (400, "DAML_AUTHORIZATION_ERROR")


# The pause state and the services


async def test_three_triggers_pause_the_state_and_no_service(ledger: Ledger) -> None:
    for guardian in ledger.guardians[:3]:
        contract = (await only(ledger, PAUSE_STATE))["contractId"]
        await vote(
            ledger, guardian, PAUSE_STATE, contract, "EmergencyPause_Trigger", guardian=guardian, reason="exploit"
        )
    assert (await only(ledger, PAUSE_STATE))["createArgument"]["isPaused"] is True
    assert [(await only(ledger, one))["createArgument"]["paused"] for one in SERVICES] == [False] * 4


async def test_an_old_vote_still_counts(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "old-vote"})
    for guardian in ledger.guardians[:2]:
        contract = (await only(ledger, PAUSE_STATE))["contractId"]
        await vote(
            ledger, guardian, PAUSE_STATE, contract, "EmergencyPause_Trigger", guardian=guardian, reason="exploit"
        )
    assert (await only(ledger, PAUSE_STATE))["createArgument"]["isPaused"] is True


async def test_resuming_uses_its_proof_up(ledger: Ledger) -> None:
    for guardian in ledger.guardians[:3]:
        contract = (await only(ledger, PAUSE_STATE))["contractId"]
        await vote(ledger, guardian, PAUSE_STATE, contract, "EmergencyPause_Trigger", guardian=guardian, reason="x")
    evidence = await proof(ledger)
    contract = (await only(ledger, PAUSE_STATE))["contractId"]
    command = exercise(PAUSE_STATE, contract, "EmergencyPause_Resume", governanceProofCid=evidence)
    assert (await as_operator(ledger, command))[0] == 200
    assert (await only(ledger, PAUSE_STATE))["createArgument"]["isPaused"] is False
    assert await active(ledger, PROOF) == []


async def test_the_operator_pauses_each_service(ledger: Ledger) -> None:
    for template, choice in SERVICES.items():
        contract = (await only(ledger, template))["contractId"]
        assert (await as_operator(ledger, exercise(template, contract, choice, newPaused=True)))[0] == 200
    assert [(await only(ledger, one))["createArgument"]["paused"] for one in SERVICES] == [True] * 4


async def test_a_nonconsuming_set_paused_leaves_two_contracts_until_mended(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "nonconsuming-set-paused"})
    contract = (await only(ledger, DIRECT_MINT))["contractId"]
    await as_operator(ledger, exercise(DIRECT_MINT, contract, "DirectMint_SetPaused", newPaused=True))
    both = [one["createArgument"]["paused"] for one in await active(ledger, DIRECT_MINT)]
    await ledger.mend()
    assert both == [False, True]
    assert (await only(ledger, DIRECT_MINT))["createArgument"]["paused"] is True


async def test_a_service_can_be_paused_already(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "service-paused", "service": "CantonDirectMintService"})
    await ledger.inflict({"fault": "service-paused", "service": "CantonStakingService"})
    assert (await only(ledger, DIRECT_MINT))["createArgument"]["paused"] is True
    await ledger.mend()
    assert (await only(ledger, DIRECT_MINT))["createArgument"]["paused"] is False


async def test_an_unknown_service_cannot_be_paused_by_a_fault(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no service 'Nothing'"):
        await ledger.inflict({"fault": "service-paused", "service": "Nothing"})


async def test_a_supply_without_an_amount_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="needs an amount"):
        await ledger.inflict({"fault": "supply"})


# Prices


async def test_a_stale_feed_is_updated_by_the_operator(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "price-stale", "seconds": 7200})
    feed = await feed_of(ledger, "CTN")
    age = datetime.now(UTC) - datetime.fromisoformat(feed["createArgument"]["lastUpdated"])
    command = exercise(FEED, feed["contractId"], "PriceFeed_Update", newPriceUsd="0.2", newSource="manual")
    assert (await as_operator(ledger, command))[0] == 200
    after = (await feed_of(ledger, "CTN"))["createArgument"]
    assert age >= timedelta(hours=2)
    assert (Decimal(after["priceUsd"]), after["source"]) == (Decimal("0.2"), "manual")


async def test_a_move_of_more_than_half_is_refused(ledger: Ledger) -> None:
    feed = await feed_of(ledger, "CTN")
    command = exercise(FEED, feed["contractId"], "PriceFeed_Update", newPriceUsd="0.3", newSource="manual")
    assert reason(await as_operator(ledger, command)) == (400, "DAML_FAILURE", "PRICE_MOVE_TOO_LARGE")


async def emergency(ledger: Ledger, evidence: str) -> tuple[int, Any]:
    feed = await feed_of(ledger, "CTN")
    argument = {"newPriceUsd": "0.4", "reason": "crash", "governanceProofCid": evidence}
    return await as_operator(ledger, exercise(FEED, feed["contractId"], "PriceFeed_EmergencyUpdate", **argument))


async def test_an_emergency_update_takes_a_proof_for_lending(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "price-stale"})
    evidence = await proof(ledger, targetModule="CantonLending")
    assert (await emergency(ledger, evidence))[0] == 200
    assert Decimal((await feed_of(ledger, "CTN"))["createArgument"]["priceUsd"]) == Decimal("0.4")


async def test_an_emergency_update_refuses_another_modules_proof(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "price-stale"})
    evidence = await proof(ledger, targetModule="Governance")
    assert reason(await emergency(ledger, evidence)) == (400, "DAML_FAILURE", "WRONG_TARGET_MODULE")


async def test_an_emergency_update_waits_30_minutes_after_an_update_and_keeps_its_proof(ledger: Ledger) -> None:
    evidence = await proof(ledger, targetModule="CantonLending")
    assert reason(await emergency(ledger, evidence)) == (400, "DAML_FAILURE", "EMERGENCY_UPDATE_COOLDOWN")
    assert [one["contractId"] for one in await active(ledger, PROOF)] == [evidence]


# Commands


async def test_the_same_command_id_is_a_duplicate(ledger: Ledger) -> None:
    body = submission(
        {"CreateCommand": {"templateId": PROPOSAL, "createArguments": proposal(ledger)}}, ledger.guardians[0], "once"
    )
    assert (await submit(ledger, body))[0] == 200
    status, said = await submit(ledger, body)
    assert (status, said["code"], said["definiteAnswer"]) == (409, "DUPLICATE_COMMAND", False)


async def test_a_refused_command_may_be_sent_again(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "contention"})
    body = submission(
        {"CreateCommand": {"templateId": PROPOSAL, "createArguments": proposal(ledger)}}, ledger.guardians[0], "again"
    )
    status, said = await submit(ledger, body)
    assert (status, said["code"], said["retryInfo"]) == (409, "LOCAL_VERDICT_LOCKED_CONTRACTS", "1 second")
    assert (await submit(ledger, body))[0] == 200


async def test_a_command_may_say_how_long_it_is_remembered(ledger: Ledger) -> None:
    period = {"DeduplicationDuration": {"value": {"seconds": 0, "nanos": 0}}}
    for number in ("p-1", "p-2"):
        command = {"CreateCommand": {"templateId": PROPOSAL, "createArguments": proposal(ledger, number)}}
        body = submission(command, ledger.guardians[0], "same", deduplicationPeriod=period)
        assert (await submit(ledger, body))[0] == 200


async def test_a_lost_answer_was_carried_out(ledger: Ledger) -> None:
    await ledger.inflict({"fault": "lost-answer"})
    with pytest.raises(ClientError):
        await propose(ledger)
    assert (await only(ledger, PROPOSAL))["createArgument"]["proposalId"] == "p-1"


async def test_a_submission_that_fails_halfway_changes_nothing(ledger: Ledger) -> None:
    service = (await only(ledger, DIRECT_MINT))["contractId"]
    command = exercise(DIRECT_MINT, service, "DirectMint_SetPaused", newPaused=True)
    body = submission(command, ledger.operator)
    body["commands"]["commands"] *= 2
    assert (await submit(ledger, body, ledger.operator_token))[0] == 404
    assert (await only(ledger, DIRECT_MINT))["contractId"] == service


async def test_ledger_effects_show_the_exercise_and_its_result(ledger: Ledger) -> None:
    service = (await only(ledger, DIRECT_MINT))["contractId"]
    body = submission(exercise(DIRECT_MINT, service, "DirectMint_SetPaused", newPaused=True), ledger.operator)
    effects = {"transactionShape": "TRANSACTION_SHAPE_LEDGER_EFFECTS", "eventFormat": {}}
    _, answer = await submit(ledger, {**body, "transactionFormat": effects}, ledger.operator_token)
    done, made = answer["transaction"]["events"]
    assert done["ExercisedEvent"]["exerciseResult"] == made["CreatedEvent"]["contractId"]


async def test_two_voters_at_once_contend_and_one_wins(ledger: Ledger) -> None:
    await propose(ledger)
    contract = (await only(ledger, PROPOSAL))["contractId"]
    voters = ledger.guardians[1:3]
    answers = await asyncio.gather(
        *(vote(ledger, one, PROPOSAL, contract, "Proposal_Approve", approver=one) for one in voters)
    )
    assert sorted(status for status, _ in answers) == [200, 404]


async def test_contracts_commands_and_users_survive_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    body = submission(
        {"CreateCommand": {"templateId": PROPOSAL, "createArguments": proposal(ledger)}}, ledger.guardians[0], "kept"
    )
    await submit(ledger, body)
    await ledger.stop()
    again = Ledger()
    await again.start(tmp_path)
    try:
        assert (await only(again, PROPOSAL))["createArgument"]["proposalId"] == "p-1"
        assert (await submit(again, body))[0] == 409
    finally:
        await again.stop()
