"""The few protobuf bodies kubectl sends: reviews. Everything else it sends as JSON."""

from typing import Any

from bot.drill.cluster.failures import Object, RefusedError, bad_request

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_Schema = dict[int, Any]
"""Field number → its name (a string field), or its name and the schema of the message in it."""

_ATTRIBUTES: _Schema = {
    1: "namespace",
    2: "verb",
    3: "group",
    4: "version",
    5: "resource",
    6: "subresource",
    7: "name",
}
_REVIEWS: dict[str, _Schema] = {
    "SelfSubjectAccessReview": {
        2: ("spec", {1: ("resourceAttributes", _ATTRIBUTES), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})})
    },
    "SelfSubjectRulesReview": {2: ("spec", {1: "namespace"})},
    "SelfSubjectReview": {},
}
_ENVELOPE: _Schema = {1: ("meta", {1: "apiVersion", 2: "kind"})}


def decode(body: bytes) -> Object:
    """The object in a protobuf body. Raises `RefusedError`: 400 for a broken one, 415 for kinds not spoken here."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body does not begin as Kubernetes protobuf does")
    try:
        envelope = _fields(body[len(_MAGIC) :])
        kind = _message(body[len(_MAGIC) :], _ENVELOPE)["meta"]
        if kind["kind"] not in _REVIEWS:
            raise RefusedError(415, "UnsupportedMediaType", f"{kind['kind']} is understood as JSON only")
        return {**kind, **_message(b"".join(envelope.get(2, [])), _REVIEWS[kind["kind"]])}
    except (KeyError, IndexError, ValueError) as error:
        raise bad_request(f"the protobuf body can't be read: {error!r}") from error


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the place after it."""
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(raw: bytes) -> dict[int, list[bytes]]:
    """The length-delimited fields of a message; numbers, which no review needs, are passed over."""
    found: dict[int, list[bytes]] = {}
    at = 0
    while at < len(raw):
        tag, at = _number(raw, at)
        size, at = _number(raw, at)
        wire_type = tag & 7
        if wire_type == 2:
            if at + size > len(raw):
                raise ValueError("a field ends after the message")
            found.setdefault(tag >> 3, []).append(raw[at : at + size])
            at += size
        elif wire_type != 0:
            raise ValueError(f"wire type {wire_type}")
    return found


def _message(raw: bytes, schema: _Schema) -> Object:
    result: Object = {}
    for number, values in _fields(raw).items():
        match schema.get(number):
            case str(name):
                result[name] = values[-1].decode()
            case (str(name), dict(inner)):
                result[name] = _message(values[-1], inner)
    return result
