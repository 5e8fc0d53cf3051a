"""One request to the API: what it names, what it asks, what it carries."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML carries no types

from bot.drill.cluster import protobuf
from bot.drill.cluster.access import Demand
from bot.drill.cluster.failures import bad_request
from bot.drill.cluster.kinds import BY_PATH, Kind

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Asked:
    """A request about an object or a list of them."""

    kind: Kind
    verb: str
    namespace: str
    """Empty for what lies in no namespace, and for lists over all of them."""
    name: str
    sub: str
    """Subresource, such as ``log``; empty for the object itself."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: str

    @property
    def demand(self) -> Demand:
        """What RBAC is asked about it."""
        resource = f"{self.kind.plural}/{self.sub}" if self.sub else self.kind.plural
        return Demand(self.verb, self.kind.group, resource, self.namespace, self.name)

    @property
    def dry(self) -> bool:
        """Whether the outcome is only to be shown."""
        return "dryRun" in self.query

    @property
    def manager(self) -> str:
        """The field manager: as named, or the client's own name."""
        return self.query.get("fieldManager") or self.headers.get("User-Agent", "unknown").partition("/")[0]

    def json(self) -> Any:
        """The body. Raises `RefusedError` (400) if it can't be read."""
        content_type = self.headers.get("Content-Type", "")
        if content_type.startswith(protobuf.CONTENT_TYPE):
            return protobuf.decode(self.body)
        try:
            if "yaml" in content_type:
                return yaml.safe_load(self.body)
            return json.loads(self.body)
        except (ValueError, yaml.YAMLError) as error:
            raise bad_request(f"the object provided is unrecognized: {error}") from error

    def flag(self, name: str) -> bool:
        """A query parameter that is yes or no."""
        return self.query.get(name, "").lower() in {"1", "true", "t"}

    def number(self, name: str) -> int | None:
        """A whole number from the query. Raises `RefusedError` (400) for what is none."""
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise bad_request(
                f'invalid value for {name}: strconv.ParseInt: parsing "{text}": invalid syntax'
            ) from error


def locate(path: str) -> tuple[Kind, str, str, str] | None:
    """Kind, namespace, name and subresource of a path, or None where there is nothing of that kind."""
    parts = path.strip("/").split("/")
    head = 2 if parts[0] == "api" else 3
    root, rest = "/".join(parts[:head]), parts[head:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3:
        return None
    kind = BY_PATH.get((root, rest[0]))
    name, sub = [*rest[1:], "", ""][:2]
    if kind is None or (namespace and not kind.namespaced):
        return None
    if sub and sub not in {known for known, _, _ in kind.subresources}:
        return None
    return kind, namespace, name, sub


def verb_of(method: str, name: str, query: Mapping[str, str]) -> str:
    """The RBAC verb of a request."""
    if method == "GET":
        if query.get("watch", "").lower() in {"1", "true"}:
            return "watch"
        return "get" if name else "list"
    if method == "DELETE" and not name:
        return "deletecollection"
    return _VERBS.get(method, method.lower())
