"""Who is in the practice PagerDuty account: users, weekly rotations, escalation policies, services, priorities."""

from datetime import UTC, datetime, timedelta

from bot.drill.listening import Json, stamp
from bot.drill.people import PEOPLE, Person

TURN = timedelta(weeks=1)
"""How long one person is on call before the next."""
FIRST_TURN = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday: every rotation is counted from here."""
FOR_EVER = timedelta(days=90)
"""PagerDuty renders shifts at most this far ahead."""

ROTATIONS = {
    "PSCHPROTO": ("musd-protocol rotation", ("guardian-1", "guardian-2")),
    "PSCHINFRA": ("musd-infra rotation", ("operator-1", "operator-2")),
    "PSCHSECUR": ("musd-security rotation", ("guardian-2", "admin-2")),
}
POLICIES = {
    "PPOLPROTO": ("musd-protocol-oncall", ("PSCHPROTO", "admin-1")),
    "PPOLINFRA": ("musd-infra-oncall", ("PSCHINFRA", "admin-1")),
    "PPOLSECUR": ("musd-security-oncall", ("PSCHSECUR", "admin-2")),
}
"""Each policy's levels, lowest first: a rotation, or a person who is always there."""
SERVICES = {
    "PSVCPROTO": ("mUSD protocol", "PPOLPROTO"),
    "PSVCINFRA": ("mUSD fallback", "PPOLINFRA"),
    "PSVCRELAY": ("mUSD infrastructure", "PPOLINFRA"),
    "PSVCSECUR": ("mUSD security", "PPOLSECUR"),
}
PRIORITIES = {"PPRIO0001": "P1", "PPRIO0002": "P2", "PPRIO0003": "P3", "PPRIO0004": "P4", "PPRIO0005": "P5"}

SITE = "https://musd-practice.pagerduty.com"
API = "https://api.pagerduty.com"


def email(one: Person) -> str:
    """The address by which PagerDuty, Slack and the bot know the same person."""
    return f"{one.name}@musd-practice.invalid"


def user_id(name: str) -> str:
    """The PagerDuty id of a practice person."""
    return "P" + name.replace("-", "").upper()


def reference(kind: str, identity: str, summary: str) -> Json:
    """How PagerDuty mentions one thing inside another."""
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return {
        "id": identity,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{API}/{plural}/{identity}",
        "html_url": f"{SITE}/{plural}/{identity}",
    }


def whole(kind: str, identity: str, name: str, **more: object) -> Json:
    """A thing itself: its reference with its own type, name and particulars."""
    return {**reference(kind, identity, name), "type": kind, "name": name, **more}


USERS = {
    user_id(one.name): whole(
        "user",
        user_id(one.name),
        one.real_name,
        email=email(one),
        time_zone="Etc/UTC",
        color="purple",
        role="user",
        description=one.name,
        job_title=", ".join(one.roles) or "none",
        teams=[],
        contact_methods=[],
        notification_rules=[],
    )
    for one in PEOPLE
    if one.roles
}


def user_reference(identity: str) -> Json:
    """A mention of a user. Raises `KeyError` for an id nobody has."""
    return reference("user", identity, USERS[identity]["summary"])


def find_user(who: str) -> str:
    """The id of the user with that name (``guardian-1``), e-mail or id. Raises `KeyError` when there is none."""
    for identity, user in USERS.items():
        if who in {identity, user["email"], user["description"]}:
            return identity
    raise KeyError(f"PagerDuty has no user {who!r}; there are {', '.join(u['description'] for u in USERS.values())}")


def schedule_reference(identity: str) -> Json:
    """A mention of a rotation."""
    return reference("schedule", identity, ROTATIONS[identity][0])


def policy_reference(identity: str) -> Json:
    """A mention of an escalation policy."""
    return reference("escalation_policy", identity, POLICIES[identity][0])


def service_reference(identity: str) -> Json:
    """A mention of a service."""
    return reference("service", identity, SERVICES[identity][0])


def priority(identity: str) -> Json:
    """A priority. Raises `KeyError` for an unknown id."""
    return whole("priority", identity, PRIORITIES[identity], description="")


def policy(identity: str) -> Json:
    """An escalation policy. Raises `KeyError` for an unknown id."""
    name, levels = POLICIES[identity]
    rules = [
        {
            "id": f"{identity}{level}",
            "escalation_delay_in_minutes": 15,
            "targets": [schedule_reference(one) if one in ROTATIONS else user_reference(user_id(one))],
        }
        for level, one in enumerate(levels, start=1)
    ]
    services = [service_reference(service) for service, (_, used) in SERVICES.items() if used == identity]
    return whole("escalation_policy", identity, name, num_loops=2, escalation_rules=rules, services=services, teams=[])


def service(identity: str) -> Json:
    """A service. Raises `KeyError` for an unknown id."""
    name, used = SERVICES[identity]
    return whole(
        "service",
        identity,
        name,
        status="active",
        escalation_policy=policy_reference(used),
        auto_resolve_timeout=14400,
        acknowledgement_timeout=1800,
        teams=[],
        integrations=[],
        alert_creation="create_alerts_and_incidents",
    )


def shifts(schedule: str, since: datetime, until: datetime) -> list[tuple[str, datetime, datetime]]:
    """The turns of a rotation that touch that time: user id, start, end."""
    people = ROTATIONS[schedule][1]
    turn = (since - FIRST_TURN) // TURN
    found = []
    while (start := FIRST_TURN + turn * TURN) <= until:
        found.append((user_id(people[turn % len(people)]), start, start + TURN))
        turn += 1
    return found


def schedule(identity: str, since: datetime, until: datetime) -> Json:
    """A rotation with its turns in that time. Raises `KeyError` for an unknown id."""
    name, people = ROTATIONS[identity]
    entries = [
        {"start": stamp(start), "end": stamp(end), "user": user_reference(user)}
        for user, start, end in shifts(identity, since, until)
    ]
    final = {"name": "Final Schedule", "rendered_schedule_entries": entries, "rendered_coverage_percentage": 100.0}
    used_by = [policy_reference(one) for one, (_, levels) in POLICIES.items() if identity in levels]
    return whole(
        "schedule",
        identity,
        name,
        time_zone="Etc/UTC",
        users=[user_reference(user_id(one)) for one in people],
        escalation_policies=used_by,
        final_schedule=final,
        teams=[],
    )


def on_call(since: datetime, until: datetime) -> list[Json]:
    """Everybody on call at some moment of that time, by policy and level; a person who is always there has no end."""
    found = []
    for identity, (_, levels) in POLICIES.items():
        for level, one in enumerate(levels, start=1):
            rota = one in ROTATIONS
            turns = shifts(one, since, until) if rota else [(user_id(one), None, None)]
            found += [
                {
                    "escalation_policy": policy_reference(identity),
                    "escalation_level": level,
                    "schedule": schedule_reference(one) if rota else None,
                    "user": user_reference(user),
                    "start": stamp(start) if start else None,
                    "end": stamp(end) if end else None,
                }
                for user, start, end in turns
            ]
    return found
