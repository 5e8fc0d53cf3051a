"""Motions on a ledger of their own: put, closed, carried out, each once, whatever happens to an answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.actions.canton import carrying, commands
from bot.actions.canton.carrying import CarryMotion
from bot.actions.canton.motions import PutMotion, put, trigger
from bot.adapters.ledger_writes import CantonWrites
from bot.domain.action import Outcome, Receipt, StepResult
from bot.domain.canton import SERVICES, Motion, Purpose
from bot.drill.ledger import Ledger
from bot.ports import Writes
from tests.world.bench import Bench, Mortal, proposed
from tests.world.guardians import PROOF, Guardians

PAUSE = Motion(purpose=Purpose.PAUSE, services=SERVICES)
UNPAUSE = Motion(purpose=Purpose.UNPAUSE, services=SERVICES)
OVERRIDE = Motion(purpose=Purpose.EMERGENCY_PRICE, symbol="CTN", price=Decimal("0.9"))


@pytest.fixture
async def practice(tmp_path: Path) -> AsyncIterator[Ledger]:
    part = Ledger(timelock=timedelta(0))
    await part.start(tmp_path)
    yield part
    await part.stop()


def client(practice: Ledger, **changed: Any) -> CantonWrites:
    tokens = {"guardian_token": SecretStr(practice.token), "operator_token": SecretStr(practice.operator_token)}
    return CantonWrites(practice.url, SecretStr(practice.token), package="musd-protocol", **(tokens | changed))


@pytest.fixture
async def ledger(practice: Ledger) -> AsyncIterator[CantonWrites]:
    made = client(practice)
    yield made
    await made.close()


def bench(ledger: CantonWrites) -> Bench:
    signed: Any = None
    return Bench(Writes(signed=signed, pause=None, ledger=ledger))


async def vote(practice: Ledger, purpose: Purpose, *names: str) -> None:
    """Guardians vote; in a thread, since their client blocks."""
    await asyncio.to_thread(Guardians(practice.url).approve, purpose, *names)


async def approved(practice: Ledger, ledger: CantonWrites, motion: Motion, key: str) -> CarryMotion:
    """The motion, put and with its votes."""
    await put(ledger, motion, key, "because")
    await vote(practice, motion.purpose, "admin-1", "admin-2")
    return CarryMotion(motion=motion, key=key)


def outcomes(done: Receipt | tuple[StepResult, ...]) -> list[Outcome]:
    return [step.outcome for step in (done.steps if isinstance(done, Receipt) else done)]


async def paused(ledger: CantonWrites) -> list[bool]:
    return [one.paused for one in await ledger.services()]


def proofs(practice: Ledger) -> list[str]:
    return [one["arguments"]["proposalId"] for one in practice.book.of(PROOF)]


# Putting


async def test_the_bot_speaks_as_one_guardian_and_no_more(ledger: CantonWrites) -> None:
    await put(ledger, PAUSE, "k1", "because")
    (ballot,) = await ledger.ballots()
    assert (ballot.approvals, ballot.required) == ((await ledger.guardian(),), 3)


async def test_a_motion_put_twice_is_there_once(ledger: CantonWrites) -> None:
    await put(ledger, PAUSE, "k1", "because")
    again = await put(ledger, PAUSE, "k1", "because")
    assert outcomes(again.steps) == [Outcome.SKIPPED, Outcome.SKIPPED]
    assert len(await ledger.ballots()) == 1


@pytest.mark.parametrize("fault", ["contention", "lost-answer"])
async def test_races_and_lost_answers_are_settled_by_looking(
    practice: Ledger, ledger: CantonWrites, fault: str
) -> None:
    await practice.inflict({"fault": fault, "times": 2})
    done = await put(ledger, PAUSE, "k1", "because")
    assert outcomes(done.steps) == [Outcome.DONE, Outcome.DONE]
    assert len(await ledger.ballots()) == 1


async def test_a_second_pause_joins_the_one_that_is_open(ledger: CantonWrites) -> None:
    await put(ledger, PAUSE, "k1", "because")
    joined = await put(ledger, Motion(purpose=Purpose.PAUSE, services=SERVICES[:1]), "k2", "again")
    assert joined.key == "k1"
    assert len(await ledger.ballots()) == 1


async def test_an_unpause_closes_the_pauses_that_could_still_pass(ledger: CantonWrites) -> None:
    await put(ledger, PAUSE, "k1", "because")
    await put(ledger, UNPAUSE, "k2", "mended")
    assert [one.key for one in await ledger.ballots()] == ["k2"]


async def test_an_approved_pause_is_told_because_nobody_can_close_it(practice: Ledger, ledger: CantonWrites) -> None:
    await approved(practice, ledger, PAUSE, "k1")
    done = await put(ledger, UNPAUSE, "k2", "mended")
    assert done.steps[0].outcome is Outcome.FAILED
    assert "do not execute it" in done.steps[0].text


async def test_a_trigger_tells_the_votes_that_were_there_before(practice: Ledger, ledger: CantonWrites) -> None:
    await practice.inflict({"fault": "old-vote"})
    done = await trigger(ledger, "k1", "because")
    assert done.old_votes == practice.guardians[-1:]
    assert done.steps[0].text == "2 of 3 votes"


# Carrying out


async def test_deaths_at_every_step_double_nothing(practice: Ledger, ledger: CantonWrites) -> None:
    carry = await approved(practice, ledger, PAUSE, "k1")
    done = await bench(ledger).run(carry, Mortal("carry"))
    assert done.complete
    assert await paused(ledger) == [True] * 4
    assert proofs(practice) == []


async def test_deaths_at_every_step_of_an_unpause_double_nothing(practice: Ledger, ledger: CantonWrites) -> None:
    await bench(ledger).run(await approved(practice, ledger, PAUSE, "k1"))
    done = await bench(ledger).run(await approved(practice, ledger, UNPAUSE, "k2"), Mortal("carry"))
    assert done.complete
    assert await paused(ledger) == [False] * 4
    assert proofs(practice) == []


async def test_nothing_runs_before_the_votes_are_in(ledger: CantonWrites) -> None:
    await put(ledger, PAUSE, "k1", "because")
    done = await bench(ledger).run(CarryMotion(motion=PAUSE, key="k1"))
    assert outcomes(done) == [Outcome.FAILED]
    assert "pending, with 1 of 3 approvals" in done.steps[0].text


async def test_a_proof_serves_no_other_purpose(practice: Ledger, ledger: CantonWrites) -> None:
    await approved(practice, ledger, PAUSE, "k1")
    done = await bench(ledger).run(CarryMotion(motion=UNPAUSE, key="k1"))
    assert outcomes(done) == [Outcome.FAILED]
    assert "says something else than this" in done.steps[0].text


async def test_a_proof_serves_once(practice: Ledger, ledger: CantonWrites) -> None:
    carry = await approved(practice, ledger, PAUSE, "k1")
    await bench(ledger).run(carry)
    again = await bench(ledger).run(carry)
    assert "it was executed and used" in again.steps[0].text


def test_a_pauses_proof_never_fits_a_price() -> None:
    lending = Motion(purpose=Purpose.PAUSE, services=("CantonLending:CantonLendingService",))
    assert lending.target_module != OVERRIDE.target_module


async def test_two_live_contracts_keep_the_proof_and_are_reported(practice: Ledger, ledger: CantonWrites) -> None:
    carry = await approved(practice, ledger, PAUSE, "k1")
    await practice.inflict({"fault": "nonconsuming-set-paused"})
    done = await bench(ledger).run(carry)
    assert outcomes(done) == [Outcome.DONE, *[Outcome.FAILED] * 4, Outcome.SKIPPED]
    assert "1 of 2 active contracts still say otherwise" in done.steps[1].text
    assert proofs(practice) == ["k1"]


async def test_without_the_operators_token_the_commands_are_handed_over(practice: Ledger) -> None:
    ledger = client(practice, operator_token=SecretStr(""))
    done = await bench(ledger).run(await approved(practice, ledger, PAUSE, "k1"))
    assert outcomes(done) == [Outcome.DONE, *[Outcome.HANDED] * 4, Outcome.SKIPPED]
    assert done.steps[1].evidence["choice"] == "DirectMint_SetPaused"
    await ledger.close()


async def test_what_was_handed_over_is_watched_until_the_services_say_so(
    practice: Ledger, ledger: CantonWrites
) -> None:
    without = client(practice, operator_token=SecretStr(""))
    carry = await approved(practice, without, PAUSE, "k1")
    done, watching = await bench(without).run(carry), carrying.HOW.later
    assert watching is not None
    for service in await ledger.services():
        await ledger.submit(commands.set_paused(service, paused=True), f"by hand {service.name}")
    newer = await anext(watching(carry, "execute-1", done, bench(without).writes))
    assert outcomes(newer) == [Outcome.DONE, *[Outcome.DONE] * 4, Outcome.SKIPPED]
    await without.close()


async def test_unpausing_takes_the_pause_state_back_with_the_same_proof(practice: Ledger, ledger: CantonWrites) -> None:
    await trigger(ledger, "k1", "because")
    await asyncio.to_thread(Guardians(practice.url).trigger, "admin-1", "admin-2")
    done = await bench(ledger).run(await approved(practice, ledger, UNPAUSE, "k2"))
    assert done.complete
    state = await ledger.pause_state()
    assert state is not None
    assert state.paused is False


async def test_an_override_waits_for_the_thirty_minutes_and_keeps_its_proposal(
    practice: Ledger, ledger: CantonWrites
) -> None:
    done = await bench(ledger).run(await approved(practice, ledger, OVERRIDE, "k1"))
    assert outcomes(done) == [Outcome.FAILED]
    assert "an override is taken from" in done.steps[0].text
    assert [one.key for one in await ledger.ballots()] == ["k1"]


async def test_a_supply_cap_is_prepared_and_its_proof_left_to_the_operator(
    practice: Ledger, ledger: CantonWrites
) -> None:
    motion = Motion(purpose=Purpose.SUPPLY_CAP, amount=Decimal(12_000_000))
    await put(ledger, motion, "k1", "growth")
    await vote(practice, motion.purpose, "admin-1")
    done = await bench(ledger).run(CarryMotion(motion=motion, key="k1"))
    assert outcomes(done) == [Outcome.DONE, Outcome.HANDED]
    assert proofs(practice) == ["k1"]


async def test_the_plan_says_how_many_guardians_it_takes(ledger: CantonWrites) -> None:
    plan = (await proposed(PutMotion(motion=UNPAUSE), bench(ledger).writes)).plan
    assert "3 of 5 guardians have to approve on Canton" in plan.steps[0].simulated
