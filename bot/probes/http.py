"""Questions to health endpoints over HTTP."""

import json

from bot.domain.probe import Finding, Findings, Probe, bad, ok
from bot.ports import Reads

_OK = 200


def relay_health() -> Probe[Reads]:
    """Does the relay's ``/health`` answer 200? (Relay Service Down, resolution step 5)."""

    async def ask(reads: Reads) -> Finding:
        health = await reads.relay.health()
        if health.status == _OK:
            return ok("answers 200", evidence=health.body, status=health.status)
        why = _reason(health.body)
        said = f"answers {health.status}: {why}" if why else f"answers {health.status}"
        return bad(said, evidence=health.body, status=health.status, reason=why)

    return Probe("relay:health", "Relay /health", ask, command="curl http://localhost:8080/health")


def unhealthy(findings: Findings) -> str | None:
    """The relay runs and says itself that it is not well."""
    finding = findings.get("relay:health")
    return f"The relay {finding.summary}." if finding and "reason" in finding.facts else None


def _reason(body: str) -> str:
    """The relay's own word for what is wrong, from its JSON."""
    try:
        fields = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(fields, dict):
        return ""
    return str(fields.get("mismatchReason") or fields.get("reason") or fields.get("status") or "")
