"""The incidents of the practice PagerDuty: what may happen to one, by whom, and who is told."""

from collections.abc import Callable

from bot.drill.listening import Json, now, stamp
from bot.drill.pagerduty import account

Announce = Callable[[str, Json, Json], None]
"""Told of every change: the webhook's event type, the incident, and the agent who did it."""


class RefusedError(ValueError):
    """PagerDuty refuses the change; the text is the line its answer carries."""


class Incidents:
    """Every incident there was, oldest first, in the shape the REST API shows them."""

    def __init__(self, announce: Announce) -> None:
        self.all: list[Json] = []
        self.notes: dict[str, list[Json]] = {}
        self._announce = announce

    def find(self, identity: str) -> Json:
        """The incident of that id or number. Raises `KeyError` when there is none."""
        for one in self.all:
            if identity in {one["id"], str(one["incident_number"])}:
                return one
        raise KeyError(identity)

    def open_with(self, key: str, service: str | None = None) -> Json | None:
        """The unresolved incident with that dedup key, on that service if one is named."""
        for one in reversed(self.all):
            same = one["incident_key"] == key and service in {None, one["service"]["id"]}
            if same and one["status"] != "resolved":
                return one
        return None

    def create(self, *, title: str, key: str, service: str, agent: Json, policy: str = "", body: Json) -> Json:
        """Open an incident and assign it to whoever is on call at the policy's first level."""
        number = len(self.all) + 1
        at = stamp(now())
        identity = f"PINC{number:04d}"
        used = policy or account.SERVICES[service][1]
        incident = {
            **account.reference("incident", identity, f"[#{number}] {title}"),
            "type": "incident",
            "incident_number": number,
            "title": title,
            "description": title,
            "created_at": at,
            "updated_at": at,
            "status": "triggered",
            "incident_key": key,
            "service": account.service_reference(service),
            "urgency": "high",
            "assignments": [],
            "assigned_via": "escalation_policy",
            "last_status_change_at": at,
            "last_status_change_by": _author(account.service_reference(service), agent),
            "resolved_at": None,
            "alert_counts": {"all": 1, "triggered": 1, "resolved": 0},
            "escalation_policy": account.policy_reference(used),
            "escalation_level": 1,
            "teams": [],
            "pending_actions": [],
            "acknowledgements": [],
            "priority": None,
            "resolve_reason": None,
            "conference_bridge": None,
            "incidents_responders": [],
            "responder_requests": [],
            "body": {"type": "incident_body", "details": body},
        }
        self.all.append(incident)
        self.notes[identity] = []
        self._assign_level(incident, 1)
        self._announce("incident.triggered", incident, agent)
        return incident

    def join(self, incident: Json) -> None:
        """Another trigger with an open key: one alert more, and nobody is notified."""
        incident["alert_counts"]["all"] += 1
        incident["updated_at"] = stamp(now())

    def acknowledge(self, incident: Json, agent: Json) -> None:
        """Somebody takes it. A second acknowledgement by another is added. Raises `RefusedError` when resolved."""
        self._must_be_open(incident)
        author = _author(incident["service"], agent)
        if any(one["acknowledger"]["id"] == author["id"] for one in incident["acknowledgements"]):
            return
        incident["acknowledgements"].append({"at": stamp(now()), "acknowledger": author})
        self._status(incident, "acknowledged", agent)
        self._announce("incident.acknowledged", incident, agent)

    def resolve(self, incident: Json, agent: Json) -> None:
        """It is over. Raises `RefusedError` when it already was."""
        self._must_be_open(incident)
        self._status(incident, "resolved", agent)
        incident["resolved_at"] = incident["last_status_change_at"]
        incident["assignments"] = []
        incident["acknowledgements"] = []
        incident["alert_counts"] |= {"triggered": 0, "resolved": incident["alert_counts"]["all"]}
        self._announce("incident.resolved", incident, agent)

    def reopen(self, incident: Json, agent: Json) -> None:
        """It is not over after all, or nobody is on it: triggered again, at the first level."""
        was = incident["status"]
        self._status(incident, "triggered", agent)
        incident["resolved_at"] = None
        incident["acknowledgements"] = []
        self._assign_level(incident, 1)
        event = "incident.reopened" if was == "resolved" else "incident.unacknowledged"
        self._announce(event, incident, agent)

    def escalate(self, incident: Json, level: int, agent: Json) -> None:
        """Assign it to that level of its policy and notify there, so it is triggered again."""
        self._must_be_open(incident)
        self._assign_level(incident, level)
        incident["acknowledgements"] = []
        self._status(incident, "triggered", agent)
        self._announce("incident.escalated", incident, agent)

    def reassign(self, incident: Json, users: list[str], agent: Json) -> None:
        """Hand it to those users. Raises `RefusedError` for none or one nobody knows."""
        self._must_be_open(incident)
        if not users or not set(users) <= set(account.USERS):
            raise RefusedError("Assignee is invalid")
        incident["assignments"] = [_assignment(user) for user in users]
        incident["assigned_via"] = "direct_assignment"
        incident["acknowledgements"] = []
        self._status(incident, "triggered", agent)
        self._announce("incident.reassigned", incident, agent)

    def delegate(self, incident: Json, policy: str, agent: Json) -> None:
        """Give it to another escalation policy. Raises `RefusedError` for one nobody knows."""
        self._must_be_open(incident)
        if policy not in account.POLICIES:
            raise RefusedError("Escalation policy is invalid")
        incident["escalation_policy"] = account.policy_reference(policy)
        self._assign_level(incident, 1)
        self._announce("incident.delegated", incident, agent)

    def prioritise(self, incident: Json, priority: str | None, agent: Json) -> None:
        """Set or take away the priority. Raises `RefusedError` for one nobody knows."""
        if priority is not None and priority not in account.PRIORITIES:
            raise RefusedError("Priority is invalid")
        incident["priority"] = account.priority(priority) if priority else None
        self._announce("incident.priority_updated", incident, agent)

    def note(self, incident: Json, content: str, agent: Json) -> Json:
        """Write a note on it."""
        notes = self.notes[incident["id"]]
        note = {
            "id": f"PNOTE{incident['incident_number']:04d}{len(notes) + 1:04d}",
            "user": agent,
            "channel": {"summary": "The PagerDuty website or APIs"},
            "content": content,
            "created_at": stamp(now()),
        }
        notes.append(note)
        self._announce("incident.annotated", incident, agent)
        return note

    def ask_for(self, incident: Json, message: str, targets: list[Json], agent: Json) -> Json:
        """Ask more people to join. Raises `RefusedError` when a target is nobody."""
        wanted = [one.get("responder_request_target", one) for one in targets]
        for target in wanted:
            known = account.POLICIES if target.get("type", "").startswith("escalation_policy") else account.USERS
            if target.get("id") not in known:
                raise RefusedError("Responder request target is invalid")
        asked = {
            "id": f"PRESP{len(incident['responder_requests']) + 1:04d}",
            "incident": {"id": incident["id"], "type": "incident_reference", "summary": incident["summary"]},
            "requester": agent,
            "requested_at": stamp(now()),
            "message": message,
            "responder_request_targets": [{"responder_request_target": target} for target in wanted],
        }
        incident["responder_requests"].append(asked)
        self._announce("incident.responder.added", incident, agent)
        return asked

    def _must_be_open(self, incident: Json) -> None:
        if incident["status"] == "resolved":
            raise RefusedError("Incident Already Resolved")

    def _status(self, incident: Json, status: str, agent: Json) -> None:
        at = stamp(now())
        author = _author(incident["service"], agent)
        incident |= {"status": status, "last_status_change_at": at, "last_status_change_by": author, "updated_at": at}

    def _assign_level(self, incident: Json, level: int) -> None:
        policy = incident["escalation_policy"]["id"]
        at = now()
        present = [
            one["user"]["id"]
            for one in account.on_call(at, at)
            if one["escalation_policy"]["id"] == policy and one["escalation_level"] == level
        ]
        if not present:
            raise RefusedError(f"Escalation level {level} does not exist")
        incident["assignments"] = [_assignment(user) for user in present]
        incident["escalation_level"] = level
        incident["assigned_via"] = "escalation_policy"


def _author(service: Json, agent: Json) -> Json:
    """Who an incident says did it: a person, or for events its service."""
    return agent if agent["type"] == "user_reference" else service


def _assignment(user: str) -> Json:
    return {"at": stamp(now()), "assignee": account.user_reference(user)}
