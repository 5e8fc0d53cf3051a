"""The second factor: a one-time code (TOTP, RFC 6238) of the person who approves.

No secret of anybody's is stored. A person's is derived from the bot's own (MUSD_SECOND_FACTOR_SECRET), their user id
and a number that goes up each time they are enrolled: a copy of the database makes no codes, and enrolling again ends
an old phone's. One enrolment serves approvals in Slack and the pause in a terminal. The store counts tries before a
code is looked at, and takes each code's time step once.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyotp
from pydantic import SecretStr

from bot.errors import RefusedError
from bot.ports import AuditRow, Store

_STEP: Final = 30
"""Seconds a code is shown, as every authenticator has it."""
_EITHER_SIDE: Final = 1
"""Steps that a phone's clock may be behind or ahead."""
_TRIES: Final = 5
"""Codes a person may try, right or wrong, before they wait."""
_WAIT: Final = timedelta(minutes=15)
_NOT_COUNTED: Final = "Your approval was not counted."


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator is given, shown once."""

    uri: str
    """`otpauth://…`."""
    secret: str
    """Base32, for typing in."""
    generation: int
    """Which enrolment of theirs this is, from 1 on."""


class SecondFactor:
    """Checks codes, and enrols people."""

    def __init__(self, store: Store, secret: SecretStr) -> None:
        self._store = store
        self._secret = secret

    async def enrol(self, person: str, by: str) -> Enrolment:
        """Give this person a new secret; whatever made their codes before makes none any more.

        Raises:
            RefusedError: the bot has no secret to derive one from.
        """
        _need(self._secret)
        generation = await self._store.enrol(person)
        now = datetime.now(UTC)
        row = AuditRow(at=now, actor=by, what="enrolled", subject=person, detail={"generation": generation})
        await self._store.audit(row)
        secret = derived(self._secret, person, generation)
        uri = pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name="musd-bot")
        return Enrolment(uri, secret, generation)

    async def check(self, person: str, code: str, now: datetime) -> None:
        """Take a code, once.

        Raises:
            RefusedError: it is wrong or used, there were too many, or nobody has enrolled this person.
        """
        _need(self._secret)
        tried = await self._store.try_code(person, now, _WAIT)
        if tried is None:
            raise RefusedError(
                "You have no second factor yet.",
                means=_NOT_COUNTED,
                next_step=f"Ask whoever runs the bot for `musd-bot enrol {person}`.",
            )
        if tried.tries > _TRIES:
            raise RefusedError(
                f"That were {_TRIES} codes within {int(_WAIT.total_seconds() // 60)} minutes.",
                means="Your approval was not counted, and no code of yours is looked at now.",
                next_step=f"Try again at {tried.since + _WAIT:%H:%M} UTC, or let somebody else approve.",
            )
        step = _step_of(derived(self._secret, person, tried.generation), code, now)
        if step is None or not await self._store.use_code(person, step):
            why = "That code is not right now." if step is None else "That code was used already."
            raise RefusedError(why, means=_NOT_COUNTED, next_step="Wait for the next code.")


def check_alone(secret: SecretStr, person: str, generation: int, code: str, now: datetime) -> None:
    """Look at a code where the store can't be asked: nobody knows then whether it was used, or how many were tried.

    Args:
        secret: the bot's own.
        person: whose code it is.
        generation: which enrolment of theirs counts.
        code: as it was typed.
        now: the time.

    Raises:
        RefusedError: it is not right now, or the bot has no secret.
    """
    _need(secret)
    if _step_of(derived(secret, person, generation), code, now) is None:
        raise RefusedError("That code is not right now.", means=_NOT_COUNTED, next_step="Wait for the next code.")


def derived(secret: SecretStr, person: str, generation: int) -> str:
    """The base32 secret of this enrolment."""
    key, what = secret.get_secret_value().encode(), f"totp:{person}:{generation}".encode()
    return base64.b32encode(hmac.digest(key, what, hashlib.sha256)[:20]).decode()


def _need(secret: SecretStr) -> None:
    if not secret.get_secret_value():
        raise RefusedError(
            "This takes a second factor, and the bot has none set up.",
            means=_NOT_COUNTED,
            next_step="Set MUSD_SECOND_FACTOR_SECRET, then enrol people with `musd-bot enrol`.",
        )


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step this code is for, looked at in constant time; None where it is for none of these."""
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP
    given = "".join(code.split())
    steps = range(present - _EITHER_SIDE, present + _EITHER_SIDE + 1)
    right = [step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), given)]
    return right[0] if right else None
