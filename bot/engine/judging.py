"""Whether a deadline's condition still holds when it passes. Only what is proven clears one: UNKNOWN clears nothing."""

from bot.domain.deadline import Deadline, DeadlineKind
from bot.domain.incident import Incident
from bot.domain.probe import State
from bot.domain.runbook import Runbook
from bot.domain.signal import SignalStatus
from bot.engine.diagnosis import Diagnosis
from bot.ports import Reads, Store
from bot.runbooks import Runbooks

Judgement = tuple[bool, str]
"""Whether it has provably cleared, and why; or why not."""


class Judging:
    """Asks the record first and the world second."""

    def __init__(self, *, store: Store, runbooks: Runbooks, diagnosis: Diagnosis) -> None:
        self._store = store
        self._runbooks = runbooks
        self._diagnosis = diagnosis

    async def judge(self, deadline: Deadline) -> Judgement:
        """Look now."""
        if deadline.kind is DeadlineKind.POSTMORTEM:
            return await self._postmortem(deadline)
        if deadline.signal_key is not None:
            return await self._warning(deadline.signal_key)
        incident = await self._store.incident(deadline.incident_id or "")
        if incident is None or not incident.is_open:
            return True, f"The incident is {incident.state if incident else 'gone'}."
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        if _has_become(runbook, incident):
            return True, f"The incident is {incident.severity} already."
        return await self._proof(runbook)

    async def _proof(self, runbook: Runbook[Reads] | None) -> Judgement:
        if runbook is None or runbook.escalation is None:
            return False, "No runbook says what would prove that it is over."
        findings = await self._diagnosis.findings(runbook)
        why = runbook.escalation.unless(findings)
        if why:
            return True, why
        wrong = [f"{one.title}: {one.state}, {one.summary}" for one in findings.values() if one.state is not State.OK]
        return False, "\n".join(wrong)

    async def _warning(self, signal_key: str) -> Judgement:
        signal = await self._store.signal(signal_key)
        if signal is None:
            return True, "The alert is not on record any more."
        over = await self._store.signal(signal.model_copy(update={"status": SignalStatus.RESOLVED}).key)
        cleared, why = await self._proof(self._runbooks.for_alert(signal.name))
        if cleared:
            return True, why
        # The alert's own word counts where no probe disagrees; one that does not answer proves neither.
        agreed = over is not None and State.BAD not in why
        return agreed, "Alertmanager says that it is resolved, and no probe disagrees." if agreed else why

    async def _postmortem(self, deadline: Deadline) -> Judgement:
        incident = await self._store.incident(deadline.incident_id or "")
        if incident is None or incident.resolved_at != deadline.began_at:
            return True, "The incident was reopened."
        done = (await self._store.postmortem(incident.id)).done_at is not None
        return done, "The post-mortem is done." if done else ""


def _has_become(runbook: Runbook[Reads] | None, incident: Incident) -> bool:
    """Whether an escalation that only raises the severity has nothing left to do."""
    escalation = runbook.escalation if runbook else None
    return escalation is not None and escalation.becomes is incident.severity
