"""The cluster's etcd: objects with resource versions, and the history that watches read."""

import asyncio
import copy
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.drill.cluster.failures import Object, already_exists, expired, modified, not_found
from bot.drill.cluster.kinds import BY_PLURAL

_HISTORY = 4000
"""Changes kept for watches; an older resource version is answered 410 Expired."""


def stamp(at: float) -> str:
    """A time in seconds since the epoch as Kubernetes writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(stamped: str) -> float:
    """The seconds since the epoch that `stamp` wrote."""
    return datetime.strptime(stamped, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Change:
    """One entry of the history."""

    version: int
    type: str
    """``ADDED``, ``MODIFIED`` or ``DELETED``."""
    plural: str
    after: Object
    before: Object | None


class Store:
    """All objects. What it hands out is shared: copy before changing, then `replace`."""

    def __init__(self) -> None:
        self.version = 1000
        self._objects: dict[str, dict[tuple[str, str], Object]] = {plural: {} for plural in BY_PLURAL}
        """By kind, then by namespace and name."""
        self._history: deque[Change] = deque(maxlen=_HISTORY)
        self._news = asyncio.Event()

    def find(self, plural: str, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._objects[plural].get((namespace, name))

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """The object. Raises `RefusedError` (404)."""
        found = self.find(plural, namespace, name)
        if found is None:
            raise not_found(plural, BY_PLURAL[plural].group, name)
        return found

    def all_of(self, plural: str, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, of one namespace or of all, by name."""
        found = sorted(self._objects[plural].items(), key=lambda entry: entry[0])
        return [item for (where, _), item in found if namespace in {None, where}]

    def create(self, plural: str, item: Object, at: float, *, dry: bool = False) -> Object:
        """Add an object and return it as stored. Raises `RefusedError` (409) if its name is taken."""
        kind = BY_PLURAL[plural]
        fresh = copy.deepcopy(item)
        meta = fresh["metadata"]
        if self.find(plural, meta.get("namespace", ""), meta["name"]):
            raise already_exists(plural, kind.group, meta["name"])
        fresh |= {"apiVersion": kind.group_version, "kind": kind.kind}
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = stamp(at)
        if kind.counts_generations:
            meta["generation"] = 1
        return fresh if dry else self._record("ADDED", plural, fresh, None)

    def replace(self, plural: str, item: Object, *, dry: bool = False) -> Object:
        """Store a changed object. A resource version it carries must be the present one, else 409."""
        kind = BY_PLURAL[plural]
        meta = item["metadata"]
        before = self.get(plural, meta.get("namespace", ""), meta["name"])
        if meta.get("resourceVersion", before["metadata"]["resourceVersion"]) != before["metadata"]["resourceVersion"]:
            raise modified(plural, kind.group, meta["name"])
        fresh = copy.deepcopy(item)
        for kept in ("uid", "creationTimestamp", "generation", "resourceVersion"):
            if kept in before["metadata"]:
                fresh["metadata"][kept] = before["metadata"][kept]
        if fresh == before:
            return before
        if kind.counts_generations and fresh.get("spec") != before.get("spec"):
            fresh["metadata"]["generation"] += 1
        return fresh if dry else self._record("MODIFIED", plural, fresh, before)

    def set_status(self, plural: str, item: Object, status: Object) -> None:
        """Replace only the status, as controllers do."""
        if item.get("status") != status:
            self.replace(plural, {**item, "status": status})

    def delete(self, plural: str, namespace: str, name: str) -> Object:
        """Take an object away and return it. Raises `RefusedError` (404)."""
        before = self.get(plural, namespace, name)
        return self._record("DELETED", plural, copy.deepcopy(before), before)

    def _record(self, type_: str, plural: str, fresh: Object, before: Object | None) -> Object:
        self.version += 1
        meta = fresh["metadata"]
        meta["resourceVersion"] = str(self.version)
        key = (meta.get("namespace", ""), meta["name"])
        if type_ == "DELETED":
            del self._objects[plural][key]
        else:
            self._objects[plural][key] = fresh
        self._history.append(Change(self.version, type_, plural, fresh, before))
        self._news.set()
        self._news = asyncio.Event()
        return fresh

    def changes_after(self, version: int) -> list[Change]:
        """The history since a resource version. Raises `RefusedError` (410) if it does not reach back that far."""
        oldest = self._history[0].version if self._history else self.version + 1
        if version < oldest - 1:
            raise expired(version)
        return [change for change in self._history if change.version > version]

    async def news(self) -> None:
        """Wait for the next change."""
        await self._news.wait()

    def as_json(self) -> Any:
        """What is saved; the history is not."""
        return {
            "version": self.version,
            "objects": {plural: list(kept.values()) for plural, kept in self._objects.items()},
        }

    def restore(self, saved: Any) -> None:
        """Continue from `as_json`."""
        self.version = saved["version"] + 1
        for plural, items in saved["objects"].items():
            named = ((item["metadata"].get("namespace", ""), item["metadata"]["name"], item) for item in items)
            self._objects[plural] = {(namespace, name): item for namespace, name, item in named}
