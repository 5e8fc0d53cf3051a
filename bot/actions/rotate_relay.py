"""Key Rotation, Relay Private Key: the new key's address is known, its value never is.

Secret, then on-chain, then the restart, and last the old key's role. After a compromise the bridge is paused and the
old key loses its role before anything else, and there is no way back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from pydantic import Field

from bot.actions import bridge_roles
from bot.actions.bridge import BRIDGE, STAGE, pause_first, pause_planned
from bot.actions.restart import infrastructure
from bot.actions.rollout import Target, roll
from bot.actions.rotation import (
    FORGET,
    GRANT,
    REVOKE,
    began,
    forgotten,
    handover,
    notes,
    on_chain,
    on_chain_planned,
    placed,
    rotation,
    words,
)
from bot.actions.stages import ENDED_WELL, Stage, failed, through
from bot.domain.action import Action, Plan, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.handover import Handover
from bot.domain.policy import ROTATE, Policy
from bot.errors import BotError, RefusedError
from bot.ports import RELAY_KEY, ContractViews, How, Journal, Writes

_ADDRESS = r"^0x[0-9a-fA-F]{40}$"
RELAY = "musd-relay"


class RotateRelayKey(Action):
    """Put the relay's new key in the place of its old one."""

    kind: ClassVar[str] = "rotate-relay-key"
    policy: ClassVar[Policy] = ROTATE

    old: str = Field(pattern=_ADDRESS)
    """The address of the key that is to go."""
    new: str = Field(pattern=_ADDRESS)
    """The announced address of the new one: what is put there has to derive it."""
    compromised: bool = False
    """Whether somebody else may have the old key."""
    back: bool = False
    """Whether this undoes a rotation that stopped half-way: ``new`` is the key that was there before."""

    @property
    def title(self) -> str:
        """``Rotate the relay's key to 0x…``."""
        if self.back:
            return f"Roll back: the relay's key is {self.new} again"
        why = " (COMPROMISED: pause and revoke first)" if self.compromised else ""
        return f"Rotate the relay's key to {self.new}{why}"

    @property
    def rotates(self) -> str:
        """The relay's."""
        return RELAY_KEY


def _rotation(action: Action) -> RotateRelayKey:
    if not isinstance(action, RotateRelayKey):
        raise TypeError(f"{type(action).__name__} rotates no relay key")
    if action.old.lower() == action.new.lower():
        raise RefusedError("The new address is the old one.", means="There is nothing to rotate.")
    return action


def _views(writes: Writes) -> ContractViews:
    if writes.views is None:
        raise RefusedError("This bot has no Ethereum RPC to look at contracts with.", means="Nothing was changed.")
    return writes.views


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    one, infra = _rotation(action), infrastructure(writes)
    return {
        "namespace": infra.cluster.where,
        "bridge": _views(writes).address(BRIDGE),
        "chain_id": _views(writes).chain_id,
        "old": one.old,
        "new": one.new,
        "compromised": one.compromised,
        "back": one.back,
        "restarts": RELAY,
    }


async def _plan(action: Action, writes: Writes) -> Plan:
    one, infra = _rotation(action), infrastructure(writes)
    calls = await bridge_roles.of_relayer(_views(writes), one.old, one.new)
    grant, revoke = await on_chain_planned(calls.grant, writes), await on_chain_planned(calls.revoke, writes)
    present = await rotation(infra).secrets.fact(RELAY_KEY)
    there, where = present.lower() == one.new.lower(), infra.cluster.where
    secret = words(RELAY_KEY, f"the Secret's value, deriving {one.new}", "nothing yet", target=where, already=there)
    restart = words(RELAY, "restart, and ask whether it is well", "bridging, while it is away", target=where)
    forget = words(FORGET, "the value before is taken out", "rolling back", target=where)
    ordered = [await pause_planned(writes), revoke, secret, forget, grant, restart] if one.compromised else []
    return Plan(
        steps=tuple(ordered or [secret, grant, restart, revoke, forget]),
        signer=writes.admin.signer if writes.admin else "",
        chain_id=_views(writes).chain_id,
        cautions=("The new key's value is asked for by a local prompt, or read from its store: never type it here.",),
        binding=await _binding(action, writes),
    )


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    one = _rotation(approval.proposal.action)
    try:
        calls = await journal.step(
            "calls", lambda: bridge_roles.of_relayer(_views(writes), one.old, one.new), bridge_roles.Replacement
        )
    except BotError as error:
        results = [failed(error).model_copy(update={"name": "Look at the bridge"})]
    else:
        results = await through(_stages(one, calls, writes, journal))
    back = f"«Roll back…» undoes it: {one.old} relays again, its value being kept in the Secret until the end."
    finished = await journal.step("finish", _now, datetime)
    return Receipt(
        steps=tuple(results), finished_at=finished, notes=notes(results, compromised=one.compromised, back=back)
    )


def _stages(one: RotateRelayKey, calls: bridge_roles.Replacement, writes: Writes, journal: Journal) -> Sequence[Stage]:
    infra = infrastructure(writes)
    rotating, say = rotation(infra), writes.progress

    async def restarted() -> StepResult:
        return (await roll(Target(name=RELAY), infra, journal, say))[-1]

    secret: Stage = ("New key in the Secret", lambda: placed(RELAY_KEY, one.old, one.new, rotating, journal, say))
    grant: Stage = (GRANT, partial(on_chain, "grant", calls.grant, writes, journal))
    revoke: Stage = (REVOKE, partial(on_chain, "revoke", calls.revoke, writes, journal))
    restart: Stage = ("Restart the relay", restarted)
    forget: Stage = (FORGET, lambda: forgotten(RELAY_KEY, rotating, journal))
    if one.compromised:
        return [(STAGE, lambda: pause_first(writes, journal)), revoke, secret, forget, grant, restart]
    return [secret, grant, restart, revoke, forget]


async def _handover(action: Action, made_for: str, receipt: Receipt, writes: Writes) -> Handover | None:
    one = _rotation(action)
    calls = await bridge_roles.of_relayer(_views(writes), one.old, one.new)
    return await handover(one.title, made_for, receipt, [(GRANT, calls.grant), (REVOKE, calls.revoke)], writes)


def _rest(action: Action, receipt: Receipt) -> Action | None:
    """The same again: it looks at each step before it does it."""
    return None if all(step.outcome in ENDED_WELL for step in receipt.steps) else action


def _back(action: Action, receipt: Receipt) -> Action | None:
    """The same the other way round. After a compromise, or out of a roll back, there is none."""
    one = _rotation(action)
    if one.compromised or one.back or not began(receipt):
        return None
    return RotateRelayKey(old=one.new, new=one.old, back=True)


async def _now() -> datetime:
    return datetime.now(UTC)


HOW = How(kind=RotateRelayKey, binding=_binding, plan=_plan, run=_run, rest=_rest, back=_back, handover=_handover)
