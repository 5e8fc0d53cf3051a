"""Questions about the three validators, and how many of them are down (Validator Down / Quorum Loss)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok, unknown
from bot.domain.runbook import Condition
from bot.ports import Executed, Pod, Reads
from bot.probes.chain import words

APP = "musd-validator"
ALL, QUORUM = 3, 2
"""Three validators, of which two must sign."""
_ATTESTED = re.compile(r"attest.*\bsigned\b", re.IGNORECASE)
_HEARTBEAT = "/tmp/heartbeat"  # noqa: S108 - the runbook's path, inside the validator's pod


def pods() -> Probe[Reads]:
    """Which of the three have a pod that is ready?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.pods(APP)
        ready = {pod.owner for pod in found if pod.ready}
        names = {pod.owner for pod in found}
        each = {one: _state(one in ready) for one in names}
        evidence = "\n".join(f"{pod.name}  {pod.reason or pod.phase}  restarts={pod.restarts}" for pod in found)
        said = f"{len(ready)} of {max(ALL, len(names))} ready"
        trouble = ", ".join(f"{pod.owner}: {_why(pod)}" for pod in found if pod.owner not in ready)
        absent = ALL - len(names)
        if absent > 0:
            trouble = ", ".join(filter(None, (trouble, f"{absent} without any pod")))
        said = f"{said}: {trouble}" if trouble else said
        return (bad if trouble else ok)(said, evidence=evidence, validators=each, absent=max(0, absent))

    return Probe(f"pods:{APP}", "Validators", ask, command=f"kubectl -n musd get pods -l app={APP}")


def heartbeats() -> Probe[Reads]:
    """How old is each validator's heartbeat file?"""

    async def ask(reads: Reads) -> Finding:
        answers = await reads.cluster.execute(APP, ["cat", _HEARTBEAT])
        limit = reads.limits.heartbeat_max_age
        each, said = {}, []
        for one in answers:
            written = _written(one)
            if written is None:
                each[one.owner] = State.UNKNOWN
                said.append(f"{one.owner}: {one.text[:120] or 'no heartbeat'}")
                continue
            age = datetime.now(UTC) - written
            each[one.owner] = _state(age <= limit)
            said.append(f"{one.owner}: {words(age)} old")
        evidence = "\n".join(f"{one.pod}  {one.text}" for one in answers)
        return _worst(each, ", ".join(said) or "no validator runs, so none could be asked", evidence)

    command = f"kubectl -n musd exec $VALIDATOR_POD -- cat {_HEARTBEAT}"
    return Probe("validators:heartbeat", "Heartbeats", ask, command=command)


def heartbeat(deployment: str) -> Probe[Reads]:
    """Does this one validator write its heartbeat? (Validator Down, Verification)."""

    async def ask(reads: Reads) -> Finding:
        answers = [one for one in await reads.cluster.execute(APP, ["cat", _HEARTBEAT]) if one.owner == deployment]
        written = _written(answers[-1]) if answers else None
        if written is None:
            return unknown(answers[-1].text[:120] or "no heartbeat" if answers else "it has no running pod")
        age = datetime.now(UTC) - written
        said = f"heartbeat {words(age)} old, in {answers[-1].pod}"
        return (ok if age <= reads.limits.heartbeat_max_age else bad)(said, beat=written.isoformat())

    command = f"kubectl -n musd exec deploy/{deployment} -- cat {_HEARTBEAT}"
    return Probe(f"heartbeat:{deployment}", f"Heartbeat of {deployment}", ask, command=command)


def attests(deployment: str) -> Probe[Reads]:
    """Has this one signed an attestation since its pod began? (Key Rotation, Validator KMS Keys)."""

    async def ask(reads: Reads) -> Finding:
        lines = [line for line in await reads.cluster.logs(deployment, 200) if _ATTESTED.search(line)]
        return ok(lines[-1][:200]) if lines else bad("no attestation in its log so far")

    return Probe(f"attests:{deployment}", f"Attestations of {deployment}", ask)


