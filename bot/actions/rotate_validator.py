"""Key Rotation, Validator KMS Keys: a new key in KMS, on-chain, in the validator's configuration, seen to attest.

Only while the other two validators are well: one away leaves a quorum, two do not. The old key is deleted by people.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.actions import bridge_roles
from bot.actions.bridge import BRIDGE, STAGE, pause_first, pause_planned
from bot.actions.bridge_roles import Replacement
from bot.actions.restart import infrastructure, unwell
from bot.actions.rollout import Target, roll
from bot.actions.rotation import GRANT, REVOKE, handover, notes, on_chain, rotation, words
from bot.actions.stages import ENDED_WELL, Stage, through
from bot.domain.action import Action, Outcome, Plan, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.handover import Handover
from bot.domain.policy import ROTATE, Policy
from bot.domain.probe import State
from bot.errors import RefusedError
from bot.ports import ContractViews, CreatedKey, How, Journal, KeyWrites, Writes

_CREATE, _CONFIGURE, _ATTEST = "Create the key in KMS", "Configure and restart the validator", "Attestation seen"
_LOOK_AGAIN = 1.0


class RotateValidatorKey(Action):
    """Put a new KMS key in the place of a validator's old one."""

    kind: ClassVar[str] = "rotate-validator-key"
    policy: ClassVar[Policy] = ROTATE

    validator: str
    """Its deployment, by the bot's word."""
    old: str
    """The KMS key that is to go, by id or ARN."""
    new: str = ""
    """The key to take, where there is one already; empty to create one."""
    mark: str
    """Tells this rotation's key from any other: going on from where one stopped finds the key it made."""
    compromised: bool = False
    """Whether somebody else may sign with the old key."""
    back: bool = False
    """Whether this undoes a rotation that stopped half-way: ``new`` is the key that was there before."""

    @property
    def title(self) -> str:
        """``Rotate the KMS key of musd-validator-2``."""
        if self.back:
            return f"Roll back: {self.validator} signs with {self.new} again"
        why = " (COMPROMISED: pause and revoke first)" if self.compromised else ""
        return f"Rotate the KMS key of {self.validator}{why}"

    @property
    def rotates(self) -> str:
        """This validator's."""
        return self.validator


@dataclass
class _Run:
    """One execution: what its stages share."""

    action: RotateValidatorKey
    writes: Writes
    journal: Journal
    calls: Replacement | None = None
    """Known once the new key's address is."""
    key: CreatedKey | None = None


def _rotation(action: Action) -> RotateValidatorKey:
    if not isinstance(action, RotateValidatorKey):
        raise TypeError(f"{type(action).__name__} rotates no validator's key")
    return action


def _keys(writes: Writes) -> KeyWrites:
    keys = rotation(infrastructure(writes)).keys
    if keys is None:
        raise RefusedError(
            "This bot has no credential that may create KMS keys.",
            means="Nothing was changed.",
            next_step="Set MUSD_ROTATION_ACCESS_KEY_ID and MUSD_ROTATION_SECRET_ACCESS_KEY, or rotate by hand.",
        )
    return keys


def _views(writes: Writes) -> ContractViews:
    if writes.views is None:
        raise RefusedError("This bot has no Ethereum RPC to look at contracts with.", means="Nothing was changed.")
    return writes.views


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    one, infra = _rotation(action), infrastructure(writes)
    if one.validator not in infra.validators:
        there = ", ".join(infra.validators)
        raise RefusedError(f"{one.validator[:60]!r} is no validator.", means="Nothing was changed.", next_step=there)
    old = await _keys(writes).described(one.old)
    return {
        "namespace": infra.cluster.where,
        "bridge": _views(writes).address(BRIDGE),
        "chain_id": _views(writes).chain_id,
        "validator": one.validator,
        "old": old.model_dump(),
        "new": one.new or f"created in KMS for this, marked {one.mark}",
        "compromised": one.compromised,
        "back": one.back,
    }


async def _plan(action: Action, writes: Writes) -> Plan:
    one, infra = _rotation(action), infrastructure(writes)
    binding = await _binding(one, writes)
    old = CreatedKey.model_validate(binding["old"])
    where, bridge = infra.cluster.where, binding["bridge"]
    silent = await unwell(infra, one.validator)
    well = words("The other validators", "are both well?", "nothing", target=where)
    if silent:
        said = f"{', '.join(silent)}: not proven well. Nothing begins before they are."
        well = well.model_copy(update={"simulation": State.BAD, "simulated": said})
    revoke = words(REVOKE, f"{old.address} loses its role", "attesting with the old key", target=bridge)
    create = words(_CREATE, one.new or "ECC_SECG_P256K1, SIGN_VERIFY", "nothing", target="AWS KMS")
    rest = [
        words(GRANT, "the new key's address", "this validator, until it has its new key", target=bridge),
        words(
            _CONFIGURE, f"{rotation(infra).setting} in its deployment", "this validator, while it is away", target=where
        ),
        words(_ATTEST, "in its log, since the restart", "nothing", target=where),
    ]
    first = [await pause_planned(writes), revoke] if one.compromised else [well]
    steps = [*first, create, *rest, *([] if one.compromised else [revoke])]
    return Plan(
        steps=tuple(steps),
        signer=writes.admin.signer if writes.admin else "",
        chain_id=_views(writes).chain_id,
        cautions=(f"The old key {one.old} stays in KMS: people disable and delete it, days later.",),
        binding=binding,
    )


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    run = _Run(_rotation(approval.proposal.action), writes, journal)
    results = await through(_stages(run))
    one = run.action
    back = f"«Roll back…» undoes it: {one.validator} signs with {one.old} again, which is still there."
    done = all(step.outcome in ENDED_WELL for step in results)
    bot = f"Set the bot's VALIDATOR_KMS_KEY_IDS to {one.validator}={run.key.id if run.key else 'the new key'}."
    later = (bot, f"Days later, by hand: `aws kms schedule-key-deletion --key-id {one.old}`.") if done else ()
    finished = await journal.step("finish", _now, datetime)
    said = notes(results, compromised=one.compromised, back=back)
    return Receipt(steps=tuple(results), finished_at=finished, notes=(*later, *said))


