"""Questions to Kubernetes, and the conditions a runbook reads out of the answers."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from bot.domain.probe import Finding, Findings, Probe, bad, ok, unknown
from bot.ports import Pod, Reads

_ERROR = re.compile(r"\b(error|fatal|panic|exception|critical|traceback|refused|denied)\b", re.IGNORECASE)
_PRICES = re.compile(r"price", re.IGNORECASE)
_SHOWN = 12
"""Error lines shown as evidence; the last ones, since the end is where it died."""


def pods(app: str, *, expected: int = 1, title: str = "Pods") -> Probe[Reads]:
    """Are at least `expected` pods of this application ready, and why not?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.pods(app)
        ready = sum(pod.ready for pod in found)
        facts: dict[str, Any] = {
            "app": app,
            "ready": ready,
            "expected": expected,
            "pods": [_facts(pod) for pod in found],
        }
        evidence = "\n".join(_line(pod) for pod in found)
        if not found:
            return bad(f"no pod of {app} exists", **facts)
        summary = f"{ready} of {max(expected, len(found))} ready"
        trouble = ", ".join(sorted({pod.reason for pod in found if not pod.ready and pod.reason}))
        if ready < expected:
            return bad(f"{summary}: {trouble}" if trouble else summary, evidence=evidence, **facts)
        return ok(summary, evidence=evidence, **facts)

    return _probe(f"pods:{app}", title, ask, app, f"kubectl -n musd get pods -l app={app}", _compose(app, "ps"))


def recent_errors(app: str, *, tail: int = 100) -> Probe[Reads]:
    """What do the last `tail` log lines complain about? No complaint is OK."""

    async def ask(reads: Reads) -> Finding:
        lines = await reads.cluster.logs(app, tail)
        errors = complaints(lines)
        if errors:
            evidence = "\n".join(errors[-_SHOWN:])
            return bad(f"{len(errors)} of {len(lines)} lines are errors", evidence=evidence, errors=errors[-_SHOWN:])
        return ok(f"no error in the last {len(lines)} lines")

    command = f"kubectl -n musd logs -l app={app} --tail={tail}"
    return _probe(f"logs:{app}", "Recent errors", ask, app, command, _compose(app, f"logs --tail={tail}"))


def memory(app: str) -> Probe[Reads]:
    """How much memory did its pods use when they were last measured, as `kubectl top pod` has it?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.usage(app)
        if found is None:
            return unknown("not available: this cluster has no metrics API (metrics.k8s.io)", usage={})
        if not found and reads.cluster.composed(app):
            return unknown("not available: Docker measures only what runs", usage={})
        if not found:
            return unknown(f"not available: no pod of {app} has been measured lately", usage={})
        used = {one.pod: f"{one.memory // 2**20}Mi at {one.at:%H:%M:%S} UTC" for one in found}
        return ok(", ".join(f"{pod}: {text}" for pod, text in used.items()), usage=used)

    command = f"kubectl -n musd top pod -l app={app}"
    return _probe(f"memory:{app}", "Memory used", ask, app, command, _compose(app, "stats --no-stream"))


def complaints(lines: Sequence[str]) -> list[str]:
    """Those lines of a log that complain."""
    return [line for line in lines if _ERROR.search(line)]


def policies() -> Probe[Reads]:
    """Are the NetworkPolicies there that let pods out? Which must be there is configuration."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.policies()
        missing = sorted(set(reads.limits.policies) - set(found))
        if missing:
            said = f"{', '.join(missing)} missing; there are {', '.join(found) or 'none'}"
            return bad(said, missing_policies=missing)
        return ok(", ".join(found) or "none, so nothing is blocked by one", missing_policies=[])

    return Probe("policies", "NetworkPolicies", ask, command="kubectl -n musd get networkpolicies")


def warnings(app: str) -> Probe[Reads]:
    """What Kubernetes itself complains about in this application's pods. Old complaints fade after an hour."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.warnings(app)
        if not found:
            return ok("no warning")
        return bad(found[-1][:200], evidence="\n".join(found))

    command = "kubectl -n musd get events --field-selector type=Warning"
    compose = f"docker inspect --format '{{{{json .State}}}}' $({_compose(app, 'ps --all --quiet')})"
    return _probe(f"events:{app}", "Warning events", ask, app, command, compose)


def reaches(app: str, kind: str, title: str) -> Probe[Reads]:
    """Can this application's own pod open a connection to the host of that kind? Which host is configuration."""

    async def ask(reads: Reads) -> Finding:
        target = next((one for one in reads.limits.relay_hosts if one.startswith(f"{kind}=")), "")
        host, _, port = target.partition("=")[2].rpartition(":")
        if not host:
            return unknown(f"MUSD_RELAY_HOSTS names no {kind} host")
        answers = await reads.cluster.execute(app, ["nc", "-z", "-w", "3", host, port])
        told = [one for one in answers if one.code is not None]
        if not told:
            return unknown(answers[0].text if answers else f"no pod of {app} runs, so none could try")
        failed = [one for one in told if one.code != 0]
        if failed:
            return bad(f"NOT reachable from {failed[0].pod}: {failed[0].text[:160]}", reaches=False, kind=title)
        return ok(f"{host}:{port} reachable from {told[0].pod}", reaches=True, kind=title)

    tried = f"nc -z -w 3 ${kind.upper()}_HOST ${kind.upper()}_PORT"
    command, compose = f"kubectl -n musd exec deploy/{app} -- {tried}", f"{_compose(app, 'exec -T')} {tried}"
    return _probe(f"reach:{kind}", f"{title} from the pod", ask, app, command, compose)


