"""Every kind of Action the bot can carry out. An Action that isn't in this table is refused."""

from collections.abc import Collection, Iterable, Mapping

from bot.actions import (
    announce,
    backup,
    oracle,
    pause,
    restart,
    restore,
    rotate_relay,
    rotate_token,
    rotate_validator,
    supply,
    unpause,
)
from bot.actions.canton import carrying, motions
from bot.domain.action import Action
from bot.domain.policy import TABLE
from bot.errors import ConfigurationError, RefusedError
from bot.ports import How

_HOWS = (
    pause.HOW,
    announce.HOW,
    *unpause.HOWS,
    *supply.HOWS,
    *restart.HOWS,
    *oracle.HOWS,
    backup.HOW,
    restore.HOW,
    rotate_relay.HOW,
    rotate_validator.HOW,
    rotate_token.HOW,
    motions.HOW,
    carrying.HOW,
)
_KINDS: tuple[type[Action], ...] = tuple(how.kind for how in _HOWS)
_EVERY: Mapping[str, How] = {how.kind.kind: how for how in _HOWS}


def kinds() -> Collection[str]:
    """Every kind there is."""
    return _EVERY.keys()


def every_action_has_a_row(every: Iterable[type[Action]] = _KINDS) -> None:
    """Whether each Action's policy is one that the table has, field by field: asked before anything is opened.

    Raises:
        ConfigurationError: one is not, with its name.
    """
    for kind in every:
        if kind.policy != TABLE.get(kind.policy.name):
            raise ConfigurationError(
                f"The action {kind.kind!r} has no row in the table of policies.",
                means="Nobody has said who may approve it, so the bot does not start.",
                next_step="Add its row to bot/domain/policy.py, or give it one that is there.",
            )


def how(action: Action) -> How:
    """How to plan and run an Action of this kind."""
    try:
        return _EVERY[action.kind]
    except KeyError:
        raise RefusedError(f"Nothing here knows how to run {action.kind!r}.", means="It is not run.") from None
