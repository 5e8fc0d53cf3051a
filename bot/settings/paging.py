"""PagerDuty, the On-Call Contacts, and where the public is told."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from bot.domain.oncall import Contact, Contacts, OnCallRole
from bot.domain.routing import Routing, overrides
from bot.domain.signal import Severity
from bot.settings.kinds import Names, Seconds, runbook_name


class PagingSettings(BaseModel):
    """PagerDuty, the On-Call Contacts, and where the public is told."""

    pagerduty_routing_key: SecretStr = Field(default=SecretStr(""), description="Events API v2 integration key.")
    pagerduty_events_url: str = Field(default="https://events.pagerduty.com", description="Another only in the drill.")
    pagerduty_api_token: SecretStr = Field(default=SecretStr(""), description="REST API token.")
    pagerduty_api_url: str = Field(default="https://api.pagerduty.com", description="Another only in the drill.")
    pagerduty_service_id: str = Field(
        default="",
        validation_alias=runbook_name("PAGERDUTY_SERVICE_ID"),
        description="The service whose incidents these are (On-Call Contacts).",
    )
    pagerduty_infra_routing_key: SecretStr = Field(
        default=SecretStr(""), description="The integration whose service pages Infrastructure; the first when unset."
    )
    pagerduty_security_routing_key: SecretStr = Field(
        default=SecretStr(""), description="The integration whose service pages Security; the first when unset."
    )
    pagerduty_fallback_key: SecretStr = Field(
        default=SecretStr(""), description="A second integration key, tried when the first one takes no page."
    )
    pagerduty_fallback_after: Seconds = Field(
        default=timedelta(minutes=2),
        gt=timedelta(0),
        description="Seconds an integration may not answer before the second is tried; a refusal is not waited for.",
    )
    pagerduty_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="The signing secret of PagerDuty's webhook (version 3) to POST /pagerduty."
    )
    pagerduty_from: str = Field(
        default="", description="E-mail address of the PagerDuty user in whose name pages are escalated (REST)."
    )
    oncall_protocol_policy: str = Field(
        default="musd-protocol-oncall",
        description="Protocol Engineering's escalation policy in PagerDuty, by name (On-Call Contacts).",
    )
    oncall_protocol_channel: str = Field(
        default="musd-protocol-eng", description="Protocol Engineering's Slack channel, by name."
    )
    oncall_infra_policy: str = Field(
        default="musd-infra-oncall", description="Infrastructure's escalation policy in PagerDuty, by name."
    )
    oncall_infra_channel: str = Field(default="musd-infra", description="Infrastructure's Slack channel, by name.")
    oncall_security_policy: str = Field(
        default="musd-security-oncall", description="Security's escalation policy in PagerDuty, by name."
    )
    oncall_security_channel: str = Field(default="musd-security", description="Security's Slack channel, by name.")
    update_every: Seconds = Field(
        default=timedelta(minutes=30),
        gt=timedelta(0),
        description="Seconds between two reminders of an update while a critical incident is open.",
    )
    announce_channel: str = Field(
        default="", description="Where @channel hears of a pause: a channel's name; the alerts channel when unset."
    )
    discord_webhook_url: SecretStr = Field(
        default=SecretStr(""), description="Discord's webhook for announcements, https://discord.com/api/webhooks/…."
    )
    statuspage_url: str = Field(default="https://api.statuspage.io", description="Another only in the drill.")
    statuspage_page_id: str = Field(default="", description="The public status page's id at Statuspage.")
    statuspage_token: SecretStr = Field(default=SecretStr(""), description="Statuspage's API key.")
    statuspage_components: Names = Field(
        default=(), description="Ids of the components that go under maintenance with a pause."
    )
    alert_severities: Names = Field(
        default=(),
        description="Severities that go before an alert's label: RelayServiceDown=warning,team:treasury=critical.",
    )
    alert_roles: Names = Field(
        default=(),
        description="Whose an alert is: PVCNearlyFull=infra,team:treasury=security (protocol, infra, security).",
    )

    @model_validator(mode="after")
    def _overrides_are_words(self) -> Self:
        overrides(self.alert_severities, Severity)
        overrides(self.alert_roles, OnCallRole)
        return self

    @property
    def routing(self) -> Routing:
        """Severities and roles that configuration gives to alerts and teams."""
        return Routing(
            severities=overrides(self.alert_severities, Severity), roles=overrides(self.alert_roles, OnCallRole)
        )

    @property
    def contacts(self) -> Contacts:
        """The table *On-Call Contacts*."""
        return {
            role: Contact(
                policy=getattr(self, f"oncall_{role.value}_policy"),
                channel=getattr(self, f"oncall_{role.value}_channel"),
            )
            for role in OnCallRole
        }
