"""The three classic ways to patch an object: JSON merge, strategic merge, JSON patch."""

import copy
from typing import Any

from bot.drill.cluster.failures import Object, RefusedError, bad_request

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "conditions": "type",
    "ownerReferences": "uid",
}
"""Lists that a strategic merge joins element by element, and what tells their elements apart."""


def apply_patch(content_type: str, item: Object, patch: Any) -> Object:
    """A patched copy. Raises `RefusedError` (400, 415, 422) for what is no such patch."""
    kind = content_type.partition(";")[0].strip()
    if kind == "application/json-patch+json":
        return _json_patch(item, patch)
    if not isinstance(patch, dict):
        raise bad_request("the patch must be a JSON object")
    if kind == "application/merge-patch+json":
        return merge(item, patch)
    if kind == "application/strategic-merge-patch+json":
        return strategic(item, patch)
    raise RefusedError(
        415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {kind or 'no content type'}"
    )


def merge(item: Object, patch: Object) -> Object:
    """RFC 7386: objects are merged, null deletes, everything else replaces."""
    result = dict(item)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merge(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def strategic(item: Object, patch: Object) -> Object:
    """Kubernetes' own merge: like `merge`, but known lists are joined by their key."""
    if patch.get("$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    result = dict(item)
    kept = patch.get("$retainKeys")
    if kept is not None:
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [one for one in result.get(name, []) if one not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = strategic(before if isinstance(before, dict) else {}, value)
        elif isinstance(value, list) and key in _MERGE_KEYS and all(isinstance(one, dict) for one in value):
            result[key] = _merge_list(result.get(key) or [], value, _MERGE_KEYS[key])
        else:
            result[key] = copy.deepcopy(value)
    return result


def _merge_list(before: list[Object], patch: list[Object], key: str) -> list[Object]:
    if any(one.get("$patch") == "replace" for one in patch):
        return [copy.deepcopy(one) for one in patch if "$patch" not in one]
    result = list(before)
    for one in patch:
        if key not in one:
            raise bad_request(f"map: {one} does not contain declared merge key: {key}")
        where = next((index for index, old in enumerate(result) if old.get(key) == one[key]), None)
        if one.get("$patch") == "delete":
            if where is not None:
                del result[where]
        elif where is None:
            result.append(strategic({}, one))
        else:
            result[where] = strategic(result[where], one)
    return result


def _json_patch(item: Object, patch: Any) -> Object:
    if not isinstance(patch, list):
        raise bad_request("a JSON patch must be a list of operations")
    result = copy.deepcopy(item)
    for step in patch:
        try:
            _json_patch_step(result, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise RefusedError(
                422, "Invalid", f"the server rejected our request due to an error in our request: {step}: {error!r}"
            ) from error
    return result


def _json_patch_step(result: Object, step: Object) -> None:
    how = step["op"]
    if how in {"add", "replace"}:
        _put(result, step["path"], copy.deepcopy(step["value"]), insert=how == "add")
    elif how == "remove":
        _take(result, step["path"])
    elif how == "test":
        if _look(result, step["path"]) != step["value"]:
            raise ValueError("testing value failed")
    elif how == "copy":
        _put(result, step["path"], copy.deepcopy(_look(result, step["from"])), insert=True)
    elif how == "move":
        _put(result, step["path"], _take(result, step["from"]), insert=True)
    else:
        raise ValueError(f"unknown operation {how!r}")


def _parent(root: Any, pointer: str) -> tuple[Any, Any]:
    """The container a JSON pointer ends in, and the last step into it."""
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no JSON pointer")
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]
    for step in steps:
        root = root[int(step) if isinstance(root, list) else step]
    return root, last if isinstance(root, dict) or last == "-" else int(last)


def _look(root: Any, pointer: str) -> Any:
    parent, last = _parent(root, pointer)
    return parent[last]


def _take(root: Any, pointer: str) -> Any:
    parent, last = _parent(root, pointer)
    return parent.pop(last)


def _put(root: Any, pointer: str, value: Any, *, insert: bool) -> None:
    parent, last = _parent(root, pointer)
    if isinstance(parent, list):
        if last == "-":
            parent.append(value)
        elif insert:
            parent.insert(last, value)
        else:
            parent[last] = value
        return
    if not insert:
        parent[last]
    parent[last] = value
