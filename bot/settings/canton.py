"""The Canton ledger and its governance."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from bot.domain.canton import SERVICES
from bot.settings.kinds import Names, Seconds


class CantonSettings(BaseModel):
    """The Canton ledger and its governance."""

    ledger_url: str = Field(default="", description="The Canton participant's JSON Ledger API.")
    ledger_token: SecretStr = Field(default=SecretStr(""), description="A bearer token for it.")
    ledger_guardian_token: SecretStr = Field(
        default=SecretStr(""),
        description="A bearer token of the user that may act as the bot's one guardian party; none: it never votes.",
    )
    ledger_operator_token: SecretStr = Field(
        default=SecretStr(""),
        description="One of the user that may act as the operator; none, the default: those commands are handed over.",
    )
    ledger_package: str = Field(default="musd-protocol", description="The Daml package's name in template ids.")
    canton_services: Names = Field(
        default=SERVICES,
        description="The services of Canton's emergency pause, as Module:Template; the runbook's four when unset.",
    )
    canton_guardians: Names = Field(
        default=(), description="Who holds which guardian party on Canton, as party=Slack user id: for reminders only."
    )
    canton_pause_by: Literal["proposal", "trigger"] = Field(
        default="proposal",
        description="How Canton's pause is asked for: a governance proposal, or a vote on EmergencyPauseState.",
    )
    canton_watch_every: Seconds = Field(
        default=timedelta(seconds=5), gt=timedelta(0), description="Seconds between looks at the votes on Canton."
    )

    @property
    def services(self) -> tuple[str, ...]:
        """Canton's services of the emergency pause; none where no participant is configured."""
        return self.canton_services if self.ledger_url else ()
