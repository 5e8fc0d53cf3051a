"""PagerDuty: waking people by the Events API v2, once per key however often asked; by REST, what is about a page."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from bot.adapters.pagerduty_api import PagerDutyApi, PagerDutyUnavailableError
from bot.domain.incident import Incident
from bot.domain.oncall import OnCallRole
from bot.domain.signal import Severity
from bot.errors import RefusedError
from bot.ports import Page
from bot.views.redact import PATTERNS_ONLY, Redactor
from bot.views.safe import Safe

SOURCE = "musd-bot"
_BAD_REQUEST = 400
_OPEN = ("triggered", "acknowledged")
_SUMMARY_AT_MOST = 1024
_LABELS_AT_MOST = 30
_TEXT_AT_MOST = 500
_NOTE_AT_MOST = 2000
_SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}
_PRIORITIES: Mapping[Severity, str] = {Severity.CRITICAL: "P1", Severity.HIGH: "P2", Severity.MEDIUM: "P3"}
"""By the names that a PagerDuty account begins with."""


class PagerDutyPager:
    """Fulfils `ports.Pager`."""

    def __init__(
        self,
        api: PagerDutyApi,
        routing_key: SecretStr,
        *,
        others: Mapping[OnCallRole, SecretStr] | None = None,
        fallback: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        redactor: Redactor = PATTERNS_ONLY,
    ) -> None:
        """Page through one integration, or through one for each role.

        Args:
            api: of the account. No routing key is in any of its errors, nor in a log.
            routing_key: of the integration that serves where a role has none of its own.
            others: of integrations whose services escalate to a role's own people.
            fallback: of the integration that is tried when the other one takes nothing.
            redactor: with the bot's own secrets: labels and summaries come from outside.
        """
        self._api = api
        self._routing_key = routing_key
        self._others = {role: key for role, key in (others or {}).items() if key.get_secret_value()}
        self._fallback = fallback
        self._safe = Safe(redactor)
        self._priorities: dict[str, str] = {}
        """Ids by name, once asked for."""

    async def trigger(self, key: str, incident: Incident, page: Page) -> None:
        """Wake whoever is on call for the page's role; once per key.

        Raises:
            UnavailableError: PagerDuty did not take it, also not when asked again.
        """
        await self._trigger(self._others.get(page.role, self._routing_key), key, incident, page)

    async def fall_back(self, key: str, incident: Incident, page: Page) -> None:
        """The same through the second integration.

        Raises:
            RefusedError: there is none.
            UnavailableError: PagerDuty did not take it either.
        """
        if not self._fallback.get_secret_value():
            raise RefusedError("There is no second way to page: MUSD_PAGERDUTY_FALLBACK_KEY is not set.")
        await self._trigger(self._fallback, key, incident, page)

    async def _trigger(self, routing_key: SecretStr, key: str, incident: Incident, page: Page) -> None:
        said = self._safe.clean(incident.summary)
        summary = f"{incident.title}: {said}" if said else incident.title
        links = [{"href": href, "text": text} for text, href in page.links]
        details = self._details(incident, page)

        def send(session: Any) -> None:
            session.trigger(
                summary[:_SUMMARY_AT_MOST],
                SOURCE,
                dedup_key=key,
                severity=_SEVERITIES[incident.severity],
                custom_details=details,
                links=links or None,
            )

        await self._api.event(routing_key, send)

    async def acknowledge(self, key: str) -> None:
        """Say there that somebody is on it.

        Raises:
            UnavailableError: PagerDuty did not take it, also not when asked again.
        """
        await self._everywhere(lambda session: session.acknowledge(key))

    async def resolve(self, key: str) -> None:
        """End the page.

        Raises:
            UnavailableError: PagerDuty did not take it, also not when asked again.
        """
        await self._everywhere(lambda session: session.resolve(key))

    async def _everywhere(self, send: Any) -> None:
        """Through every integration: whichever took the page knows its key, and to the others it means nothing."""
        refused: PagerDutyUnavailableError | None = None
        taken = False
        for routing_key in self._every_key():
            try:
                await self._api.event(routing_key, send)
                taken = True
            except PagerDutyUnavailableError as error:
                if not error.lasting:
                    raise
                refused = error
        if refused is not None and not taken:
            raise refused

    def _every_key(self) -> list[SecretStr]:
        keys = [self._routing_key, *self._others.values(), self._fallback]
        return list(dict.fromkeys(key for key in keys if key.get_secret_value()))

    async def escalate(self, key: str) -> str:
        """Wake the second level of the page's escalation policy, unless it was; who that is, in words.

        Raises:
            RefusedError: there is no open page of this key, or no second level.
            UnavailableError: PagerDuty did not answer, or no REST token is configured.
        """

        def escalate(session: Any) -> Any:
            found = _open_pages(session, key)
            page = found[0] if found else None
            if page is not None and page["escalation_level"] <= 1:  # asked again after a crash, it is done already
                page = _change(session, page, escalation_level=2)
            return page

        try:
            page = await self._api.rest("PagerDuty did not escalate the page", escalate)
        except PagerDutyUnavailableError as error:
            if error.status == _BAD_REQUEST:
                raise RefusedError(error.happened, next_step="Call the next level by phone.") from None
            raise
        if page is None:
            raise RefusedError(f"PagerDuty has no open page {key}.", next_step="Call whoever is on call.")
        return ", ".join(one["assignee"]["summary"] for one in page["assignments"]) or "the next level"

    async def prioritise(self, key: str, severity: Severity) -> None:
        """Give the page the priority of an incident of this severity. Nothing where priorities are not in use.

        Raises:
            UnavailableError: PagerDuty did not answer.
        """
        if not self._api.reads:
            return

        def prioritise(session: Any) -> None:
            if not self._priorities:
                self._priorities = {one["name"]: one["id"] for one in session.list_all("priorities")}
            wanted = self._priorities.get(_PRIORITIES.get(severity, ""))
            for page in _open_pages(session, key):
                if wanted and (page.get("priority") or {}).get("id") != wanted:
                    _change(session, page, priority={"id": wanted, "type": "priority_reference"})

        await self._api.rest("PagerDuty did not change the page's priority", prioritise)

    async def note(self, key: str, text: str) -> None:
        """Write a note on the page, unless it has one of these words already. Nothing where there is no page.

        Raises:
            UnavailableError: PagerDuty did not answer.
        """
        if not self._api.reads:
            return
        content = self._safe.clean(text)[:_NOTE_AT_MOST]

        def note(session: Any) -> None:
            for page in _open_pages(session, key):
                where = f"incidents/{page['id']}/notes"
                if content not in {one["content"] for one in session.rget(where)}:
                    session.rpost(where, json={"content": content})

        await self._api.rest("PagerDuty did not take a note", note)

    def _details(self, incident: Incident, page: Page) -> dict[str, Any]:
        """What is shown below the page's summary."""
        labels = dict(sorted(incident.labels.items())[:_LABELS_AT_MOST])
        return {
            "incident": incident.id,
            "opened_at": incident.opened_at.isoformat(),
            "runbook": incident.runbook or "none",
            "role": page.role.label,
            "impact": self._clean(incident.impact),
            # Name and value are cleaned as one: many a secret is known only by the name it stands under.
            "labels": dict(self._label(name, value) for name, value in labels.items()),
        }

    def _label(self, name: str, value: str) -> tuple[str, str]:
        shown = self._clean(name)
        whole = self._safe.clean(f"{name}={value}")
        return shown, whole.partition("=")[2][:_TEXT_AT_MOST]

    def _clean(self, text: str) -> str:
        return self._safe.clean(text)[:_TEXT_AT_MOST]


def _open_pages(session: Any, key: str) -> list[Any]:
    return list(session.list_all("incidents", params={"incident_key": key, "statuses[]": list(_OPEN)}))


def _change(session: Any, page: Any, **fields: Any) -> Any:
    return session.rput(f"incidents/{page['id']}", json={"id": page["id"], "type": "incident_reference", **fields})
