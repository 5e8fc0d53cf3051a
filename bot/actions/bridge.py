"""Pausing the bridge as the first step of something else: a restore, or a rotation after a compromise."""

from bot.actions.pause import STOPS, EmergencyPause, carry_out
from bot.domain.action import Outcome, PlanStep, StepResult
from bot.domain.probe import State
from bot.ports import Journal, Writes

BRIDGE = "BLE_BRIDGE"
STAGE = "Pause the bridge"


async def pause_first(writes: Writes, journal: Journal) -> StepResult:
    """Pause it with the pausing key; a bridge that is paused already is done."""
    if writes.pause is None:
        text = "This bot has no pausing key. Nothing was changed: pause the bridge by hand, then propose this again."
        return StepResult(name=BRIDGE, outcome=Outcome.FAILED, text=text)
    return (await carry_out(EmergencyPause(contracts=(BRIDGE,)), writes, journal)).steps[0]


async def pause_planned(writes: Writes) -> PlanStep:
    """The same in a plan, with its dry run."""
    name, stops = STOPS[BRIDGE]
    if writes.pause is None:
        text = "this bot has no pausing key: pause the bridge by hand first"
        return PlanStep(name=name, target="", call="pause()", stops=stops, simulation=State.BAD, simulated=text)
    call = writes.pause.call(BRIDGE)
    [dry] = await writes.pause.simulate([call])
    return PlanStep(
        name=name,
        target=call.address,
        call=call.signature,
        stops=stops,
        simulation=dry.state,
        simulated=dry.text,
        already=dry.paused is True,
    )
