"""PagerDuty: the service that is paged, and whether the table *On-Call Contacts* is set up and leads to somebody."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.adapters.pagerduty_oncall import PagerDutyOnCall
from bot.adapters.roster import shifts
from bot.domain.oncall import Contact, OnCallRole, present
from bot.domain.policy import Role
from bot.domain.probe import Finding, Probe, bad, ok, unknown
from bot.errors import RefusedError
from bot.settings import Settings
from bot.wiring.checks.check import check
from bot.wiring.people import pagerduty

_SETUP = "Configure on-call rotations in PagerDuty, and the settings MUSD_ONCALL_… (docs/people.md)."


def checks(settings: Settings) -> Sequence[Probe[Any]]:
    """The way in, the service, the way back, the table's roles, and the shifts that give a role here."""
    asked = PagerDutyOnCall(pagerduty(settings))
    roles = [_role(asked, role, contact) for role, contact in settings.contacts.items()]
    service = check(
        "pagerduty:service",
        "PagerDuty's service",
        lambda: _service(asked, settings.pagerduty_service_id),
        mend="Set PAGERDUTY_SERVICE_ID and MUSD_PAGERDUTY_API_TOKEN.",
    )
    granted = [_shift(asked, name, role) for name, role in settings.shifts.items()]
    return [_routing(settings), service, _webhook(settings), *roles, *granted]


def _routing(settings: Settings) -> Probe[Any]:
    async def ask() -> Finding:
        if not settings.pagerduty_routing_key.get_secret_value():
            return bad("not set: nobody is paged")
        return ok("set; only a page shows that it is the right one (docs/first-day.md)")

    mend = "Set MUSD_PAGERDUTY_ROUTING_KEY to the integration key of PagerDuty's service (Events API v2)."
    return check("pagerduty:routing", "PagerDuty's routing key", ask, mend=mend)


async def _service(asked: PagerDutyOnCall, service_id: str) -> Finding:
    if not service_id:
        return unknown("PAGERDUTY_SERVICE_ID is not set")
    return ok(f"{service_id} is {await asked.service(service_id)}")


def _webhook(settings: Settings) -> Probe[Any]:
    async def ask() -> Finding:
        if settings.pagerduty_webhook_secret.get_secret_value():
            return ok("its signature can be checked")
        return unknown("no signing secret: what people do in PagerDuty does not show here")

    mend = "Make a webhook (V3) to /pagerduty in PagerDuty, and set MUSD_PAGERDUTY_WEBHOOK_SECRET."
    return check("pagerduty:webhook", "PagerDuty's webhook", ask, mend=mend)


def _role(asked: PagerDutyOnCall, role: OnCallRole, contact: Contact) -> Probe[Any]:
    async def ask() -> Finding:
        try:
            now = present(await asked.by_policy(contact.policy), datetime.now(UTC))
        except RefusedError as error:
            return bad(f"Setup required: {error.happened}")
        first = [one.name for one in now if one.level == 1]
        return ok(f"{', '.join(first)} is on call") if first else bad("nobody is on call")

    return check(f"oncall:{role}", f"On call for {role.label}", ask, mend=_SETUP)


def _shift(asked: PagerDutyOnCall, name: str, role: Role) -> Probe[Any]:
    async def ask() -> Finding:
        try:
            now = present(await shifts(asked, name), datetime.now(UTC))
        except RefusedError:
            return bad(f"PagerDuty has no escalation policy and no schedule called {name}")
        people = ", ".join(dict.fromkeys(one.name for one in now))
        return ok(f"{people} may do what {role.one} may") if people else bad("nobody is on call by it")

    mend = "Correct MUSD_ONCALL_ROLES, or the policy in PagerDuty."
    return check(f"oncall-role:{name}", f"Role by {name}", ask, mend=mend)
