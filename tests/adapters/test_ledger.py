"""Canton over real connections: what is read of its ledger, and what becomes of commands."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import SecretStr

from bot.actions.canton.motions import put
from bot.adapters.ledger_writes import CantonWrites
from bot.domain.canton import SERVICES, Answer, Command, Motion, Party, Purpose
from bot.drill.ledger import Ledger
from bot.drill.ledger.access import right
from bot.errors import RefusedError, UnavailableError
from tests.drill.test_published_shapes import CANTON, FOLDER, content, description
from tests.drill.test_published_shapes import wrongs as published_wrongs
from tests.world import canton_shapes
from tests.world.recorder import Recorder, recording

SERVICE = "CantonLending:CantonLendingService"


@pytest.fixture
async def practice(tmp_path: Path) -> AsyncIterator[Ledger]:
    part = Ledger(timelock=timedelta(0))
    await part.start(tmp_path)
    yield part
    await part.stop()


def client(practice: Ledger, url: str = "", **changed: Any) -> CantonWrites:
    tokens = {"guardian_token": SecretStr(practice.token), "operator_token": SecretStr(practice.operator_token)}
    token = changed.pop("token", SecretStr(practice.token))
    return CantonWrites(url or practice.url, token, package="musd-protocol", **(tokens | changed))


@pytest.fixture
async def canton(practice: Ledger) -> AsyncIterator[CantonWrites]:
    made = client(practice)
    yield made
    await made.close()


async def pausing(canton: CantonWrites, *, paused: bool = True) -> Command:
    service = next(one for one in await canton.services() if one.template == SERVICE)
    return Command(
        by=Party.OPERATOR,
        template=SERVICE,
        contract_id=service.contract_id,
        choice="Lending_SetPaused",
        argument={"newPaused": paused},
    )


async def lending(canton: CantonWrites) -> list[bool]:
    return [one.paused for one in await canton.services() if one.template == SERVICE]


async def test_the_version_is_told(canton: CantonWrites) -> None:
    assert await canton.version() == "3.6.0-practice"


async def test_the_ledgers_end_has_an_age(canton: CantonWrites) -> None:
    end = await canton.end()
    assert end.at is not None
    assert datetime.now(UTC) - end.at < timedelta(seconds=30)


async def test_two_live_contracts_of_a_service_are_both_reported(practice: Ledger, canton: CantonWrites) -> None:
    await practice.inflict({"fault": "nonconsuming-set-paused"})
    await canton.submit(await pausing(canton), "pause-1")
    assert sorted(await lending(canton)) == [False, True]


async def test_more_holdings_than_one_answer_takes_are_read_in_pages(practice: Ledger, canton: CantonWrites) -> None:
    await practice.inflict({"fault": "many-contracts"})
    assert await canton.supply() == Decimal(4_000_000)


async def test_governance_says_who_decides_and_how_many(canton: CantonWrites) -> None:
    said = await canton.governance()
    assert (said.standard, said.elevated, len(said.governors)) == (2, 3, 5)


async def test_the_pause_state_shows_old_votes(practice: Ledger, canton: CantonWrites) -> None:
    await practice.inflict({"fault": "old-vote"})
    state = await canton.pause_state()
    assert state is not None
    assert state.votes == practice.guardians[-1:]


async def test_the_bots_guardian_is_the_one_its_user_may_act_as(practice: Ledger, canton: CantonWrites) -> None:
    assert await canton.guardian() == practice.guardians[0]


async def test_a_user_with_two_guardian_parties_acts_as_none(practice: Ledger, canton: CantonWrites) -> None:
    practice.access.users["musd-bot"].append(right("CanActAs", practice.guardians[1]))
    with pytest.raises(RefusedError, match="may act as 2 of the guardian parties"):
        await canton.guardian()


async def test_without_a_guardians_token_there_is_no_guardian(practice: Ledger) -> None:
    canton = client(practice, guardian_token=SecretStr(""))
    with pytest.raises(RefusedError, match="holds no guardian party"):
        await canton.guardian()
    await canton.close()


# What becomes of a command


async def test_a_command_is_carried_out(canton: CantonWrites) -> None:
    assert await canton.submit(await pausing(canton), "pause-1") is Answer.DONE
    assert await lending(canton) == [True]


async def test_the_same_command_id_again_is_a_duplicate(canton: CantonWrites) -> None:
    await canton.submit(await pausing(canton), "pause-1")
    assert await canton.submit(await pausing(canton, paused=False), "pause-1") is Answer.DUPLICATE
    assert await lending(canton) == [True]


async def test_a_locked_contract_is_contention(practice: Ledger, canton: CantonWrites) -> None:
    await practice.inflict({"fault": "contention"})
    assert await canton.submit(await pausing(canton), "pause-1") is Answer.CONTENDED


async def test_a_contract_that_somebody_used_up_is_contention(canton: CantonWrites) -> None:
    late = await pausing(canton)
    await canton.submit(late, "pause-1")
    assert await canton.submit(late, "pause-2") is Answer.CONTENDED


async def test_an_answer_that_never_comes_is_lost(practice: Ledger, canton: CantonWrites) -> None:
    command = await pausing(canton)
    await practice.inflict({"fault": "lost-answer"})
    assert await canton.submit(command, "pause-1") is Answer.LOST
    assert await lending(canton) == [True]


async def test_a_failed_assertion_is_refused_with_the_protocols_word(practice: Ledger, canton: CantonWrites) -> None:
    feed = practice.book.of("CantonLending:CantonPriceFeed")[0]["id"]
    too_far = Command(
        by=Party.OPERATOR,
        template="CantonLending:CantonPriceFeed",
        contract_id=feed,
        choice="PriceFeed_Update",
        argument={"newPriceUsd": "9.0", "newSource": "test"},
    )
    with pytest.raises(RefusedError, match="PRICE_MOVE_TOO_LARGE"):
        await canton.submit(too_far, "price-1")


async def test_a_missing_right_is_named(practice: Ledger) -> None:
    canton = client(practice, operator_token=SecretStr(practice.token))
    with pytest.raises(UnavailableError, match=re.escape(f"lacks the right CanActAs({practice.operator})")):
        await canton.submit(await pausing(canton), "pause-1")
    await canton.close()


async def test_a_revoked_token_says_what_to_do(practice: Ledger, canton: CantonWrites) -> None:
    await practice.inflict({"fault": "unauthorized"})
    with pytest.raises(UnavailableError) as refused:
        await canton.version()
    assert "UNAUTHENTICATED (HTTP 401)" in refused.value.happened


# The published shapes


def wrongs(schema: Any, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:120]}" for error in Draft202012Validator(schema).iter_errors(value)]


async def conversation(practice: Ledger) -> Recorder:
    """Everything the bot asks and commands, with an answer in pages and a refusal in it."""
    async with recording(practice.url) as recorder:
        canton = client(practice, url=recorder.url)
        await practice.inflict({"fault": "many-contracts"})
        for ask in (canton.version, canton.end, canton.services, canton.prices, canton.supply, canton.governance):
            await ask()
        for look in (canton.ballots, canton.proofs, canton.pause_state, canton.guardian):
            await look()
        await put(canton, Motion(purpose=Purpose.PAUSE, services=SERVICES), "k1", "because")
        await canton.submit(await pausing(canton), "pause-1")
        await canton.submit(await pausing(canton), "pause-1")
        await canton.close()
    return recorder


async def test_everything_said_has_the_shapes_we_wrote_down(practice: Ledger) -> None:
    recorder = await conversation(practice)
    found = []
    for path, body, status, said in recorder.heard:
        if body is not None:
            found += wrongs(canton_shapes.REQUESTS[path], body)
        found += wrongs(canton_shapes.ANSWERS[path] if status == 200 else canton_shapes.REFUSAL, said)
    assert found == []
    assert {path for path, *_ in recorder.heard} == set(canton_shapes.ANSWERS)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no published interface descriptions in {FOLDER}")
async def test_everything_said_is_as_published(practice: Ledger) -> None:
    found = []
    for path, body, status, said in (await conversation(practice)).heard:
        operation = description(CANTON)["paths"][path]["get" if body is None else "post"]
        if body is not None:
            found += published_wrongs(CANTON, content(operation["requestBody"]) or {}, body)
        spoken = operation["responses"].get(str(status)) or operation["responses"]["default"]
        found += published_wrongs(CANTON, content(spoken) or {}, said)
    assert found == []
