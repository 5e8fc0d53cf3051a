"""What the three rotations share: waiting for a secret to be put there, and the calls on the bridge as stages."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from pydantic import BaseModel, ConfigDict

from bot.actions import onchain
from bot.actions.onchain import Words
from bot.actions.stages import ENDED_WELL, told
from bot.domain.action import Outcome, PlanStep, Receipt, StepResult
from bot.domain.handover import Handover
from bot.domain.onchain import OnchainStep
from bot.domain.probe import State
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import Infrastructure, Journal, Progress, Rotation, Writes

WORDS = Words()
FORGET = "Old value out of the Secret"
REVOKE, GRANT = "Revoke the old on chain", "Put the new one on chain"
_LOOK_AGAIN = 2.0
_PROMPTED = {
    "relay-key": "musd-bot rotate relay-key --address {announced}",
    "canton-token": "musd-bot rotate canton-token",
}


class Placed(BaseModel):
    """What became of putting a secret there."""

    model_config = ConfigDict(frozen=True)

    fact: str
    by: str
    """How the value came: from its source, or by whose local prompt; empty where it did not come."""


def rotation(infra: Infrastructure) -> Rotation:
    """What rotating takes.

    Raises:
        RefusedError: this bot rotates nothing.
    """
    if infra.rotation is None:
        raise RefusedError("This bot rotates no keys.", means="Nothing was changed.")
    return infra.rotation


async def placed(
    secret: str, old: str, announced: str, rotating: Rotation, journal: Journal, say: Progress, *, holder: str = ""
) -> StepResult:
    """Have the new value in its Secret: from its source, or from somebody's local prompt, which is waited for.

    Args:
        secret: which.
        old: the fact of the value that is to go.
        announced: the fact of the new one; empty where any other than the old one is meant, as with tokens.
        rotating: where secrets are.
        journal: of the execution.
        say: told what to type, where somebody has to.
        holder: whose value it has to be, where that is another's than before.
    """

    async def there() -> Placed:
        present = await rotating.secrets.fact(secret)
        if _is_new(present, old, announced):
            return Placed(fact=present, by=await _by(secret, rotating) or "from elsewhere: it was there already")
        obtained = await rotating.secrets.obtain(secret, announced, holder=holder)
        if obtained:
            return Placed(fact=obtained, by="from its source, by reference")
        command = _PROMPTED[secret].format(announced=announced)
        whose = f", a value of {holder}" if holder else ""
        await say(f"Waiting for the new value{whose}. On a machine of yours, where nobody looks on: `{command}`")
        return await _prompted(secret, old, announced, rotating)

    try:
        found = await journal.step(f"{secret} placed", there, Placed)
    except BotError as error:
        return StepResult(name=secret, outcome=Outcome.FAILED, text=error.sentences())
    if not found.by:
        minutes = rotating.patience.total_seconds() / 60
        text = f"nobody has put the new value there within {minutes:g} min. Run the prompt, then go on from here."
        return StepResult(name=secret, outcome=Outcome.FAILED, text=text, evidence={"there": found.fact})
    evidence = {"before": old, "now": found.fact, "by": found.by}
    return StepResult(name=secret, outcome=Outcome.DONE, text="the Secret has the new value", evidence=evidence)


async def _prompted(secret: str, old: str, announced: str, rotating: Rotation) -> Placed:
    loop = asyncio.get_running_loop()
    end, present = loop.time() + rotating.patience.total_seconds(), ""
    while loop.time() < end:
        try:
            present = await rotating.secrets.fact(secret)
        except UnavailableError:
            present = ""
        if _is_new(present, old, announced):
            return Placed(fact=present, by=await _by(secret, rotating) or "by hand, of whom nothing is said")
        await asyncio.sleep(_LOOK_AGAIN)
    return Placed(fact=present or "unknown", by="")


async def _by(secret: str, rotating: Rotation) -> str:
    """Whose local prompt it came by, as that machine says: whoever may write the Secret could say anything."""
    typed = ""
    with suppress(UnavailableError):  # the value is there, which is what counts
        typed = await rotating.secrets.typed_by(secret)
    return f"by a local prompt of {typed} (by that machine's own word)" if typed else ""


def _is_new(present: str, old: str, announced: str) -> bool:
    if announced:
        return present.lower() == announced.lower()
    return bool(present) and present != old


async def on_chain(place: str, step: OnchainStep, writes: Writes, journal: Journal) -> StepResult:
    """One call on the bridge."""
    return await onchain.carried_out(place, step, writes, WORDS, journal)


async def on_chain_planned(step: OnchainStep, writes: Writes) -> PlanStep:
    """The same in a plan, with its dry run."""
    if writes.views is None:
        raise RefusedError("This bot has no Ethereum RPC to look at contracts with.", means="Nothing was changed.")
    return onchain.planned(step, await onchain.look(step, writes, WORDS), writes.views)


async def handover(
    title: str, made_for: str, receipt: Receipt, calls: Sequence[tuple[str, OnchainStep]], writes: Writes
) -> Handover | None:
    """The calls whose stage was handed over, for people to send."""
    handed = {one.name for one in receipt.steps if one.outcome is Outcome.HANDED}
    left = [step for stage, step in calls if stage in handed]
    if not left or writes.views is None:
        return None
    return await onchain.handed_over(title, "The bot's key may not send this.", left, writes.views, made_for=made_for)


def words(name: str, call: str, stops: str, *, target: str, already: bool = False) -> PlanStep:
    """A step of a plan that has no dry run: what it takes is known only when it is its turn."""
    return PlanStep(
        name=name,
        target=target,
        call=call,
        stops=stops,
        simulation=State.UNKNOWN,
        simulated="not tried: what it takes is looked at when it is its turn",
        already=already,
    )


async def forgotten(secret: str, rotating: Rotation, journal: Journal) -> StepResult:
    """The old value, taken out of the cluster: from here on there is no rolling back."""

    async def forget() -> str:
        await rotating.secrets.forget(secret)
        return "the cluster has the new value alone"

    return await told(journal, f"{secret} forgotten", forget)


def began(receipt: Receipt) -> bool:
    """Whether it stopped half-way: something is done, or may be, and something is left."""
    ends = {one.outcome for one in receipt.steps}
    return not receipt.complete and bool(ends & {Outcome.DONE, Outcome.UNKNOWN})


def notes(receipt_steps: Sequence[StepResult], *, compromised: bool, back: str) -> tuple[str, ...]:
    """Where it stopped, how to go on, and how to go back from there."""
    left = [one for one in receipt_steps if one.outcome not in ENDED_WELL]
    if compromised:
        paused = "The bridge stays paused: unpausing is a proposal of its own."
        return (paused, "No way back is offered: the old key is taken to be somebody else's.")
    if not left:
        return ()
    done = ", ".join(f"«{one.name}»" for one in receipt_steps if one.outcome is Outcome.DONE) or "nothing"
    where = f"It stopped at «{left[0].name}»; done before that: {done}."
    return (f"{where} «Go on…» does the rest: what is done is looked at and skipped.", back)
