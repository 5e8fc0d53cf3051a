"""Setting changes on record: at start, what is set is compared with what was set last; one audit row names the keys.

A row holds a fingerprint of each setting, and no value. Those of secrets are sixteen bits: too short to try guesses
against, and long enough that a change goes unseen once in 65 536 times.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from bot.ports import AuditFilter, AuditRow, Store
from bot.settings import Settings, name_of

SETTINGS = "settings"
"""What such a row is about."""
_PLAIN, _SECRET = 16, 4
"""Hex digits of a fingerprint."""


async def record_settings(settings: Settings, store: Store) -> None:
    """Write a row if anything changed since the last one; the first one names nothing."""
    newest = await store.newest_audit(1, AuditFilter(what=SETTINGS))
    before: Mapping[str, Any] = newest[0].detail if newest else {}
    salt = str(before.get("salt") or secrets.token_hex(8))
    prints = fingerprints(settings, salt)
    known: Mapping[str, str] = before.get("fingerprints") or prints
    changed = sorted(name for name in {*known, *prints} if known.get(name) != prints.get(name))
    if newest and not changed:
        return
    detail = {"changed": changed, "salt": salt, "fingerprints": prints}
    row = AuditRow(at=datetime.now(UTC), actor="bot", what=SETTINGS, detail=detail)
    await store.audit(row)


def fingerprints(settings: Settings, salt: str) -> Mapping[str, str]:
    """One for each setting, by its name in the environment."""
    found: dict[str, str] = {}
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        text = json.dumps([salt, field, _revealed(value)], default=str, sort_keys=True)
        digits = _SECRET if _is_secret(value) else _PLAIN
        found[name_of(field)] = hashlib.sha256(text.encode()).hexdigest()[:digits]
    return found


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr) or (isinstance(value, tuple) and any(map(_is_secret, value)))


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return [_revealed(one) for one in value] if isinstance(value, tuple) else value
