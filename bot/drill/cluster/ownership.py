"""Who owns which field: ``managedFields``, server-side apply and its conflicts."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from bot.drill.cluster.failures import Object, RefusedError
from bot.drill.cluster.patch import strategic
from bot.drill.cluster.store import stamp

Path = tuple[str, ...]
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "protocol"),
}
"""Lists whose elements have owners of their own, and what tells the elements apart."""
_META = {"labels", "annotations", "finalizers"}
"""What of the metadata can be owned."""


def fields_of(item: Object) -> dict[Path, Any]:
    """Every ownable field of an object and its value, the paths in ``fieldsV1`` words (``f:data``, ``k:{…}``)."""
    meta = {key: value for key, value in item["metadata"].items() if key in _META}
    body = {key: value for key, value in item.items() if key not in {"apiVersion", "kind", "metadata", "status"}}
    return dict(_leaves({"metadata": meta, **body}, ()))


def _leaves(value: Object, path: Path) -> Iterator[tuple[Path, Any]]:
    for name, one in value.items():
        here = (*path, f"f:{name}")
        if isinstance(one, dict) and one:
            yield from _leaves(one, here)
        elif isinstance(one, list) and name in _KEYS and all(isinstance(element, dict) for element in one):
            for element in one:
                key = {part: element[part] for part in _KEYS[name] if part in element}
                yield from _leaves(element, (*here, "k:" + json.dumps(key, separators=(",", ":"))))
        elif one != {}:
            yield here, one


def _as_fields(paths: set[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        spot = tree
        for step in path:
            spot = spot.setdefault(step, {})
    return tree


def _as_paths(tree: Object, path: Path = ()) -> Iterator[Path]:
    if not tree and path:
        yield path
    for step, below in tree.items():
        if step != ".":
            yield from _as_paths(below, (*path, step))


def _words(path: Path) -> str:
    """A path as a conflict names it: ``.data.relayer_private_key``."""
    text = ""
    for step in path:
        if step.startswith("f:"):
            text += "." + step[2:]
        else:
            key = json.loads(step[2:])
            text += "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in key.items()) + "]"
    return text


def _owners(item: Object) -> list[tuple[Object, set[Path]]]:
    return [(entry, set(_as_paths(entry["fieldsV1"]))) for entry in item["metadata"].get("managedFields", ())]


def _entry(item: Object, manager: str, operation: str, paths: set[Path], now: float) -> Object:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": item["apiVersion"],
        "time": stamp(now),
        "fieldsType": "FieldsV1",
        "fieldsV1": _as_fields(paths),
    }


def record_update(before: Object | None, after: Object, manager: str, now: float) -> Object:
    """A copy of `after` in which `manager` owns, by update, every field it changed from `before`."""
    old = fields_of(before) if before else {}
    new = fields_of(after)
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    owners = _owners(before) if before else []
    if not changed and new.keys() == old.keys():
        return _with_owners(after, [entry for entry, _ in owners])
    entries: list[Object] = []
    mine = set(changed)
    for entry, paths in owners:
        if (entry["manager"], entry["operation"]) == (manager, "Update"):
            mine |= paths & new.keys()
        elif left := (paths - changed) & new.keys():
            entries.append({**entry, "fieldsV1": _as_fields(left)})
    if mine:
        entries.append(_entry(after, manager, "Update", mine, now))
    return _with_owners(after, entries)


def _with_owners(item: Object, entries: list[Object]) -> Object:
    return {**item, "metadata": {**item["metadata"], "managedFields": entries}}


def server_side_apply(before: Object, applied: Object, manager: str, now: float, *, force: bool) -> Object:
    """`before` with the fields of `applied`. Raises `RefusedError` (409) where another manager owns one of them.

    Fields this manager applied earlier and now leaves out are removed, unless somebody else owns them too.
    """
    wanted, present = fields_of(applied), fields_of(before)
    owners = _owners(before)
    differing = {path for path, value in wanted.items() if path not in present or present[path] != value}
    clashes = [
        (entry, path)
        for entry, paths in owners
        if (entry["manager"], entry["operation"]) != (manager, "Apply")
        for path in sorted(paths & differing)
    ]
    if clashes and not force:
        raise _conflict(clashes)
    entries, given_up, others = [], set[Path](), set[Path]()
    for entry, paths in owners:
        if (entry["manager"], entry["operation"]) == (manager, "Apply"):
            given_up |= paths - wanted.keys()
            continue
        left = paths - differing
        others |= left
        if left:
            entries.append({**entry, "fieldsV1": _as_fields(left)})
    entries.append(_entry(applied, manager, "Apply", set(wanted), now))
    meta = {key: value for key, value in applied["metadata"].items() if key in _META}
    fresh = strategic(before, {**{k: v for k, v in applied.items() if k != "status"}, "metadata": meta})
    fresh = copy.deepcopy(fresh)
    for path in given_up - others:
        _remove(fresh, path)
    return _with_owners(fresh, entries)


def _remove(item: Any, path: Path) -> None:
    *steps, last = path
    for step in steps:
        if step.startswith("f:"):
            item = item.get(step[2:], {})
        else:
            key = json.loads(step[2:])
            item = next((one for one in item if all(one.get(k) == v for k, v in key.items())), {})
    item.pop(last[2:], None)


def _conflict(clashes: list[tuple[Object, Path]]) -> RefusedError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{entry["manager"]}" using {entry["apiVersion"]}',
            "field": _words(path),
        }
        for entry, path in clashes
    ]
    managers = sorted({cause["message"] for cause in causes})
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    if len(managers) == 1 and len(causes) == 1:
        text = f"{managers[0]}: {causes[0]['field']}"
    else:
        listed = (
            f"{manager}:\n" + "\n".join(f"- {cause['field']}" for cause in causes if cause["message"] == manager)
            for manager in managers
        )
        text = "\n".join(listed)
    return RefusedError(409, "Conflict", f"Apply failed with {count}: {text}", {"causes": causes})
