"""What can be done with objects: get, list, create, update, patch, delete, and their scale."""

import base64
import binascii
import copy
import re
import time
from typing import Any

from bot.drill.cluster import kubelet
from bot.drill.cluster.failures import Object, RefusedError, bad_request, invalid, modified, not_found
from bot.drill.cluster.kinds import Kind
from bot.drill.cluster.ownership import record_update, server_side_apply
from bot.drill.cluster.patch import apply_patch, merge
from bot.drill.cluster.quantity import parse_bytes
from bot.drill.cluster.request import Asked
from bot.drill.cluster.select import both
from bot.drill.cluster.state import State

_APPLY = "application/apply-patch"
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")


def listed(state: State, asked: Asked) -> list[Object]:
    """The objects a list request means. ``limit`` is tolerated: everything comes at once."""
    test = both(asked.query.get("labelSelector", ""), asked.query.get("fieldSelector", ""))
    return [item for item in state.store.all_of(asked.kind.plural, asked.namespace or None) if test(item)]


def got(state: State, asked: Asked) -> Object:
    """The one object a request names. Raises `RefusedError` (404)."""
    return state.store.get(asked.kind.plural, asked.namespace, asked.name)


def create(state: State, asked: Asked) -> Object:
    """Make the object in the body."""
    item = _body(asked)
    item["metadata"].setdefault("name", asked.name)
    fresh = record_update(None, item, asked.manager, time.time())
    return state.store.create(asked.kind.plural, _checked(asked.kind, fresh), time.time(), dry=asked.dry)


def update(state: State, asked: Asked) -> Object:
    """Replace the object by the one in the body, which may carry the resource version it was read at."""
    before = got(state, asked)
    return _store(state, asked, before, {**_body(asked), "status": before.get("status", {})})


def patch(state: State, asked: Asked) -> Object:
    """Change the object, or with server-side apply make it."""
    content_type = asked.headers.get("Content-Type", "")
    if content_type.startswith(_APPLY):
        return _apply(state, asked)
    before = got(state, asked)
    after = apply_patch(content_type, before, asked.json())
    return _store(state, asked, before, {**after, "status": before.get("status", {})})


def delete(state: State, asked: Asked) -> Object:
    """Take the object away; a pod gets its time to end."""
    found = got(state, asked)
    if asked.dry:
        return found
    if asked.kind.plural == "pods":
        grace = asked.number("gracePeriodSeconds")
        if grace is None and asked.body:
            grace = asked.json().get("gracePeriodSeconds")
        return kubelet.end(state, found, time.time(), 30 if grace is None else grace)
    return state.store.delete(asked.kind.plural, asked.namespace, asked.name)


def _apply(state: State, asked: Asked) -> Object:
    if not asked.query.get("fieldManager"):
        raise invalid("PatchOptions", "", "fieldManager", "Required value: is required for apply patch")
    item = _body(asked)
    before = state.store.find(asked.kind.plural, asked.namespace, asked.name)
    now = time.time()
    if before is None and "create" not in asked.kind.verbs:
        raise not_found(asked.kind.plural, asked.kind.group, asked.name)
    if before is None:
        empty = {**{key: item[key] for key in ("apiVersion", "kind")}, "metadata": _named(asked)}
        fresh = server_side_apply(empty, item, asked.manager, now, force=True)
        return state.store.create(asked.kind.plural, _checked(asked.kind, fresh), now, dry=asked.dry)
    fresh = server_side_apply(before, item, asked.manager, now, force=asked.flag("force"))
    return state.store.replace(asked.kind.plural, _checked(asked.kind, fresh), dry=asked.dry)


def _named(asked: Asked) -> Object:
    return {"name": asked.name, **({"namespace": asked.namespace} if asked.namespace else {})}


def _body(asked: Asked) -> Object:
    """The object sent, complete with kind, name and namespace. Raises `RefusedError` (400) for anything else."""
    item = asked.json()
    kind = asked.kind
    if not isinstance(item, dict) or not isinstance(item.get("metadata", {}), dict):
        raise bad_request("the body is no object")
    given = (item.setdefault("apiVersion", kind.group_version), item.setdefault("kind", kind.kind))
    if given != (kind.group_version, kind.kind):
        raise bad_request(f"the object provided is a {given[0]} {given[1]}, expected {kind.group_version} {kind.kind}")
    meta = item.setdefault("metadata", {})
    for field, value in _named(asked).items():
        if value and meta.setdefault(field, value) != value:
            raise bad_request(
                f"the {field} of the provided object does not match the {field} sent on the request ({value})"
            )
    return item


