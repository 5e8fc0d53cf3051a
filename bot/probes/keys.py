"""Questions about the protocol's keys: how old, whether usable, whom the bridge knows (Key Rotation)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok, unknown
from bot.ports import Reads, RotationRun, SigningKey
from bot.probes.chain import words

_SHOWN = 10
"""Rotations of one key that are evidence: the last ones."""


def validators() -> Probe[Reads]:
    """Each validator's KMS key: usable, and how old? A rotation makes a new key, so its age is the last rotation."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.keys.validators()
        runs = await reads.record.rotations() if reads.record else ()
        limit, now = reads.limits.key_max_age, datetime.now(UTC)
        old = [one.validator for one in found if one.created_at and now - one.created_at > limit]
        broken = [f"{one.validator}: {one.text}" for one in found if one.state is State.BAD]
        ours = [run for run in runs if run.key in {one.validator for one in found}]
        evidence = "\n".join(
            [
                *(f"{one.validator}  {_age(one, now)}  {one.text}" for one in found),
                *(f"{run.key}  {_run(run)}" for run in ours[-_SHOWN:]),
            ]
        )
        said = ", ".join(f"{one.validator} {_age(one, now)}" for one in found)
        half = [f"{one.validator}: {text}" for one in found if (text := _half_way(ours, one.validator, now))]
        if old or broken or half:
            said = "; ".join([said, *half])
            return bad(said, evidence=evidence, old=old, broken=broken, limit=limit.days, half_way=half)
        return (unknown if any(one.state is State.UNKNOWN for one in found) else ok)(said, evidence=evidence)

    command = "aws kms describe-key --key-id $VALIDATOR_KMS_KEY_ID --query KeyMetadata.CreationDate"
    return Probe("keys:validators", "Validators' KMS keys", ask, command=command)


def rotated(key: str, title: str, secret: str) -> Probe[Reads]:
    """When was this one last rotated, and by whom? Probes may not read Secrets: the bot's own record is asked.

    Args:
        key: by the bot's word for it, such as ``relay-key``.
        title: for people.
        secret: the Secret it is in, by the runbooks.
    """

    async def ask(reads: Reads) -> Finding:
        if reads.record is None:
            return unknown("the bot's own record of rotations is not at hand here")
        runs, now = [run for run in await reads.record.rotations() if run.key == key], datetime.now(UTC)
        evidence = "\n".join(map(_run, runs[-_SHOWN:]))
        if half := _half_way(runs, key, now):
            return bad(half, evidence=evidence, half_way=[f"{title}: {half}"])
        last = next((run for run in reversed(runs) if not run.stopped_at and not run.back), None)
        if last is None:
            return unknown("never rotated by this bot, so it knows no age of it", evidence=evidence)
        said = f"last rotated {last.ended_at:%Y-%m-%d} by <@{last.proposer}>, {_days(last.ended_at, now)} ago"
        limit = reads.limits.key_max_age
        due = now - last.ended_at > limit
        finding = bad(said, evidence=evidence, old=[title], limit=limit.days) if due else ok(said, evidence=evidence)
        return replace(finding, people=(last.proposer,))

    command = (
        f"kubectl -n musd get secret {secret} -o jsonpath='{{.metadata.managedFields[*].time}}' --show-managed-fields"
    )
    return Probe(f"keys:{key}", title, ask, command=command)


def bridge() -> Probe[Reads]:
    """Whom does the bridge know as relayer and validators?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.bridge_signers()
        return ok(f"relayer {found[0][1]}", evidence="\n".join(f"{name}  {address}" for name, address in found))

    command = 'cast call $BLE_BRIDGE "relayer()(address)"; cast call $BLE_BRIDGE "validators(uint256)(address)" 0'
    return Probe("keys:bridge", "The bridge's signers", ask, command=command)


def unusable(findings: Findings) -> str | None:
    """A validator's key can't sign."""
    finding = findings.get("keys:validators")
    broken = finding.facts.get("broken") if finding else None
    return f"{', '.join(broken)}." if broken else None


def due(findings: Findings) -> str | None:
    """A key is older than keys should get."""
    found = [finding for finding in findings.values() if finding.facts.get("old")]
    old = [one for finding in found for one in finding.facts["old"]]
    return f"Older than {found[0].facts['limit']} days: {', '.join(old)}." if old else None


def half_way(findings: Findings) -> str | None:
    """A rotation stopped before its end."""
    stopped = [one for finding in findings.values() for one in finding.facts.get("half_way", ())]
    return f"{'; '.join(stopped)}." if stopped else None


def _half_way(runs: Sequence[RotationRun], key: str, now: datetime) -> str:
    """Where the last rotation of this key stopped; empty where it came to its end, or was rolled back."""
    last = next((run for run in reversed(runs) if run.key == key), None)
    if last is None or not last.stopped_at:
        return ""
    return f"a rotation stopped half-way at «{last.stopped_at}», {_days(last.ended_at, now)} ago"


def _run(run: RotationRun) -> str:
    how = f"stopped at «{run.stopped_at}»" if run.stopped_at else "rolled back" if run.back else "complete"
    approved = f", approved by {', '.join(run.approvers)}" if run.approvers else ""
    value = f"; the value came {run.value_by}" if run.value_by else ""
    return f"{run.ended_at:%Y-%m-%d %H:%M} UTC  {how}  proposed by {run.proposer}{approved}{value}"


def _age(key: SigningKey, now: datetime) -> str:
    return "of unknown age" if key.created_at is None else f"{_days(key.created_at, now)} old"


def _days(created: datetime, now: datetime) -> str:
    days = (now - created).days
    return f"{days} days" if days > 1 else words(now - created)
