"""What a motion changes once its proof is in hand: services set, a price written, a pause state taken back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from bot.actions.canton import commands
from bot.actions.canton.motions import feed_of
from bot.actions.canton.sending import Seen, Step, send
from bot.domain.action import Outcome, PlanStep, StepResult
from bot.domain.canton import EMERGENCY_REST, LARGEST_MOVE, Command, Motion, Proof, Purpose, short
from bot.domain.probe import State
from bot.ports import CantonPrice, CantonService, LedgerWrites

Effect = Callable[[Motion, LedgerWrites, str, Proof | None], Callable[[], Awaitable[StepResult]]]
"""From the motion, the ledger, the proposal's key and the proof: the work of one step."""
USED_UP = frozenset({Purpose.PAUSE, Purpose.UNPAUSE, Purpose.PRICE, Purpose.EMERGENCY_PRICE})
"""Purposes that are served once the bot is through; the proof of the others is for the operator's own tools."""
_DONE = frozenset({Outcome.DONE, Outcome.SKIPPED})


def of(motion: Motion) -> Sequence[Effect]:
    """The steps, in order."""
    services = [_service(template) for template in motion.services]
    if motion.purpose is Purpose.UNPAUSE:
        return [*services, _resume]
    if motion.purpose is Purpose.PAUSE:
        return services
    return [_price] if motion.price is not None else [_by_the_operator]


async def planned(motion: Motion, ledger: LedgerWrites) -> Sequence[PlanStep]:
    """The same steps as a plan shows them."""
    if motion.services:
        found = await ledger.services()
        return [_planned(motion, template, found) for template in motion.services]
    if motion.price is not None:
        feed = await feed_of(ledger, motion.symbol)
        why = await premature(motion, ledger)
        choice = "PriceFeed_EmergencyUpdate" if motion.purpose is Purpose.EMERGENCY_PRICE else "PriceFeed_Update"
        said = why or f"from {feed.usd.normalize():f} to {motion.price.normalize():f} USD"
        state = State.BAD if why else State.OK
        return [
            _plan_step(
                f"{motion.symbol} price", commands.PRICE_FEED, choice, "the price that Canton lends by", state, said
            )
        ]
    said = "the bot knows no choice for it: the proof authorises the operator"
    return [
        _plan_step(motion.title, motion.target_module, motion.action_type, "nothing by itself", State.UNKNOWN, said)
    ]


async def premature(motion: Motion, ledger: LedgerWrites) -> str:
    """Why the feed would refuse this price now: found out before the proof is made, since it is good only once."""
    if motion.price is None:
        return ""
    feed = await feed_of(ledger, motion.symbol)
    move = abs(motion.price - feed.usd) / feed.usd if feed.usd else LARGEST_MOVE * 2
    if motion.purpose is Purpose.PRICE and move > LARGEST_MOVE:
        return f"the feed is at {feed.usd.normalize():f} USD now: a move of {move:.0%} takes an override"
    ready = feed.updated_at + EMERGENCY_REST
    if motion.purpose is Purpose.EMERGENCY_PRICE and ready > datetime.now(UTC):
        return (
            f"the feed was updated at {feed.updated_at:%H:%M:%S} UTC: an override is taken from {ready:%H:%M:%S} UTC on"
        )
    return ""


async def settled(motion: Motion, step: StepResult, ledger: LedgerWrites) -> StepResult:
    """A service's line, brought up to date with what its contracts say now."""
    if step.outcome in _DONE or step.name not in {short(one) for one in motion.services}:
        return step
    wanted = motion.purpose is Purpose.PAUSE
    found = [one for one in await ledger.services() if one.name == step.name]
    if not found or any(one.paused is not wanted for one in found):
        return step
    text = f"{_word(paused=wanted)}: every active contract of it says so now"
    return StepResult(name=step.name, outcome=Outcome.DONE, text=text, evidence=_evidence(found))


def _service(template: str) -> Effect:
    def effect(motion: Motion, ledger: LedgerWrites, key: str, _: Proof | None) -> Callable[[], Awaitable[StepResult]]:
        return lambda: _set(ledger, template, key, paused=motion.purpose is Purpose.PAUSE)

    return effect


