"""Small rules that say what is wrong with a JSON value and where; the shapes of Block Kit are made of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Complaint = tuple[str, str]
"""The JSON pointer of the offending value, and what is wrong with it."""
Rule = Callable[[Any, str], Iterator[Complaint]]


def string(most: int, least: int = 1) -> Rule:
    """Text of so many characters."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield path, "must be a string"
        elif len(value) < least:
            yield path, f"must be more than {least - 1} characters"
        elif len(value) > most:
            yield path, f"must be less than {most + 1} characters"

    return check


def pattern(expression: str, meaning: str) -> Rule:
    """Text that matches an expression."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if not (isinstance(value, str) and re.fullmatch(expression, value)):
            yield path, f"must be {meaning}"

    return check


def one_of(*allowed: str) -> Rule:
    """One of a few words."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if value not in allowed:
            yield path, f"value must be one of {', '.join(allowed)}"

    return check


def boolean(value: Any, path: str) -> Iterator[Complaint]:
    """True or false."""
    if not isinstance(value, bool):
        yield path, "must be a boolean"


def whole(least: int, most: int) -> Rule:
    """A whole number within bounds."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield path, "must be an integer"
        elif not least <= value <= most:
            yield path, f"must be between {least} and {most}"

    return check


def anything(_value: Any, _path: str) -> Iterator[Complaint]:
    """Whatever it is, it is not looked into."""
    yield from ()


def listing(rule: Rule, least: int, most: int) -> Rule:
    """So many values of one kind."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield path, "must be an array"
            return
        if len(value) < least:
            yield path, f"must be at least {least} items" if least > 1 else "must not be empty"
        if len(value) > most:
            yield path, f"no more than {most} items allowed"
        for place, one in enumerate(value):
            yield from rule(one, f"{path}/{place}")

    return check


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    """An object with these fields and no others; ``type`` is somebody else's to check."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield path, "must be an object"
            return
        for name in required:
            if name not in value:
                yield path, f"missing required field: {name}"
        for name, one in value.items():
            rule = required.get(name) or optional.get(name)
            if rule is not None:
                yield from rule(one, f"{path}/{name}")
            elif name != "type":
                yield path, f"invalid additional property: {name}"

    return check


def typed(choices: Mapping[str, Rule]) -> Rule:
    """An object whose ``type`` says which rule it follows."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield path, "must be an object"
        elif not isinstance(value.get("type"), str):
            yield path, "missing required field: type"
        elif value["type"] not in choices:
            yield f"{path}/type", f"unsupported type: {value['type']}"
        else:
            yield from choices[value["type"]](value, path)

    return check


def both(*rules: Rule) -> Rule:
    """Everything several rules ask for."""

    def check(value: Any, path: str) -> Iterator[Complaint]:
        for rule in rules:
            yield from rule(value, path)

    return check
