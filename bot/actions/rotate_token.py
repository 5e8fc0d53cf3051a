"""Key Rotation, Canton Token: a new one from Canton's admin API or a local prompt, then every deployment restarted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from bot.actions.bridge import STAGE, pause_first, pause_planned
from bot.actions.restart import infrastructure
from bot.actions.rollout import Target, roll
from bot.actions.rotation import FORGET, forgotten, notes, placed, rotation, words
from bot.actions.stages import ENDED_WELL, Stage, through
from bot.domain.action import Action, Outcome, Plan, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.policy import ROTATE, Policy
from bot.ports import CANTON_TOKEN, How, Journal, Writes

_REVOKE, _PLACE = "Revoke the old token", "New token in the Secret"
_BY_PEOPLE = (
    "the ledger still takes the old token. By people, now, with a token of the participant's admin: set isDeactivated "
    "on its user (PATCH /v2/users/ID), and make another user with the same rights. «Go on…» tries the old token again, "
    "and goes on when the ledger refuses it."
)


class RotateCantonToken(Action):
    """Put a new Canton token in the place of the old one."""

    kind: ClassVar[str] = "rotate-canton-token"
    policy: ClassVar[Policy] = ROTATE

    old: str
    """The fingerprint of the token that is to go."""
    new: str = ""
    """The fingerprint of the one to put there; empty for any new one."""
    compromised: bool = False
    """Whether somebody else may have the old token."""
    mark: str = ""
    """Tells the user that takes the old one's place after a compromise from any other."""
    back: bool = False
    """Whether this undoes a rotation that stopped half-way: ``new`` is the token that was there before."""

    @property
    def title(self) -> str:
        """What it does."""
        if self.back:
            return "Roll back: the Canton token is the old one again"
        why = " (COMPROMISED: pause and revoke first)" if self.compromised else ""
        return f"Rotate the Canton token{why}"

    @property
    def rotates(self) -> str:
        """The Canton token."""
        return CANTON_TOKEN


@dataclass
class _Run:
    """One execution: what its stages share."""

    action: RotateCantonToken
    writes: Writes
    journal: Journal
    holder: str = ""
    """After a compromise: who has taken the place of the old token's user."""


def _rotation(action: Action) -> RotateCantonToken:
    if not isinstance(action, RotateCantonToken):
        raise TypeError(f"{type(action).__name__} rotates no Canton token")
    return action


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    one, infra = _rotation(action), infrastructure(writes)
    users = rotation(infra).users
    return {
        "namespace": infra.cluster.where,
        "old": one.old,
        "new": one.new,
        "compromised": one.compromised,
        "back": one.back,
        "deactivates": users.user if users and one.compromised else "",
        "restarts": list(infra.cluster.names),
    }


async def _plan(action: Action, writes: Writes) -> Plan:
    one, infra = _rotation(action), infrastructure(writes)
    where = infra.cluster.where
    present = await rotation(infra).secrets.fact(CANTON_TOKEN)
    there = present == one.new if one.new else present not in {"", one.old}
    steps = [words(CANTON_TOKEN, "a new value in its Secret", "nothing yet", target=where, already=there)]
    steps += [
        words(name, "restart, and ask whether it is well", "it, while it is away", target=where)
        for name in infra.cluster.names
    ]
    forget = words(FORGET, "the value before is taken out", "rolling back", target=where)
    steps.append(forget)
    if one.compromised:
        users = rotation(infra).users
        call = f"deactivate its user {users.user}; another takes over its rights" if users else "by people"
        revoke = words(_REVOKE, call, "everything that uses this user's tokens", target="Canton")
        steps = [await pause_planned(writes), revoke, *steps]
    return Plan(
        steps=tuple(steps),
        cautions=(
            "The new token's value is asked for by a local prompt, or from Canton's admin API: never type it here.",
        ),
        binding=await _binding(action, writes),
    )


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    run = _Run(_rotation(approval.proposal.action), writes, journal)
    one, results = run.action, await through(_stages(run))
    finished = await journal.step("finish", _now, datetime)
    back = "«Roll back…» undoes it: the old token, kept in the Secret until the end, is put there again."
    said = notes(results, compromised=one.compromised, back=back)
    return Receipt(steps=tuple(results), finished_at=finished, notes=(*_later(run), *said))


def _later(run: _Run) -> tuple[str, ...]:
    """What is left to people in any case."""
    if run.holder:
        return (f"Set the bot's MUSD_CANTON_TOKEN_USER to {run.holder}: its tokens are rotated from now on.",)
    if run.action.compromised:
        return ()
    return ("The old token is valid until it expires: revoke it at whoever issues them, now that nothing uses it.",)


def _stages(run: _Run) -> Sequence[Stage]:
    one, journal, infra, say = run.action, run.journal, infrastructure(run.writes), run.writes.progress
    rotating = rotation(infra)

    async def restarted(name: str) -> StepResult:
        return (await roll(Target(name=name), infra, journal, say))[-1]

    async def token() -> StepResult:
        return await placed(CANTON_TOKEN, one.old, one.new, rotating, journal, say, holder=run.holder)

    restarts: list[Stage] = [(f"Restart {name}", partial(restarted, name)) for name in infra.cluster.names]
    rest: list[Stage] = [(_PLACE, token), *restarts, (FORGET, lambda: forgotten(CANTON_TOKEN, rotating, journal))]
    if one.compromised:
        return [(STAGE, lambda: pause_first(run.writes, journal)), (_REVOKE, lambda: _revoke(run)), *rest]
    return rest


async def _revoke(run: _Run) -> StepResult:
    """Deny the old token's user everything; what counts is that the ledger turns the old token down."""
    rotating = rotation(infrastructure(run.writes))
    if rotating.users is not None:
        await run.journal.step("user deactivated", rotating.users.deactivate, type(None))
        run.holder = await run.journal.step("user succeeded", lambda: _successor(run), str)
    refused = await run.journal.step("old refused", lambda: rotating.secrets.refused(CANTON_TOKEN, run.action.old), str)
    if refused:
        evidence = {"old": run.action.old, "the ledger's answer": refused, "successor": run.holder or "by people"}
        return StepResult(name="", outcome=Outcome.DONE, text="the ledger refuses the old token", evidence=evidence)
    if rotating.users is not None:
        text = f"{rotating.users.user} is deactivated, yet the ledger takes the old token: is it another user's?"
        return StepResult(name="", outcome=Outcome.FAILED, text=text)
    return StepResult(name="", outcome=Outcome.HANDED, text=_BY_PEOPLE)


async def _successor(run: _Run) -> str:
    users = rotation(infrastructure(run.writes)).users
    return await users.succeed(run.action.mark) if users else ""


def _rest(action: Action, receipt: Receipt) -> Action | None:
    """The same again: a token that is there already is looked at and left."""
    return None if all(step.outcome in ENDED_WELL for step in receipt.steps) else action


def _back(action: Action, receipt: Receipt) -> Action | None:
    """The old token again, once there is a new one."""
    one = _rotation(action)
    now = next((step.evidence.get("now") for step in receipt.steps if step.name == _PLACE), None)
    if one.compromised or one.back or not now or receipt.complete:
        return None
    return RotateCantonToken(old=str(now), new=one.old, back=True)


async def _now() -> datetime:
    return datetime.now(UTC)


HOW = How(kind=RotateCantonToken, binding=_binding, plan=_plan, run=_run, rest=_rest, back=_back)
