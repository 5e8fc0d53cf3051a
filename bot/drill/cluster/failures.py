"""How a Kubernetes API server says no: an exception for each refusal, and the ``Status`` body it becomes."""

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, as its JSON."""


class RefusedError(Exception):
    """A request that is answered with a failure ``Status``."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def as_status(self) -> Object:
        """The ``Status`` object a client reads."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def not_found(plural: str, group: str, name: str) -> RefusedError:
    """404: there is no such object."""
    full = f"{plural}.{group}" if group else plural
    return RefusedError(404, "NotFound", f'{full} "{name}" not found', {"name": name, "group": group, "kind": plural})


def no_such_path() -> RefusedError:
    """404: the server knows no such kind of thing."""
    return RefusedError(404, "NotFound", "the server could not find the requested resource")


def bad_request(message: str) -> RefusedError:
    """400: the request makes no sense."""
    return RefusedError(400, "BadRequest", message)


def modified(plural: str, group: str, name: str) -> RefusedError:
    """409: somebody changed the object after the caller read it."""
    full = f"{plural}.{group}" if group else plural
    return RefusedError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {full} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
        {"name": name, "group": group, "kind": plural},
    )


def already_exists(plural: str, group: str, name: str) -> RefusedError:
    """409: an object of that name is there."""
    full = f"{plural}.{group}" if group else plural
    return RefusedError(
        409, "AlreadyExists", f'{full} "{name}" already exists', {"name": name, "group": group, "kind": plural}
    )


def invalid(kind: str, name: str, field: str, why: str) -> RefusedError:
    """422: a field holds something it may not."""
    return RefusedError(
        422,
        "Invalid",
        f'{kind} "{name}" is invalid: {field}: {why}',
        {"name": name, "kind": kind, "causes": [{"reason": "FieldValueInvalid", "message": why, "field": field}]},
    )


def expired(version: int) -> RefusedError:
    """410: the asked-for resource version has left the history."""
    return RefusedError(410, "Expired", f"too old resource version: {version}")