def _store(state: State, asked: Asked, before: Object, after: Object) -> Object:
    meta = after["metadata"]
    seen_version = meta.get("resourceVersion", "")
    if seen_version and seen_version != before["metadata"]["resourceVersion"]:
        raise modified(asked.kind.plural, asked.kind.group, asked.name)
    for fixed in ("name", "namespace", "uid"):
        if fixed in meta and meta[fixed] != before["metadata"].get(fixed):
            raise invalid(asked.kind.kind, asked.name, f"metadata.{fixed}", "field is immutable")
        if fixed in before["metadata"]:
            meta[fixed] = before["metadata"][fixed]
    after = {**after, "metadata": {**meta, "resourceVersion": before["metadata"]["resourceVersion"]}}
    checked = _checked(asked.kind, after, before)
    fresh = record_update(before, checked, asked.manager, time.time())
    return state.store.replace(asked.kind.plural, fresh, dry=asked.dry)


def _checked(kind: Kind, item: Object, before: Object | None = None) -> Object:
    """A copy that has passed validation, with defaults. Raises `RefusedError` (422, 400)."""
    item = copy.deepcopy(item)
    name = str(item["metadata"].get("name", ""))
    if not _NAME.fullmatch(name):
        raise invalid(kind.kind, name, "metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 subdomain')
    if kind.plural == "secrets":
        _check_secret(item, name)
    if kind.plural == "deployments":
        _check_deployment(item, name, before)
    return item


def _check_secret(item: Object, name: str) -> None:
    for key, text in (item.pop("stringData", None) or {}).items():
        item.setdefault("data", {})[key] = base64.b64encode(str(text).encode()).decode()
    item.setdefault("type", "Opaque")
    for value in (item.get("data") or {}).values():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise bad_request(f'Secret in version "v1" cannot be handled as a Secret: {name}: {error}') from error


def _check_deployment(item: Object, name: str, before: Object | None) -> None:
    spec = item.get("spec", {})
    replicas = spec.setdefault("replicas", 1)
    if not isinstance(replicas, int) or replicas < 0:
        raise invalid("Deployment", name, "spec.replicas", f"Invalid value: {replicas}: must be a number, 0 or more")
    if before is not None and spec.get("selector") != before["spec"]["selector"]:
        raise invalid("Deployment", name, "spec.selector", "Invalid value: field is immutable")
    containers = spec.get("template", {}).get("spec", {}).get("containers")
    if not containers:
        raise invalid("Deployment", name, "spec.template.spec.containers", "Required value")
    for index, container in enumerate(containers):
        resources = container.get("resources", {})
        sizes = {part: (resources.get(part) or {}).get("memory") for part in ("limits", "requests")}
        where = f"spec.template.spec.containers[{index}].resources"
        try:
            limit, request = (parse_bytes(str(size)) if size else None for size in sizes.values())
        except ValueError as error:
            raise bad_request(f'Deployment in version "v1" cannot be handled as a Deployment: {error}') from error
        if limit is not None and request is not None and request > limit:
            why = (
                f'Invalid value: "{sizes["requests"]}": must be less than or equal to memory limit of {sizes["limits"]}'
            )
            raise invalid("Deployment", name, f"{where}.requests", why)


def scale(state: State, asked: Asked) -> Object:
    """Read or change the scale of a deployment."""
    found = got(state, asked)
    shown = _as_scale(found)
    if asked.verb == "get":
        return shown
    sent: Any = asked.json()
    wanted = merge(shown, sent) if asked.verb == "update" else apply_patch(asked.headers["Content-Type"], shown, sent)
    if wanted["metadata"].get("resourceVersion") not in {None, "", found["metadata"]["resourceVersion"]}:
        raise modified(asked.kind.plural, asked.kind.group, asked.name)
    after = {**found, "spec": {**found["spec"], "replicas": wanted["spec"].get("replicas", 0)}}
    return _as_scale(_store(state, asked, found, after))


def _as_scale(item: Object) -> Object:
    meta = {key: item["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    labels = item["spec"]["selector"]["matchLabels"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": item["spec"]["replicas"]},
        "status": {
            "replicas": item.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in labels.items()),
        },
    }


WRITES = {"create": create, "update": update, "patch": patch, "delete": delete}


def write(state: State, asked: Asked) -> Object:
    """Do what a writing request asks. Raises `RefusedError`, by the fault ``conflict`` too."""
    if asked.verb not in WRITES or asked.verb not in asked.kind.verbs:
        raise RefusedError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    if state.troubles.conflicts and asked.verb in {"update", "patch"}:
        state.troubles.conflicts -= 1
        raise modified(asked.kind.plural, asked.kind.group, asked.name)
    try:
        return scale(state, asked) if asked.sub == "scale" else WRITES[asked.verb](state, asked)
    except (AttributeError, KeyError, TypeError) as error:  # an object of the wrong shape, such as a text for a spec
        raise bad_request(f"the object provided cannot be handled as a {asked.kind.kind}: {error!r}") from error
