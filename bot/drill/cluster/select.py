"""Which objects a label selector and a field selector mean."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from bot.drill.cluster.failures import Object, bad_request

Test = Callable[[Object], bool]

_IN = re.compile(r"^\s*([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([\w./-]+)\s*(==|!=|=)\s*([\w./-]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([\w./-]+)\s*$")
_COMMA = re.compile(r",(?![^(]*\))")


def labels_match(selector: str) -> Test:
    """A test for ``app=musd-relay,tier in (a,b),!debug``. Raises `RefusedError` (400) when it can't be read."""
    tests = [_label_test(part) for part in _COMMA.split(selector) if part.strip()]
    return lambda item: all(test(item["metadata"].get("labels") or {}) for test in tests)


def _label_test(part: str) -> Callable[[dict[str, str]], bool]:
    if found := _IN.match(part):
        key, how, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return lambda labels: (labels.get(key) in values) == (how == "in")
    if found := _EQUAL.match(part):
        key, how, value = found.groups()
        return lambda labels: (labels.get(key) == value) == (how != "!=")
    if found := _EXISTS.match(part):
        no, key = found.groups()
        return lambda labels: (key in labels) == (not no)
    raise bad_request(f"unable to parse requirement: {part!r} is no label selector")


def fields_match(selector: str) -> Test:
    """A test for ``metadata.name=x,status.phase!=Running``. Raises `RefusedError` (400) when it can't be read."""
    tests: list[tuple[str, str, str]] = []
    for part in filter(None, selector.split(",")):
        found = _EQUAL.match(part)
        if found is None:
            raise bad_request(f"invalid field selector {part!r}: can't understand it")
        tests.append((found[1], found[2], found[3]))
    return lambda item: all((str(_field(item, path)) == value) == (how != "!=") for path, how, value in tests)


def _field(item: Object, path: str) -> Any:
    value: Any = item
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, dict) else ""
    return value


def both(label_selector: str, field_selector: str) -> Test:
    """The two selectors of a list request as one test; an empty one matches everything."""
    tests: Iterable[Test] = (labels_match(label_selector), fields_match(field_selector))
    return lambda item: all(test(item) for test in tests)


def matches_labels(item: Object, wanted: dict[str, str]) -> bool:
    """Whether an object carries all of these labels."""
    labels = item["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())
