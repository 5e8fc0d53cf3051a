"""Diagnosis: a runbook's probes side by side, shown in the incident's thread as they answer, closed by the Verdict."""

import time
from contextlib import suppress
from dataclasses import replace

from prometheus_client import Histogram

from bot.actions.oracle import PauseOracleUpdates
from bot.actions.pause import PAUSE_ALL, EmergencyPause
from bot.domain.action import Action, Offer
from bot.domain.cards import Button, DiagnosisCard, Line
from bot.domain.incident import Incident
from bot.domain.probe import Findings
from bot.domain.runbook import Runbook, Verdict, decide
from bot.engine.asking import ask, lines, unseen
from bot.engine.pictures import Pictures
from bot.errors import BotError
from bot.ports import Chat, MessageRef, Reads, Store

TOOK = Histogram("musd_diagnosis_seconds", "Seconds from a diagnosis' first question to its verdict", ["runbook"])
_ONLY_YOU = (
    "Only you see this, and nothing here can be pressed: the bot can't write in this channel. `/invite @musd-bot` and "
    "ask again to have the verdict's buttons, or ask where it is."
)


class Diagnosis:
    """Runs diagnoses and shows them."""

    def __init__(
        self,
        reads: Reads,
        chat: Chat,
        store: Store,
        pausable: tuple[str, ...],
        pictures: Pictures,
        *,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        """Build it.

        Args:
            reads: what probes are handed.
            chat: where it is shown.
            store: where offers are kept.
            pausable: the contracts of the emergency pause, by setting name, in order.
            pictures: drawn beside it.
            absent: kinds of actions that this deployment has no target for: people do those by hand.
        """
        self._absent = absent
        self._reads = reads
        self._chat = chat
        self._store = store
        self._pausable = pausable
        self._pictures = pictures

    async def show(self, incident: Incident, runbook: Runbook[Reads], key: str) -> tuple[Findings, Verdict]:
        """Diagnose in the incident's thread. With the same `key` again it fills in the same message."""
        if incident.channel is None:
            findings = await ask(runbook.probes, self._reads, unseen)
            return findings, decide(runbook, findings)
        return await self.post(runbook, incident.channel, key, thread=incident.card, incident_id=incident.id)

    async def post(
        self,
        runbook: Runbook[Reads],
        channel: str,
        key: str,
        *,
        thread: str | None = None,
        incident_id: str | None,
        suggested: bool = False,
    ) -> tuple[Findings, Verdict]:
        """Diagnose anywhere: one message that fills in, closed by the Verdict and what it offers.

        `suggested`: no runbook names the alert, and this is the nearest.
        """
        title = f"No runbook names this alert. The nearest is {runbook.title}" if suggested else runbook.title
        card = DiagnosisCard(title if suggested else f"Diagnosis: {title}", lines(runbook.probes, {}))
        message = await self._chat.post(channel, card, key=key, thread=thread)

        async def fill(shown: tuple[Line, ...]) -> None:
            await self._chat.edit(message, replace(card, lines=shown))

        began = time.monotonic()
        findings = await ask(runbook.probes, self._reads, fill)
        verdict = decide(runbook, findings)
        TOOK.labels(runbook.key).observe(time.monotonic() - began)
        buttons = [await self._button(action, incident_id) for action in verdict.offer]
        done = replace(card, lines=lines(runbook.probes, findings), verdict=verdict, runbook=runbook.key)
        incident = await self._store.incident(incident_id) if incident_id else None
        if incident is not None:
            done = replace(done, incident_id=incident.id)
        if incident is not None and verdict.severity not in {None, incident.severity}:
            done = replace(done, propose=verdict.severity)
        await self._chat.edit(message, replace(done, buttons=tuple(one for one in buttons if one)))
        await self._unfold(runbook, findings, message, key=key, thread=thread or message.ts)
        await self._pictures.show(message.channel, runbook.pictures, key=key, thread=thread or message.ts)
        return findings, verdict

    async def read(self, runbook: Runbook[Reads]) -> DiagnosisCard:
        """The whole diagnosis at once, for one person where the bot can't write: without buttons, and says why."""
        findings = await self.findings(runbook)
        done = lines(runbook.probes, findings)
        return DiagnosisCard(f"Diagnosis: {runbook.title}", done, decide(runbook, findings), note=_ONLY_YOU)

    async def _unfold(
        self, runbook: Runbook[Reads], findings: Findings, message: MessageRef, *, key: str, thread: str
    ) -> None:
        """All the evidence, that of what is OK too, as a file: Slack shows its beginning, and the rest on a press."""
        parts = (
            f"{one.state}  {one.title}: {one.summary}\n$ {one.command}\n{one.evidence}".rstrip()
            for one in findings.values()
        )
        known = {found for one in findings.values() for found in one.hashes}
        name = f"evidence-{runbook.key}-{message.ts}.txt"
        with suppress(BotError):  # the verdict stands without it
            await self._chat.upload(
                message.channel, name, "\n\n".join(parts), key=f"evidence:{key}", thread=thread, known=known
            )

    async def findings(self, runbook: Runbook[Reads]) -> Findings:
        """Ask every probe without showing or judging."""
        return await ask(runbook.probes, self._reads, unseen)

    async def look(self, runbook: Runbook[Reads]) -> tuple[Verdict, tuple[str, ...]]:
        """Ask without showing: the verdict, and the transactions' hashes that it may speak of."""
        findings = await self.findings(runbook)
        return decide(runbook, findings), tuple(found for one in findings.values() for found in one.hashes)

    async def _button(self, action: Action, incident_id: str | None) -> Button | None:
        """What a Verdict offers, as a button; nothing where this deployment has none of it."""
        if action.kind in self._absent:
            return None
        if isinstance(action, EmergencyPause):
            wanted = self._pausable if action == PAUSE_ALL else action.contracts
            contracts = tuple(name for name in self._pausable if name in wanted)
            if not contracts:
                return None
            action = EmergencyPause(contracts=contracts)
        offer = Offer.of(action, incident_id)
        await self._store.keep_offer(offer)
        return Button(f"{action.title}…", offer.id, danger=isinstance(action, EmergencyPause | PauseOracleUpdates))
