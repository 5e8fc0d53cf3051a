"""Slack, and how much of it an alert storm may take."""

from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator


class SlackSettings(BaseModel):
    """Slack, and how much of it an alert storm may take."""

    slack_bot_token: SecretStr = Field(description="The Slack app's bot token, xoxb-….")
    slack_mode: Literal["socket", "http"] = Field(
        default="socket", description="How Slack reaches the bot: over its own socket, or POST /slack/events."
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""), description="The app-level token with connections:write, xapp-…, for Socket Mode."
    )
    slack_signing_secret: SecretStr = Field(default=SecretStr(""), description="For signed requests in HTTP mode.")
    slack_api_url: str = Field(default="https://slack.com/api/", description="Another address only in the drill.")
    alerts_channel: str = Field(default="musd-alerts", description="Where warnings go: a channel's name.")
    audit_channel: str = Field(
        default="musd-audit",
        description="Where the head of the audit log's chain is posted, daily and after every execution, and the files "
        "of /musd audit: a private channel's name. Empty: nowhere.",
    )
    runbook_url: str = Field(
        default="", description="Where the runbooks' document is; a section's anchor is appended in pages."
    )
    storm_size: int = Field(
        default=60, gt=0, description="Alerts beginning within a minute that are a storm: warnings are then counted."
    )
    most_incidents: int = Field(
        default=10,
        gt=0,
        description="Incidents that alerts without a runbook may open within ten minutes; one more holds the rest.",
    )

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_a_slash(cls, url: str) -> str:
        return url if url.endswith("/") else url + "/"

    @model_validator(mode="after")
    def _slack_mode_has_its_secret(self) -> Self:
        if self.slack_mode == "socket" and not self.slack_app_token.get_secret_value():
            raise ValueError("MUSD_SLACK_MODE is socket, so MUSD_SLACK_APP_TOKEN must be set")
        if self.slack_mode == "http" and not self.slack_signing_secret.get_secret_value():
            raise ValueError("MUSD_SLACK_MODE is http, so MUSD_SLACK_SIGNING_SECRET must be set")
        return self
