"""Who is on call, by PagerDuty's REST API."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.pagerduty_api import PagerDutyApi
from bot.domain.oncall import Shift
from bot.errors import RefusedError

_ID = re.compile(r"P[A-Z0-9]{6,}")
_AHEAD = timedelta(days=30)
"""How far shifts are looked at: whoever is next is on call within it."""


class PagerDutyOnCall:
    """Fulfils `ports.OnCallReads`."""

    def __init__(self, api: PagerDutyApi) -> None:
        self._api = api

    async def by_policy(self, policy: str) -> Sequence[Shift]:
        """Who is on call by the escalation policy of this name, from now on and for some weeks; empty: nobody.

        Raises:
            RefusedError: there is no such policy.
            UnavailableError: PagerDuty did not answer, or no REST token is configured.
        """
        return await self._shifts("escalation_policies", policy, _AHEAD)

    async def by_schedule(self, schedule: str) -> Sequence[Shift]:
        """Who is on call by the schedule of this name or id now; empty: nobody.

        Raises:
            RefusedError: there is no such schedule.
            UnavailableError: PagerDuty did not answer, or no REST token is configured.
        """
        return await self._shifts("schedules", schedule, timedelta(0))

    async def _shifts(self, kind: str, name: str, ahead: timedelta) -> Sequence[Shift]:
        now = datetime.now(UTC)

        def ask(session: Any) -> list[Any] | None:
            named = session.list_all(kind, params={"query": name})
            identity = next((one["id"] for one in named if name in {one["name"], one["id"]}), None)
            if identity is None and not _ID.fullmatch(name):
                return None
            asked = {
                f"{_SINGULAR[kind]}_ids[]": [identity or name],
                "include[]": ["users"],
                "since": now.isoformat(),
                "until": (now + ahead).isoformat(),
            }
            return list(session.list_all("oncalls", params=asked))

        found = await self._api.rest("PagerDuty does not say who is on call", ask)
        if found is None:
            raise RefusedError(
                f"PagerDuty has nothing called {name!r} among its {kind.replace('_', ' ')}.",
                means="Nobody is known to be on call by it.",
                next_step="Configure it in PagerDuty, or set the name it has there.",
            )
        return [_shift(one) for one in found]

    async def service(self, service_id: str) -> str:
        """The name of the service of this id.

        Raises:
            UnavailableError: PagerDuty did not answer, or knows no such service.
        """
        ask = "PagerDuty does not show the service"
        return str((await self._api.rest(ask, lambda session: session.rget(f"services/{service_id}")))["name"])

    async def email(self, user_id: str) -> str:
        """The address of a PagerDuty user.

        Raises:
            UnavailableError: PagerDuty did not answer, or knows no such user.
        """
        user = await self._api.rest(
            "PagerDuty does not say who this is", lambda session: session.rget(f"users/{user_id}")
        )
        return str(user.get("email") or "")


_SINGULAR = {"escalation_policies": "escalation_policy", "schedules": "schedule"}


def _shift(one: Mapping[str, Any]) -> Shift:
    user = one["user"]
    return Shift(
        name=str(user.get("summary") or user.get("name") or user["id"]),
        email=str(user.get("email") or ""),
        level=int(one["escalation_level"]),
        since=_moment(one.get("start")),
        until=_moment(one.get("end")),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
