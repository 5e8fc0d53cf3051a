"""Questions about the protocol's keys: how old, whether usable, whom the bridge knows (Key Rotation)."""

from datetime import UTC, datetime

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok, unknown
from bot.ports import Reads, SigningKey
from bot.probes.chain import words


def validators() -> Probe[Reads]:
    """Each validator's KMS key: usable, and how old? A rotation makes a new key, so its age is the last rotation."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.keys.validators()
        limit, now = reads.limits.key_max_age, datetime.now(UTC)
        old = [one.validator for one in found if one.created_at and now - one.created_at > limit]
        broken = [f"{one.validator}: {one.text}" for one in found if one.state is State.BAD]
        evidence = "\n".join(f"{one.validator}  {_age(one, now)}  {one.text}" for one in found)
        said = ", ".join(f"{one.validator} {_age(one, now)}" for one in found)
        if old or broken:
            return bad(said, evidence=evidence, old=old, broken=broken, limit=limit.days)
        return (unknown if any(one.state is State.UNKNOWN for one in found) else ok)(said, evidence=evidence)

    command = "aws kms describe-key --key-id $VALIDATOR_KMS_KEY_ID --query KeyMetadata.CreationDate"
    return Probe("keys:validators", "Validators' KMS keys", ask, command=command)


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
    finding = findings.get("keys:validators")
    old = finding.facts.get("old") if finding else None
    return f"Older than {finding.facts['limit']} days: {', '.join(old)}." if finding and old else None


def _age(key: SigningKey, now: datetime) -> str:
    return "of unknown age" if key.created_at is None else f"{_days(key.created_at, now)} old"


def _days(created: datetime, now: datetime) -> str:
    days = (now - created).days
    return f"{days} days" if days > 1 else words(now - created)
