"""Canton's part in the plan of the emergency pause. It is shown; Ethereum waits for nothing of it."""

import asyncio
from collections.abc import Sequence

from bot.actions.canton.motions import span
from bot.domain.action import PlanStep
from bot.domain.canton import Motion, short
from bot.domain.probe import State
from bot.errors import BotError
from bot.ports import CantonService, LedgerWrites

_PATIENCE = 1.5
"""Seconds that Canton gets to answer before the plan is shown without it."""


async def planned(motion: Motion | None, ledger: LedgerWrites | None) -> tuple[PlanStep, ...]:
    """One step for all of Canton, or none. Never raises."""
    if motion is None:
        return ()
    if ledger is None:
        return (_step(motion, State.UNKNOWN, "no participant is configured"),)
    try:
        async with asyncio.timeout(_PATIENCE):
            services, needed = await asyncio.gather(ledger.services(), _needed(motion, ledger))
    except TimeoutError:
        return (_step(motion, State.UNKNOWN, f"no answer from Canton within {_PATIENCE:g} s"),)
    except BotError as error:
        return (_step(motion, State.UNKNOWN, error.sentences()),)
    mine = [one for one in services if one.template in motion.services]
    done = {one.template for one in mine} == set(motion.services) and all(one.paused for one in mine)
    step = _step(motion, State.OK, f"{_running(mine)}; {needed}")
    return (step.model_copy(update={"already": done}),)


async def _needed(motion: Motion, ledger: LedgerWrites) -> str:
    """Who has to say yes. Raises `RefusedError` where the bot can't even ask."""
    governance, guardian = await ledger.governance(), await ledger.guardian()
    threshold = f"{governance.threshold(motion.action_type)} of {len(governance.governors)} guardians"
    own = guardian.partition("::")[0]
    return (
        f"{threshold} have to vote on the ledger, the bot's own ({own}) at once; timelock {span(governance.timelock)}"
    )


def _running(services: Sequence[CantonService]) -> str:
    running = sum(not one.paused for one in services)
    return f"{running} of {len(services)} active service contracts run now"


def _step(motion: Motion, state: State, said: str) -> PlanStep:
    return PlanStep(
        name="Canton: " + ", ".join(short(one) for one in motion.services),
        target="Governance",
        call=f"{motion.action_type} motion, beside Ethereum",
        stops="nothing at once: Canton's guardians are asked, and Ethereum does not wait for them",
        simulation=state,
        simulated=said,
    )