def kms() -> Probe[Reads]:
    """Can each validator's key in KMS be used?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.keys.validators()
        said = ", ".join(f"{one.validator}: {one.text}" for one in found)
        if all(one.state is State.OK for one in found):
            said = f"{len(found)} keys enabled"
        return _worst({one.validator: one.state for one in found}, said, "")

    command = "aws kms describe-key --key-id $VALIDATOR_KMS_KEY_ID --region $AWS_REGION"
    return Probe("validators:kms", "KMS keys", ask, command=command)


def down(count: int) -> Condition:
    """Holds where exactly that many of three are down and the others are proven to be up."""

    def holds(findings: Findings) -> str | None:
        up, lost, _ = _standing(findings)
        if len(lost) != count or (count == 1 and up < QUORUM):
            return None
        named = f"{', '.join(lost)}: down. " if lost else ""
        rest = f"{up} proven up; the quorum is {QUORUM}." if up else "None is proven up."
        return named + rest + _causes(findings)

    return holds


def failed(findings: Findings) -> tuple[str, ...]:
    """The deployments that a restart may bring back: no pod of theirs is ready, or it writes no heartbeat."""
    running, beats = _each(findings, f"pods:{APP}"), _each(findings, "validators:heartbeat")
    return tuple(name for name in sorted(running) if State.BAD in {running[name], beats.get(name)})


def unproven(findings: Findings) -> str | None:
    """Fewer than two are proven to be up, and too few are proven to be down to say that the quorum is lost."""
    up, lost, silent = _standing(findings)
    if up >= QUORUM or len(lost) >= QUORUM or not (lost or silent):
        return None
    return (
        f"Quorum not proven: {up} up, {len(lost)} down ({', '.join(lost) or 'none'}), "
        f"{len(silent)} UNKNOWN ({', '.join(silent) or 'none'})." + _causes(findings)
    )


def _standing(findings: Findings) -> tuple[int, list[str], list[str]]:
    """How many are proven up, which are down, which are not known. Up takes every answer there should be."""
    seen = findings.get(f"pods:{APP}")
    if seen is None or "validators" not in seen.facts:
        return 0, [], [f"{APP} {number}" for number in range(1, ALL + 1)]
    running = seen.facts["validators"]
    beats = _each(findings, "validators:heartbeat")
    keys = _each(findings, "validators:kms")
    up, lost, silent = 0, ["one without a pod"] * seen.facts["absent"], []
    for name in sorted(running):
        # A key is only counted where keys are configured: then it has to answer, too.
        states = [running[name], beats.get(name, State.UNKNOWN), *([keys[name]] if name in keys else [])]
        if State.BAD in states:
            lost.append(name)
        elif State.UNKNOWN in states:
            silent.append(name)
        else:
            up += 1
    return up, lost, silent


def _causes(findings: Findings) -> str:
    """What else is wrong, for the step that names it: KMS, Canton, or the way to it."""
    told = (
        ("validators:heartbeat", "Heartbeats"),
        ("validators:kms", "KMS"),
        ("ledger:ready", "Canton"),
        ("policies", "NetworkPolicies"),
    )
    wrong = ((name, findings[key]) for key, name in told if key in findings and not findings[key].ok)
    return "".join(f" {name}: {finding.summary.rstrip('.')}." for name, finding in wrong)


def _each(findings: Findings, key: str) -> dict[str, State]:
    finding = findings.get(key)
    return dict(finding.facts.get("validators", {})) if finding else {}


def _worst(each: dict[str, State], said: str, evidence: str) -> Finding:
    make: Callable[..., Finding] = ok
    if not each or State.UNKNOWN in each.values():
        make = unknown
    if State.BAD in each.values():
        make = bad
    return make(said, evidence=evidence, validators=each)


def _state(well: bool) -> State:
    return State.OK if well else State.BAD


def _why(pod: Pod) -> str:
    return pod.reason or pod.phase


def _written(answer: Executed) -> datetime | None:
    """When the heartbeat was written: the file holds seconds since 1970, or the moment in ISO 8601."""
    if answer.code != 0:
        return None
    try:
        if answer.text.replace(".", "", 1).isdigit():
            seconds = float(answer.text)
            return datetime.fromtimestamp(seconds / (1000 if seconds > 1e11 else 1), UTC)  # noqa: PLR2004 - milliseconds
        found = datetime.fromisoformat(answer.text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
