"""The store over real databases: every test runs on SQLite, and on PostgreSQL where the machine has it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import ValidationError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.adapters.store import SqlStore, migrate
from bot.adapters.store.database import Database, open_engine
from bot.adapters.store.models import metadata
from bot.domain.action import Action, Offer, Outcome, Plan, Receipt, StepResult
from bot.domain.approval import Approval, Choice, Proposal, ProposalState, Vote, approve
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.policy import Policy, Role, Standing
from bot.domain.signal import Severity, Signal, SignalStatus
from bot.errors import ConfigurationError, RefusedError, UnavailableError
from bot.ports import AuditRow, MessageRef, SignedTransaction, Store

NOW = datetime(2026, 3, 1, 3, 4, 5, 678901, tzinfo=UTC)
CEST = timezone(timedelta(hours=2))


class Knock(Action):
    """An action that only these tests have."""

    kind = "knock"
    policy = Policy(
        propose=Role.OPERATOR, approve=Role.GUARDIAN, approvals=1, proposer_counts=True, lives=timedelta(minutes=10)
    )
    door: str


@pytest.fixture
async def url(database_url: str) -> str:
    await migrate(database_url)
    return database_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    one = SqlStore(url)
    yield one
    await one.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[SqlStore]:
    """A second store on the same database, as a second process has."""
    one = SqlStore(url)
    yield one
    await one.close()


def a_signal(number: int = 1, *, at: datetime = NOW) -> Signal:
    return Signal(
        fingerprint=f"f{number:05}",
        starts_at=at,
        status=SignalStatus.FIRING,
        name="RelayServiceDown",
        severity=Severity.CRITICAL,
        labels={"job": "relay", "emoji": "🔥"},
        annotations={"summary": "relay is down"},
    )


def an_incident(number: int = 1, topic: str = "relay-down", **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": f"i{number}",
        "topic": topic,
        "runbook": "relay-down",
        "title": "Relay Service Down",
        "severity": Severity.CRITICAL,
        "state": IncidentState.OPEN,
        "opened_at": NOW + timedelta(seconds=number),
        "labels": {"job": "relay"},
    }
    return Incident(**(fields | changes))


def a_proposal(number: int = 1, *, incident_id: str | None = None) -> Proposal:
    return Proposal(
        id=f"p{number}",
        action=Knock(door="front"),
        plan=Plan(steps=(), binding={"door": "front", "wei": 10**30}),
        policy=Knock.policy,
        reason="somebody is at the door",
        proposer="U1",
        proposed_at=NOW + timedelta(seconds=number),
        incident_id=incident_id,
    )


def a_vote(proposal: Proposal, voter: str = "U2", choice: Choice = Choice.APPROVE) -> Vote:
    at = proposal.proposed_at + timedelta(seconds=1)
    return Vote(proposal_id=proposal.id, voter=voter, choice=choice, digest=proposal.digest, at=at)


def an_approval(proposal: Proposal) -> Approval:
    vote = a_vote(proposal)
    return approve(proposal, [vote], {"U2": Standing(local=Role.GUARDIAN)}, vote.at)


def a_receipt(text: str = "knocked") -> Receipt:
    return Receipt(steps=(StepResult(name="front", outcome=Outcome.DONE, text=text),), finished_at=NOW)


def a_transaction(nonce: int, raw: str = "0x02") -> SignedTransaction:
    return SignedTransaction(contract="SMUSD", address="0x" + "ab" * 20, nonce=nonce, hash=f"0x{nonce:064x}", raw=raw)


def an_audit_row(number: int = 1, **changes: Any) -> AuditRow:
    fields: dict[str, Any] = {"at": NOW, "actor": "U1", "what": "vote", "subject": f"p{number}"}
    return AuditRow(**(fields | changes))


async def at_once(*calls: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*calls))


async def run_sql(url: str, statement: str) -> Any:
    engine = open_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.all() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_it_fulfils_the_port(store: SqlStore) -> None:
    port: Store = store  # mypy compares every method; at run time there is nothing to compare
    assert port is store


# --- The tables ------------------------------------------------------------------------------------------------------


async def test_the_migrations_make_the_tables_that_the_models_describe(url: str) -> None:
    def difference(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    database = Database(open_engine(url))
    async with database.reading() as connection:
        found = await connection.run_sync(difference)
    await database.close()
    assert found == []


async def test_migrating_again_and_by_two_processes_at_once_is_harmless(database_url: str) -> None:
    await at_once(*(migrate(database_url) for _ in range(4)))
    assert len(await run_sql(database_url, "SELECT version_num FROM alembic_version")) == 1


async def test_sqlite_is_set_up_to_lose_nothing_when_the_power_goes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/musd.db"
    await migrate(url)
    full, on = 2, 1
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = [(await run_sql(url, f"PRAGMA {pragma}"))[0][0] for pragma in pragmas]
    assert found == ["wal", full, on, 10_000]


@pytest.mark.parametrize("wrong", ["mysql://somewhere/musd", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_cannot_be_used_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        SqlStore(wrong)


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    store = SqlStore("postgresql://postgres@127.0.0.1:1/musd?connect_timeout=3")
    with pytest.raises(UnavailableError, match="The database did not answer"):
        await store.incident("i1")


# --- Signals ---------------------------------------------------------------------------------------------------------


async def test_signals_come_back_as_they_went_in(store: SqlStore) -> None:
    signal = a_signal(at=NOW.astimezone(CEST))
    assert await store.keep_signals([signal], NOW) == 1
    found = await store.signal(signal.key)
    assert found == signal
    assert found is not None
    assert found.key == signal.key


async def test_the_same_delivery_twice_is_stored_once(store: SqlStore) -> None:
    await store.keep_signals([a_signal(1), a_signal(2)], NOW)
    assert await store.keep_signals([a_signal(2), a_signal(3), a_signal(3)], NOW) == 1
    assert list(await store.pending_signals(10)) == [a_signal(1), a_signal(2), a_signal(3)]


async def test_an_alert_with_a_nul_in_its_name_costs_nobody_a_delivery(store: SqlStore) -> None:
    odd = a_signal().model_copy(update={"fingerprint": "a\x00b", "name": "a\x00b"})
    assert await store.keep_signals([odd, a_signal(2)], NOW) == 2
    assert await store.keep_signals([odd], NOW) == 0
    assert await store.signal(odd.key) == odd
    await store.open_incident(an_incident(1, topic="alert:a\x00b"))
    _, new = await store.open_incident(an_incident(2, topic="alert:a\x00b"))
    assert not new


async def test_an_empty_delivery_stores_nothing(store: SqlStore) -> None:
    assert await store.keep_signals([], NOW) == 0


async def test_two_replicas_delivering_the_same_alerts_in_different_orders_store_each_once(
    store: SqlStore, other: SqlStore
) -> None:
    signals = [a_signal(number) for number in range(300)]
    new = await at_once(store.keep_signals(signals, NOW), other.keep_signals(signals[::-1], NOW))
    assert sum(new) == 300


@pytest.mark.alone
async def test_ten_thousand_signals_are_stored_within_two_seconds(store: SqlStore) -> None:
    signals = [a_signal(number) for number in range(10_000)]
    began = time.monotonic()
    assert await store.keep_signals(signals, NOW) == 10_000
    assert time.monotonic() - began < 2


async def test_a_handled_signal_is_no_longer_pending_and_belongs_to_its_incident(store: SqlStore) -> None:
    await store.keep_signals([a_signal(1), a_signal(2), a_signal(3)], NOW)
    await store.open_incident(an_incident())
    await store.signals_handled([a_signal(3).key], "i1")
    await store.signals_handled([a_signal(1).key], "i1")
    await store.signals_handled([a_signal(2).key], None)
    assert list(await store.pending_signals(10)) == []
    assert list(await store.incident_signals("i1")) == [a_signal(1), a_signal(3)]


async def test_a_signal_knows_its_incident(store: SqlStore) -> None:
    await store.keep_signals([a_signal(1), a_signal(2)], NOW)
    await store.open_incident(an_incident())
    await store.signals_handled([a_signal(1).key], "i1")
    await store.signals_handled([a_signal(2).key], None)
    found = [await store.incident_of(key) for key in (a_signal(1).key, a_signal(2).key, "nobody's")]
    assert found == [an_incident(), None, None]


async def test_pending_signals_are_the_oldest_first_and_no_more_than_asked_for(store: SqlStore) -> None:
    await store.keep_signals([a_signal(9)], NOW)
    await store.keep_signals([a_signal(1), a_signal(2)], NOW)
    assert list(await store.pending_signals(2)) == [a_signal(9), a_signal(1)]


# --- Incidents -------------------------------------------------------------------------------------------------------


async def test_an_incident_comes_back_as_it_went_in(store: SqlStore) -> None:
    incident = an_incident(summary="relay is down", impact="bridge halted", resolved_at=NOW.astimezone(CEST))
    assert await store.open_incident(incident) == (incident, True)
    found = await store.incident("i1")
    assert found == incident
    assert found is not None
    assert found.opened_at.tzinfo is UTC


async def test_a_second_incident_of_an_open_topic_is_the_first(store: SqlStore) -> None:
    await store.open_incident(an_incident(1, state=IncidentState.ACKNOWLEDGED))
    first = an_incident(1, state=IncidentState.ACKNOWLEDGED)
    assert await store.open_incident(an_incident(2)) == (first, False)
    assert await store.incident("i2") is None


async def test_opening_the_same_incident_again_after_a_crash_says_again_that_it_is_new(store: SqlStore) -> None:
    await store.open_incident(an_incident())
    assert await store.open_incident(an_incident()) == (an_incident(), True)


async def test_a_topic_whose_incident_is_over_opens_a_new_one(store: SqlStore) -> None:
    await store.open_incident(an_incident(1))
    await store.update_incident("i1", state=IncidentState.RESOLVED, resolved_at=NOW)
    assert await store.open_incident(an_incident(2)) == (an_incident(2), True)
    assert await store.latest_incident("relay-down") == an_incident(2)


async def test_of_many_opening_one_topic_at_once_exactly_one_is_new(store: SqlStore, other: SqlStore) -> None:
    opened = await at_once(
        *((store if number % 2 else other).open_incident(an_incident(number)) for number in range(20))
    )
    assert len({incident.id for incident, _ in opened}) == 1
    assert sum(new for _, new in opened) == 1


async def test_the_database_itself_refuses_a_second_open_incident_of_a_topic(store: SqlStore) -> None:
    await store.open_incident(an_incident(1))
    await store.update_incident("i1", state=IncidentState.RESOLVED)
    await store.open_incident(an_incident(2))
    with pytest.raises(RefusedError, match="Another incident about the same is open"):
        await store.update_incident("i1", state=IncidentState.OPEN)


async def test_updating_an_incident_returns_it_changed(store: SqlStore) -> None:
    await store.open_incident(an_incident())
    changed = await store.update_incident("i1", channel="C1", channel_name="inc-1", labels={"a": "b"})
    assert changed == an_incident(channel="C1", channel_name="inc-1", labels={"a": "b"})
    assert await store.incident("i1") == changed


async def test_updating_an_incident_nobody_knows_is_refused(store: SqlStore) -> None:
    with pytest.raises(RefusedError, match="no incident 'i9'"):
        await store.update_incident("i9", card="1.2")


async def test_a_value_no_incident_may_have_is_not_kept(store: SqlStore) -> None:
    await store.open_incident(an_incident())
    with pytest.raises(ValidationError):
        await store.update_incident("i1", state="nonsense")
    assert await store.incident("i1") == an_incident()


async def test_incidents_are_found_by_channel_and_by_state(store: SqlStore) -> None:
    await store.open_incident(an_incident(1, topic="a", channel="C1", state=IncidentState.CLOSED))
    await store.open_incident(an_incident(3, topic="b", channel="C1"))
    await store.open_incident(an_incident(2, topic="c", state=IncidentState.ACKNOWLEDGED))
    newest = await store.incident_in("C1")
    assert newest is not None
    assert newest.id == "i3"
    assert await store.incident_in("C2") is None
    open_ones = await store.incidents([IncidentState.OPEN, IncidentState.ACKNOWLEDGED])
    assert [incident.id for incident in open_ones] == ["i2", "i3"]


async def test_the_timeline_is_ordered_by_the_time_of_the_event_and_writes_each_key_once(store: SqlStore) -> None:
    await store.open_incident(an_incident())
    late = TimelineEntry(incident_id="i1", key="late", at=NOW + timedelta(1), actor="bot", text="later")
    early = TimelineEntry(incident_id="i1", key="early", at=NOW, actor="U1", text="first", evidence={"n": [1, None]})
    for entry in (late, early, late.model_copy(update={"text": "again"})):
        await store.note(entry)
    assert list(await store.timeline("i1")) == [early, late]


async def test_a_moment_without_a_time_zone_is_refused(store: SqlStore) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        await store.open_incident(an_incident(opened_at=NOW.replace(tzinfo=None)))


# --- Offers, proposals, votes ----------------------------------------------------------------------------------------


async def test_an_offer_keeps_what_it_first_stood_for(store: SqlStore) -> None:
    await store.keep_offer(Offer("o1", Knock(door="front"), None))
    await store.keep_offer(Offer("o1", Knock(door="back"), None))
    assert await store.offer("o1") == Offer("o1", Knock(door="front"), None)
    assert await store.offer("o2") is None


async def test_a_proposal_comes_back_whole_with_the_same_digest(store: SqlStore) -> None:
    proposal = a_proposal()
    await store.keep_proposal(proposal)
    stored = await store.proposal("p1")
    assert stored is not None
    assert stored.proposal == proposal
    assert stored.proposal.digest == proposal.digest
    assert isinstance(stored.proposal.action, Knock)
    assert (stored.state, stored.message, stored.votes, stored.receipt) == (ProposalState.OPEN, None, (), None)


async def test_keeping_a_proposal_again_does_not_open_it_again(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    await store.end_proposal("p1", ProposalState.WITHDRAWN)
    await store.keep_proposal(a_proposal())
    assert await state_of(store, "p1") is ProposalState.WITHDRAWN


async def state_of(store: SqlStore, proposal_id: str) -> ProposalState:
    stored = await store.proposal(proposal_id)
    assert stored is not None
    return stored.state


async def test_proposals_of_a_state_are_the_oldest_first(store: SqlStore) -> None:
    for number in (3, 1, 2):
        await store.keep_proposal(a_proposal(number))
    await store.end_proposal("p2", ProposalState.EXPIRED)
    assert [stored.proposal.id for stored in await store.proposals(ProposalState.OPEN)] == ["p1", "p3"]


async def test_a_proposal_knows_where_its_message_is(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    await store.proposal_posted("p1", MessageRef("C1", "1.2"))
    stored = await store.proposal("p1")
    assert stored is not None
    assert stored.message == MessageRef("C1", "1.2")


async def test_votes_come_back_in_the_order_they_were_stored(store: SqlStore) -> None:
    proposal = a_proposal()
    await store.keep_proposal(proposal)
    cast = [a_vote(proposal, "U9"), a_vote(proposal, "U1"), a_vote(proposal, "U9", Choice.DECLINE)]
    assert [await store.keep_vote(vote) for vote in cast] == [True, True, True]
    stored = await store.proposal("p1")
    assert stored is not None
    assert stored.votes == tuple(cast)


async def test_the_same_vote_twice_counts_once(store: SqlStore, other: SqlStore) -> None:
    proposal = a_proposal()
    await store.keep_proposal(proposal)
    kept = await at_once(*(one.keep_vote(a_vote(proposal)) for one in (store, other) * 5))
    assert sum(kept) == 1


@pytest.mark.parametrize("end", [ProposalState.EXPIRED, ProposalState.DECLINED, ProposalState.REFUSED])
async def test_nobody_votes_on_a_proposal_that_is_over(store: SqlStore, end: ProposalState) -> None:
    await store.keep_proposal(a_proposal())
    await store.end_proposal("p1", end)
    assert await store.keep_vote(a_vote(a_proposal())) is False
    stored = await store.proposal("p1")
    assert stored is not None
    assert stored.votes == ()


async def test_nobody_votes_on_a_proposal_that_never_was(store: SqlStore) -> None:
    assert await store.keep_vote(a_vote(a_proposal())) is False


async def test_a_signed_request_is_taken_once_by_whichever_bot_until_it_is_no_longer_good(
    store: SqlStore, other: SqlStore
) -> None:
    good_for = timedelta(minutes=15)
    taken = await at_once(*(one.take_request("v0=1", NOW, good_for) for one in (store, other) * 5))
    later = [await store.take_request(one, NOW + good_for, good_for) for one in ("v0=1", "v0=2")]
    much_later = await store.take_request("v0=1", NOW + good_for * 2, good_for)

    assert (sum(taken), later, much_later) == (1, [False, True], True)


async def test_of_many_executions_at_once_exactly_one_consumes_the_approval(store: SqlStore, other: SqlStore) -> None:
    proposal = a_proposal()
    await store.keep_proposal(proposal)
    approval = an_approval(proposal)
    got = await at_once(*((store if n % 2 else other).consume(approval, f"e{n}") for n in range(10)))
    assert sum(got) == 1


async def test_the_execution_that_consumed_the_approval_may_ask_again(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    approval = an_approval(a_proposal())
    assert [await store.consume(approval, one) for one in ("e1", "e1", "e2")] == [True, True, False]
    assert await state_of(store, "p1") is ProposalState.EXECUTING


async def test_an_approval_is_good_once_even_for_the_execution_that_had_it(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    approval = an_approval(a_proposal())
    await store.consume(approval, "e1")
    await store.end_proposal("p1", ProposalState.DONE, a_receipt())
    assert await store.consume(approval, "e1") is False
    assert await state_of(store, "p1") is ProposalState.DONE


async def test_a_deadline_that_fires_late_does_not_end_what_is_being_executed(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    await store.consume(an_approval(a_proposal()), "e1")
    await store.end_proposal("p1", ProposalState.EXPIRED)
    assert await state_of(store, "p1") is ProposalState.EXECUTING


async def test_a_receipt_is_kept_with_the_end_and_can_be_settled_later(store: SqlStore) -> None:
    await store.keep_proposal(a_proposal())
    await store.consume(an_approval(a_proposal()), "e1")
    await store.end_proposal("p1", ProposalState.DONE, a_receipt("outcome unknown"))
    await store.end_proposal("p1", ProposalState.DONE, a_receipt("mined"))
    stored = await store.proposal("p1")
    assert stored is not None
    assert stored.receipt == a_receipt("mined")


# --- The record ------------------------------------------------------------------------------------------------------


async def test_the_first_signed_bytes_of_an_execution_are_the_ones_kept(store: SqlStore) -> None:
    first = [a_transaction(7), a_transaction(8)]
    assert list(await store.keep_transactions("e1", first)) == first
    assert list(await store.keep_transactions("e1", [a_transaction(9, "0xff")])) == first
    assert list(await store.transactions("e1")) == first
    assert list(await store.transactions("e2")) == []


async def test_two_that_sign_for_one_execution_at_once_end_up_with_the_same_bytes(
    store: SqlStore, other: SqlStore
) -> None:
    one, two = await at_once(
        store.keep_transactions("e1", [a_transaction(1)]),
        other.keep_transactions("e1", [a_transaction(5), a_transaction(6)]),
    )
    assert list(one) == list(two) == list(await store.transactions("e1"))


async def test_a_message_is_announced_once_and_found_once_posted(store: SqlStore) -> None:
    assert [await store.posting("card-i1", "C1") for _ in range(2)] == [True, False]
    assert await store.posted("card-i1") is None
    await store.keep_posted("card-i1", MessageRef("C1", "1.2"))
    await store.keep_posted("card-i1", MessageRef("C1", "1.2"))
    assert await store.posted("card-i1") == MessageRef("C1", "1.2")
    assert await store.posting("card-i1", "C1") is False


async def test_a_message_that_was_never_announced_can_be_remembered(store: SqlStore) -> None:
    await store.keep_posted("found", MessageRef("C1", "3.4"))
    assert await store.posted("found") == MessageRef("C1", "3.4")


def recompute(rows: list[Any]) -> list[str]:
    """The chain as the documentation has it, written once more."""
    hashes, previous = [], "0" * 64
    for row in rows:
        at = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        chained = [row.seq, previous, at, row.actor, row.what, row.subject, row.detail]
        previous = hashlib.sha256(json.dumps(chained, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        hashes.append(previous)
    return hashes


async def test_the_audit_chain_can_be_computed_again_from_what_is_stored(store: SqlStore) -> None:
    odd = {"when": NOW, "price": Decimal("1.10"), "ratio": 0.1, "wei": 10**30, "nan": float("nan"), "ü": ["🔥", None]}
    for row in (an_audit_row(1), an_audit_row(2, detail=odd), an_audit_row(3, at=NOW.astimezone(CEST))):
        await store.audit(row)
    trail = list(await store.audit_trail(10))
    assert [row.seq for row in trail] == [1, 2, 3]
    assert [row.hash for row in trail] == recompute(trail)
    assert [row.computed() for row in trail] == recompute(trail)


async def test_the_audit_trail_is_read_in_pieces(store: SqlStore) -> None:
    for number in range(5):
        await store.audit(an_audit_row(number))
    assert [row.subject for row in await store.audit_trail(2, after=2)] == ["p2", "p3"]


async def test_an_audit_row_with_a_key_is_written_once(store: SqlStore, other: SqlStore) -> None:
    await at_once(*(one.audit(an_audit_row(1, key="vote-p1")) for one in (store, other) * 3))
    await store.audit(an_audit_row(2))
    await store.audit(an_audit_row(2))
    assert [row.key for row in await store.audit_trail(10)] == ["vote-p1", None, None]


async def test_the_audit_chain_holds_when_two_processes_append_at_once(store: SqlStore, other: SqlStore) -> None:
    await at_once(*((store if n % 2 else other).audit(an_audit_row(n)) for n in range(30)))
    trail = list(await store.audit_trail(100))
    assert len(trail) == 30
    assert [row.hash for row in trail] == recompute(trail)


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'U2'", "DELETE FROM audit"])
async def test_the_database_refuses_to_change_the_audit_log(store: SqlStore, url: str, change: str) -> None:
    await store.audit(an_audit_row())
    with pytest.raises(DBAPIError, match="never changed"):
        await run_sql(url, change)


# --- All of it -------------------------------------------------------------------------------------------------------


async def test_everything_is_still_there_for_the_next_process(store: SqlStore, url: str) -> None:
    await store.keep_proposal(a_proposal())
    await store.keep_vote(a_vote(a_proposal()))
    await store.close()
    following = SqlStore(url)
    stored = await following.proposal("p1")
    await following.close()
    assert stored is not None
    assert stored.votes == (a_vote(a_proposal()),)


async def test_a_cancelled_write_leaves_the_store_usable(store: SqlStore) -> None:
    task = asyncio.create_task(store.keep_signals([a_signal(number) for number in range(5_000)], NOW))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.keep_signals([a_signal(1)], NOW) == 1
