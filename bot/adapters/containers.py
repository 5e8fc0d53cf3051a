"""A container as `docker inspect` has it, in the port's words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.ports import Pod

MIB = 2**20
_SETTLED = timedelta(seconds=10)
"""Docker's own measure: one that has run for so long since it was restarted is no longer failing."""
_ENDED_BY_OTHERS = {0, 137, 143}
"""Exit codes of one that was stopped (SIGTERM, SIGKILL) or came to its end; any other is an error of its own."""
_NEVER = "0001-"


def summed_up(found: Mapping[str, Any], name: str, now: datetime) -> Pod:
    """What `GET /containers/NAME/json` answers; `name` is the bot's word for it."""
    state, restarts = found["State"], int(found.get("RestartCount", 0))
    health = str((state.get("Health") or {}).get("Status", "")).removeprefix("none")
    runs = bool(state["Running"]) and not state.get("Restarting")
    why = _reason(state, restarts, health, now)
    return Pod(
        name=own_name(found),
        phase=str(state["Status"]),
        ready=runs and not why,
        reason=why,
        restarts=restarts,
        last_end="" if runs else _end(state),
        last_exit=None if runs else int(state["ExitCode"]),
        memory_limit=memory_limit(found),
        started_at=moment(state.get("StartedAt", "")),
        owner=name,
        image=str(found["Config"]["Image"]),
        health=health,
        ended_at=moment(state.get("FinishedAt", "")),
    )


def own_name(found: Mapping[str, Any]) -> str:
    """Docker writes it with a slash in front."""
    return str(found["Name"]).lstrip("/")


def memory_limit(found: Mapping[str, Any]) -> str:
    """Such as ``512Mi``; empty where it has none."""
    limit = int(found["HostConfig"].get("Memory") or 0)
    return f"{limit // MIB}Mi" if limit else ""


def complaints(found: Mapping[str, Any]) -> list[str]:
    """What Docker itself holds against it: why it could not be started, and what its failed health checks said."""
    state = found["State"]
    failed = [one for one in (state.get("Health") or {}).get("Log") or () if one.get("ExitCode")]
    said = [f"Unhealthy: {str(one.get('Output', '')).strip() or 'no output'}" for one in failed]
    if state.get("OOMKilled"):
        said.append(f"OOMKilled: it used more than its memory limit ({memory_limit(found) or 'none set'})")
    return [*said, *([f"Failed: {state['Error']}"] if state.get("Error") else [])]


def moment(text: str) -> datetime | None:
    """One of Docker's, which have nanoseconds and are in UTC; None for its word for never."""
    if not text or text.startswith(_NEVER):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def _reason(state: Mapping[str, Any], restarts: int, health: str, now: datetime) -> str:
    """Why it does not run well; empty where it does."""
    if state.get("Restarting") or not state["Running"]:
        if state.get("OOMKilled"):
            return "OOMKilled"
        if state.get("Restarting"):
            return "Restarting"
        failed = state["Status"] == "exited" and state["ExitCode"] not in _ENDED_BY_OTHERS
        return "Error" if failed else str(state["Status"]).capitalize()
    if state.get("Paused"):
        return "Paused"
    if health in {"unhealthy", "starting"}:
        return health.capitalize()
    began = moment(state.get("StartedAt", ""))
    # In between two deaths it runs, for a moment.
    return "Restarting" if restarts and began is not None and now - began < _SETTLED else ""


def _end(state: Mapping[str, Any]) -> str:
    """How its last run ended; empty where it never ran."""
    if state["Status"] == "created":
        return ""
    return "OOMKilled" if state.get("OOMKilled") else "Error" if state["ExitCode"] else "Completed"
