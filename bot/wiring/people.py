"""People, from the settings: how they are woken, who is on call, who may do what, where the world is told."""

import structlog

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_api import PagerDutyApi
from bot.adapters.pagerduty_oncall import PagerDutyOnCall
from bot.adapters.public import PublicPlaces
from bot.adapters.roster import ConfiguredRoster, LookedUpRoster
from bot.adapters.slack_accounts import SlackAccounts
from bot.domain.oncall import OnCallRole
from bot.ports import Chat, OnCallReads, Pager, Publishing, Roster
from bot.settings import Settings
from bot.views.redact import Redactor

log = structlog.get_logger()


def pager(settings: Settings, redactor: Redactor) -> Pager | None:
    """None where no integration is configured: incidents then say loudly that nobody was paged."""
    if not settings.pagerduty_routing_key.get_secret_value():
        log.warning("nobody will be paged: MUSD_PAGERDUTY_ROUTING_KEY is not set")
        return None
    return PagerDutyPager(
        pagerduty(settings),
        settings.pagerduty_routing_key,
        others={
            OnCallRole.INFRASTRUCTURE: settings.pagerduty_infra_routing_key,
            OnCallRole.SECURITY: settings.pagerduty_security_routing_key,
        },
        fallback=settings.pagerduty_fallback_key,
        redactor=redactor,
    )


def oncall(settings: Settings) -> OnCallReads | None:
    """None where no REST token is configured."""
    api = pagerduty(settings)
    return PagerDutyOnCall(api) if api.reads else None


def public(settings: Settings, chat: Chat) -> Publishing:
    """Where the world is told; each place only as far as it is configured."""
    return PublicPlaces(
        chat,
        slack_channel=settings.announce_channel or settings.alerts_channel,
        discord_webhook=settings.discord_webhook_url,
        statuspage_url=settings.statuspage_url,
        statuspage_page=settings.statuspage_page_id,
        statuspage_token=settings.statuspage_token,
        components=settings.statuspage_components,
    )


def roster(settings: Settings, accounts: SlackAccounts, on_call: OnCallReads | None) -> Roster:
    """Roles; with a warning where nobody's outage may stop a pause and somebody's could."""
    if settings.shorthanded:
        log.warning("an outage of Slack or PagerDuty could stop a pause", why=settings.shorthanded)
    return LookedUpRoster(configured(settings), accounts, on_call, groups=settings.groups, shifts=settings.shifts)


def configured(settings: Settings) -> ConfiguredRoster:
    """Roles by the ids in the configuration alone: for where nobody else is asked."""
    return ConfiguredRoster(
        responders=settings.responders,
        operators=settings.operators,
        guardians=settings.guardians,
        admins=settings.admins,
    )


def pagerduty(settings: Settings) -> PagerDutyApi:
    """Both APIs of the configured account."""
    return PagerDutyApi(
        events_url=settings.pagerduty_events_url,
        api_token=settings.pagerduty_api_token,
        api_url=settings.pagerduty_api_url,
        sender=settings.pagerduty_from,
    )
