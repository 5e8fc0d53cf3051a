"""Whether somebody may: their standing, read now, against the role that is needed. A refusal is an audit row."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.domain.policy import Policy, Role, Standing
from bot.errors import RefusedError
from bot.ports import AuditRow, Roster, Store


class Rights:
    """Asks the roster, and says no in words."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store = store
        self._roster = roster

    async def allow(self, person: str, needed: Role, what: str, policy: Policy | None = None) -> None:
        """As `require`; a refusal is an audit row as well."""
        try:
            await self.require(person, needed, what, policy)
        except RefusedError as refusal:
            detail = {"what": what, "why": refusal.happened}
            await self._store.audit(AuditRow(at=datetime.now(UTC), actor=person, what="refused", detail=detail))
            refusal.on_record = True
            raise

    async def require(self, person: str, needed: Role, what: str, policy: Policy | None = None) -> None:
        """Raise unless this person holds the role.

        Args:
            person: by user id.
            needed: the role.
            what: they want to do, in words.
            policy: of the Action it is about, if any: it may not take every way to a role.

        Raises:
            RefusedError: with the role that is missing and who could do it instead.
        """
        standing = await self._roster.standing(person, needed)
        role = standing.role if policy is None else standing.under(policy)
        if role is not None and role >= needed:
            return
        if policy is not None and not standing.known:
            raise RefusedError(
                f"You can't {what} now: Slack did not say just now whether your account is still active.",
                means="Nothing was done. An id in the configuration confirms a pause all the same.",
                next_step="Press again in a moment.",
            )
        raise RefusedError(
            f"You can't {what}: that takes {needed.one}, and {_has(standing, role)}.",
            means="Nothing was done.",
            next_step=f"Ask {self._names(needed)}.",
        )

    async def standings(self, people: Iterable[str], needed: Role) -> Mapping[str, Standing]:
        """What each of them may do now."""
        return {person: await self._roster.standing(person, needed) for person in people}

    def _names(self, needed: Role) -> str:
        people = self._roster.holders(needed)
        return ", ".join(f"<@{person}>" for person in people) or f"whoever can make somebody {needed.one}"


def _has(standing: Standing, role: Role | None) -> str:
    if standing.barred:
        return f"to Slack you are {standing.barred}"
    if role is not None:
        return f"you are {role.one}"
    return "you have no role in this bot" if standing.role is None else "a group or a shift does not count here"
