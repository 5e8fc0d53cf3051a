"""Every action's policy is a row of the table; one that is none keeps the bot from starting."""

from typing import ClassVar

import pytest

from bot.actions import every_action_has_a_row
from bot.actions.pause import EmergencyPause
from bot.domain.policy import PAUSE, Policy
from bot.errors import ConfigurationError


class Unlisted(EmergencyPause):
    """An action under a policy of its own making."""

    kind: ClassVar[str] = "unlisted-in-a-test"
    policy: ClassVar[Policy] = PAUSE.model_copy(update={"name": "unlisted"})


class Looser(EmergencyPause):
    """An action that says it has a row and changes it."""

    kind: ClassVar[str] = "looser-in-a-test"
    policy: ClassVar[Policy] = PAUSE.model_copy(update={"approvals": 0})


def test_every_action_there_is_has_its_row() -> None:
    every_action_has_a_row()


@pytest.mark.parametrize("kind", [Unlisted, Looser])
def test_an_action_without_a_row_is_refused_by_its_name(kind: type[EmergencyPause]) -> None:
    with pytest.raises(ConfigurationError, match=f"'{kind.kind}' has no row in the table"):
        every_action_has_a_row([kind])