def _stages(run: _Run) -> Sequence[Stage]:
    create: Stage = (_CREATE, lambda: _create(run))
    grant: Stage = (GRANT, lambda: _grant(run))
    revoke: Stage = (REVOKE, lambda: _revoke(run))
    configure: Stage = (_CONFIGURE, lambda: _configure(run))
    attest: Stage = (_ATTEST, lambda: _attest(run))
    if run.action.compromised:
        pause: Stage = (STAGE, lambda: pause_first(run.writes, run.journal))
        return [pause, revoke, create, grant, configure, attest]
    return [("The other validators are well", lambda: _others(run)), create, grant, configure, attest, revoke]


async def _others(run: _Run) -> StepResult:
    infra = infrastructure(run.writes)
    silent = await run.journal.step("others", lambda: unwell(infra, run.action.validator), list[str])
    if silent:
        text = (
            f"{', '.join(silent)}: not proven well, and with this one away the bridge could not attest. Mend it first."
        )
        return StepResult(name="", outcome=Outcome.FAILED, text=text)
    return StepResult(name="", outcome=Outcome.DONE, text="both write their heartbeat")


async def _create(run: _Run) -> StepResult:
    one, keys = run.action, _keys(run.writes)

    async def made() -> CreatedKey:
        return await (keys.described(one.new) if one.new else keys.create(one.validator, one.mark))

    run.key = await run.journal.step("key", made, CreatedKey)
    evidence = {"key": run.key.id, "address": run.key.address}
    return StepResult(name="", outcome=Outcome.DONE, text="the key is there; its address is derived", evidence=evidence)


async def _calls(run: _Run, new: str) -> Replacement:
    old = await _keys(run.writes).described(run.action.old)
    return await bridge_roles.of_validator(_views(run.writes), old.address, new)


async def _grant(run: _Run) -> StepResult:
    new = run.key.address if run.key else ""
    calls = await run.journal.step("calls", lambda: _calls(run, new), Replacement)
    return await on_chain("grant", calls.grant, run.writes, run.journal)


async def _revoke(run: _Run) -> StepResult:
    """The old address's role: the call does not depend on the new one."""
    calls = await run.journal.step("revocation", lambda: _revocation(run), Replacement)
    return await on_chain("revoke", calls.revoke, run.writes, run.journal)


async def _revocation(run: _Run) -> Replacement:
    old = await _keys(run.writes).described(run.action.old)
    new = run.key.address if run.key else old.address
    return await bridge_roles.of_validator(_views(run.writes), old.address, new)


async def _configure(run: _Run) -> StepResult:
    infra = infrastructure(run.writes)
    key = run.key.id if run.key else run.action.new
    target = Target(name=run.action.validator, env={rotation(infra).setting: key})
    return (await roll(target, infra, run.journal, run.writes.progress))[-1]


async def _attest(run: _Run) -> StepResult:
    if run.action.compromised:
        text = "not waited for: the bridge is paused, so nothing attests"
        return StepResult(name="", outcome=Outcome.SKIPPED, text=text)
    return await run.journal.step("attestation", lambda: _attested(run), StepResult)


async def _attested(run: _Run) -> StepResult:
    rotating = rotation(infrastructure(run.writes))
    end = asyncio.get_running_loop().time() + rotating.patience.total_seconds()
    while True:
        finding = await rotating.attests(run.action.validator)
        if finding.ok:
            return StepResult(name="", outcome=Outcome.DONE, text=finding.summary)
        if asyncio.get_running_loop().time() > end:
            return StepResult(name="", outcome=Outcome.UNKNOWN, text=f"none seen: {finding.summary}")
        await asyncio.sleep(_LOOK_AGAIN)


async def _handover(action: Action, made_for: str, receipt: Receipt, writes: Writes) -> Handover | None:
    one, keys = _rotation(action), _keys(writes)
    made = next((step.evidence["address"] for step in receipt.steps if step.name == _CREATE and step.evidence), "")
    old = await keys.described(one.old)
    calls = await bridge_roles.of_validator(_views(writes), old.address, str(made) or old.address)
    return await handover(one.title, made_for, receipt, [(GRANT, calls.grant), (REVOKE, calls.revoke)], writes)


def _rest(action: Action, receipt: Receipt) -> Action | None:
    """The same again: its mark finds the key that was made."""
    return None if all(step.outcome in ENDED_WELL for step in receipt.steps) else action


def _back(action: Action, receipt: Receipt) -> Action | None:
    """The same the other way round, once there is a new key that something may know of."""
    one = _rotation(action)
    made = next((step.evidence.get("key") for step in receipt.steps if step.name == _CREATE), None)
    if one.compromised or one.back or not made or receipt.complete:
        return None
    return RotateValidatorKey(validator=one.validator, old=str(made), new=one.old, mark=one.mark, back=True)


def marked(at: datetime) -> str:
    """A mark for a rotation of this moment."""
    return hashlib.sha256(at.isoformat().encode()).hexdigest()[:10]


async def _now() -> datetime:
    return datetime.now(UTC)


HOW = How(kind=RotateValidatorKey, binding=_binding, plan=_plan, run=_run, rest=_rest, back=_back, handover=_handover)
