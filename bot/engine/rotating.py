"""From what a person typed to the rotation that is meant: which key, and what is known of the one that is to go."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.actions import bridge_roles
from bot.actions.restart import infrastructure
from bot.actions.rotate_relay import RotateRelayKey
from bot.actions.rotate_token import RotateCantonToken
from bot.actions.rotate_validator import RotateValidatorKey, marked
from bot.actions.rotation import rotation
from bot.domain.action import Action
from bot.engine.naming import meant
from bot.errors import RefusedError
from bot.ports import CANTON_TOKEN, RELAY_KEY, Writes

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_USAGE = (
    "`/musd rotate relay 0xNEW`, `… validator-2`, or `… token`; with `--compromised` where the old one may be stolen."
)


class Rotating:
    """Looks up what a rotation begins with."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    async def meant(self, words: Sequence[str]) -> Action:
        """The rotation these words ask for.

        Raises:
            RefusedError: they ask for none, or this bot can't do it.
        """
        compromised = "--compromised" in words
        match [word for word in words if word != "--compromised"]:
            case ["relay", new] if _ADDRESS.fullmatch(new):
                return RotateRelayKey(old=await self._relayer(), new=new, compromised=compromised)
            case ["relay", *_]:
                raise _usage("A relay rotation names the new key's address.")
            case ["token"]:
                old = await rotation(infrastructure(self._writes)).secrets.fact(CANTON_TOKEN)
                mark = marked(datetime.now(UTC)) if compromised else ""
                return RotateCantonToken(old=old, compromised=compromised, mark=mark)
            case [validator]:
                return self._validator(validator, compromised=compromised)
            case _:
                raise _usage("Rotate which key?")

    async def _relayer(self) -> str:
        """By the contract, or else by the key that is in the Secret."""
        views = self._writes.views
        found = await bridge_roles.relayer(views) if views else ""
        found = found or await rotation(infrastructure(self._writes)).secrets.fact(RELAY_KEY)
        if not _ADDRESS.fullmatch(found):
            raise RefusedError("The present relay key's address is not known.", means="Nothing was proposed.")
        return found

    def _validator(self, word: str, *, compromised: bool) -> RotateValidatorKey:
        infra = infrastructure(self._writes)
        validator = meant(word.lower(), infra.validators)
        old = rotation(infra).validator_keys.get(validator, "")
        if not old:
            raise RefusedError(
                f"The present key of {validator} is not configured.",
                means="Nothing was proposed.",
                next_step="Set VALIDATOR_KMS_KEY_IDS to deployment=key-id, ….",
            )
        mark = marked(datetime.now(UTC))
        return RotateValidatorKey(validator=validator, old=old, mark=mark, compromised=compromised)


def _usage(happened: str) -> RefusedError:
    return RefusedError(happened, means="Nothing was proposed.", next_step=_USAGE)