async def _set(ledger: LedgerWrites, template: str, key: str, *, paused: bool) -> StepResult:
    """Set each active contract of one service, then read all of them again: that is the outcome."""
    name = short(template)
    sent = [
        await send(ledger, _set_step(ledger, one, key, paused=paused))
        for one in await _contracts(ledger, template)
        if one.paused is not paused
    ]
    now = await _contracts(ledger, template)
    wrong = [one for one in now if one.paused is not paused]
    evidence = _evidence(now)
    if not now:
        return StepResult(name=name, outcome=Outcome.UNKNOWN, text="no active contract of it can be read")
    if not wrong:
        text = _word(paused=paused)
        text += f": all {len(now)} active contracts say so" if len(now) > 1 else ""
        outcome = Outcome.DONE if sent else Outcome.SKIPPED
        return StepResult(name=name, outcome=outcome, text=text if sent else f"{text} already", evidence=evidence)
    worst = next((one for one in sent if one.outcome not in _DONE), None)
    if worst is not None and len(now) == len(wrong):
        return worst.model_copy(update={"name": name, "evidence": {**worst.evidence, **evidence}})
    told = f"NOT {_word(paused=paused)}: {len(wrong)} of {len(now)} active contracts still say otherwise"
    text = f"{told}. SetPaused left the old contract alive beside the new one" if len(now) > 1 else told
    return StepResult(name=name, outcome=Outcome.FAILED, text=text, evidence=evidence)


def _set_step(ledger: LedgerWrites, service: CantonService, key: str, *, paused: bool) -> Step:
    async def look() -> Seen:
        same = next((one for one in await ledger.services() if one.contract_id == service.contract_id), None)
        if same is None or same.paused is paused:
            return Seen(done=_word(paused=paused))
        return Seen(command=commands.set_paused(same, paused=paused))

    return Step(
        name=service.name,
        id=f"set:{key}:{service.contract_id}",
        look=look,
        stubborn="the ledger took it, and this contract still says otherwise",
    )


async def _contracts(ledger: LedgerWrites, template: str) -> list[CantonService]:
    return [one for one in await ledger.services() if one.template == template]


def _resume(motion: Motion, ledger: LedgerWrites, key: str, proof: Proof | None) -> Callable[[], Awaitable[StepResult]]:
    async def look() -> Seen:
        state = await ledger.pause_state()
        if state is None or not state.paused:
            return Seen(done="EmergencyPauseState does not say paused")
        if proof is None:
            return Seen(blocked="NOT DONE: it takes the proof")
        if any(one.paused for one in await ledger.services() if one.template in motion.services):
            return Seen(blocked="NOT DONE: not every service runs yet, and this would use the proof up")
        return Seen(command=commands.resume(state, proof))

    return lambda: send(ledger, Step(name="EmergencyPauseState", id=f"resume:{key}", look=look))


def _price(motion: Motion, ledger: LedgerWrites, key: str, proof: Proof | None) -> Callable[[], Awaitable[StepResult]]:
    price = motion.price
    if price is None:
        raise TypeError("a motion without a price")

    async def look() -> Seen:
        feed = await feed_of(ledger, motion.symbol)
        if key in feed.source:
            return Seen(done=f"{feed.usd.normalize():f} USD, from {feed.source}")
        return Seen(command=_price_command(motion, feed, key, proof))

    return lambda: send(ledger, Step(name=f"{motion.symbol} price", id=f"price:{key}", look=look))


def _price_command(motion: Motion, feed: CantonPrice, key: str, proof: Proof | None) -> Command:
    """The feed's source then names the proposal: that is how the bot knows its own update."""
    price, source = motion.price or feed.usd, f"{motion.source or 'by hand'} ({key})"
    if motion.purpose is Purpose.EMERGENCY_PRICE and proof is not None:
        return commands.override_price(feed, price, source, proof)
    return commands.update_price(feed, price, source)


def _by_the_operator(
    motion: Motion, _ledger: LedgerWrites, key: str, proof: Proof | None
) -> Callable[[], Awaitable[StepResult]]:
    async def told() -> StepResult:
        text = "handed over: the guardians have approved it. The operator carries it out with this proof"
        evidence = {"proposal": key, "proof": proof.contract_id if proof else "", "payload": motion.payload(key)}
        return StepResult(name=motion.title, outcome=Outcome.HANDED, text=text, evidence=evidence)

    return told


def _planned(motion: Motion, template: str, found: Sequence[CantonService]) -> PlanStep:
    wanted = motion.purpose is Purpose.PAUSE
    mine = [one for one in found if one.template == template]
    right = sum(one.paused is wanted for one in mine)
    state = State.OK if len(mine) == 1 else State.UNKNOWN if not mine else State.BAD
    said = f"{right} of {len(mine)} active contracts say {_word(paused=wanted)}"
    does = "its users' calls stop" if wanted else "its users' calls work again"
    step = _plan_step(short(template), template, f"SetPaused({str(wanted).lower()})", does, state, said)
    return step.model_copy(update={"already": bool(mine) and right == len(mine)})


def _plan_step(name: str, target: str, call: str, stops: str, state: State, said: str) -> PlanStep:
    return PlanStep(name=name, target=target, call=call, stops=stops, simulation=state, simulated=said)


def _evidence(found: Sequence[CantonService]) -> dict[str, str]:
    return {f"{one.contract_id[:16]}…": _word(paused=one.paused) for one in found}


def _word(*, paused: bool) -> str:
    return "paused" if paused else "running"