def cut_off(findings: Findings) -> str | None:
    """The pod itself can't reach something it needs."""
    lost = [f for f in findings.values() if f.facts.get("reaches") is False]
    return " ".join(f"{f.facts['kind']}: {f.summary.rstrip('.')}." for f in lost) or None


def policy_missing(findings: Findings) -> str | None:
    """A NetworkPolicy that must be there is gone."""
    finding = findings.get("policies")
    missing = finding.facts.get("missing_policies") if finding else None
    return f"NetworkPolicy {', '.join(missing)} is gone, and with it the way out." if missing else None


def price_sync(app: str) -> Probe[Reads]:
    """What does the relay's log say about its price sync? (Oracle Price Feed Stale, resolution step 2)."""

    async def ask(reads: Reads) -> Finding:
        lines = [line for line in await reads.cluster.logs(app, 100) if _PRICES.search(line)]
        errors = complaints(lines)
        if errors and lines[-1] == errors[-1]:  # one that was followed by a success is over
            return bad(
                f"{len(errors)} errors about prices", evidence="\n".join(errors[-_SHOWN:]), price_error=errors[-1]
            )
        said = f"{len(errors)} errors, and none since" if errors else "none an error"
        return ok(f"{len(lines)} lines about prices, {said}", evidence="\n".join(lines[-3:]))

    command = f"kubectl -n musd logs -l app={app} --tail=100 | grep -i price"
    compose = f"{_compose(app, 'logs --tail=100')} | grep -i price"
    return _probe("relay:prices", "The relay's price sync", ask, app, command, compose)


def price_sync_failing(findings: Findings) -> str | None:
    """The relay does not bring prices over: its log says so, or it does not run."""
    finding = findings.get("relay:prices")
    if finding is not None and "price_error" in finding.facts:
        return f"The relay's log: {finding.facts['price_error']}"
    return not_ready(findings)


def crash_looping(findings: Findings) -> str | None:
    """A pod starts and dies, again and again; quotes the last error of the log, where there is one."""
    # The first deaths show as Error; the kubelet backs off only from the second on.
    looping = [pod for pod in _pods(findings) if pod["reason"] in {"CrashLoopBackOff", "Error", "Restarting"}]
    if not looping:
        return None
    said = f"{looping[0]['name']} is in {looping[0]['reason']} after {looping[0]['restarts']} restarts"
    last = next((f.facts["errors"][-1] for f in findings.values() if f.facts.get("errors")), None)
    return f"{said}; its log ends with: {last}" if last else f"{said}; its log names no error."


def oom_killed(findings: Findings) -> str | None:
    """A container was killed for using more memory than its limit; says what it used when it was last measured."""
    killed = [pod for pod in _pods(findings) if "OOMKilled" in {pod["reason"], pod["last_end"]}]
    if not killed:
        return None
    name, limit = killed[0]["name"], killed[0]["memory_limit"] or "no limit set"
    used = next((f.facts["usage"][name] for f in findings.values() if name in f.facts.get("usage", ())), None)
    said = used or "not available"
    return f"{name} was OOMKilled (memory limit: {limit}, last usage: {said}), {killed[0]['restarts']} restarts."


def not_ready(findings: Findings) -> str | None:
    """Fewer pods are ready than there should be, for whatever reason."""
    short = [f for f in findings.values() if "ready" in f.facts and f.facts["ready"] < f.facts["expected"]]
    return f"{short[0].facts['app']}: {short[0].summary}." if short else None


def _pods(findings: Findings) -> list[dict[str, object]]:
    """Pods that are not ready: what an earlier life ended with is no news about one that runs."""
    every = [pod for finding in findings.values() for pod in finding.facts.get("pods", ())]
    return [pod for pod in every if not pod["ready"]]


def _facts(pod: Pod) -> dict[str, object]:
    return {key: value for key, value in asdict(pod).items() if key not in {"started_at", "ended_at"}}


def _line(pod: Pod) -> str:
    ended = f", last run ended: {pod.last_end} (exit {pod.last_exit})" if pod.last_end else ""
    when = "".join(
        f", {word} {at:%Y-%m-%d %H:%M:%S} UTC"
        for word, at in (("started", pod.started_at), ("ended", pod.ended_at))
        if at
    )
    # What only a container tells of itself.
    more = f"{when}, health: {pod.health or 'no check'}, image {pod.image}" if pod.image else ""
    return f"{pod.name}  {pod.reason or pod.phase}  ready={pod.ready}  restarts={pod.restarts}{ended}{more}"


def _probe(
    key: str, title: str, ask: Callable[[Reads], Awaitable[Finding]], app: str, command: str, compose: str
) -> Probe[Reads]:
    """A question about an application, with its commands: for Kubernetes, and for docker-compose."""
    return Probe(key, title, ask, command, compose, lambda reads: reads.cluster.composed(app))


def _compose(app: str, command: str) -> str:
    """Of docker-compose, as the runbooks write it; they know the file of the relay alone."""
    file = "-f relay/docker-compose.yml " if app == "musd-relay" else ""
    return f"docker compose {file}{command} {app.removeprefix('musd-')}"
