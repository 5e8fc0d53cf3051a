"""The way out: names that resolve, certificates that last, and this machine's clock."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.adapters.trouble import reason
from bot.domain.probe import Finding, Probe, bad, ok, unknown
from bot.settings import Settings
from bot.wiring.checks.check import check

_LASTS = timedelta(days=14)
_SKEW = timedelta(seconds=30)
"""Slack refuses signatures five minutes old, a one-time code lives thirty seconds."""


def checks(settings: Settings) -> Sequence[Probe[Any]]:
    """One for every host that the settings name, and the clock."""
    hosts = [_host(name, host, port) for (host, port), name in _hosts(settings).items()]
    clock = check("clock", "This machine's clock", lambda: _clock(settings.slack_api_url), mend="Run an NTP client.")
    return [clock, *hosts]


def _hosts(settings: Settings) -> Mapping[tuple[str, int], str]:
    """Hosts that are spoken to by TLS, each with the setting that first names it."""
    named = {
        "MUSD_SLACK_API_URL": settings.slack_api_url,
        **{f"MUSD_RPC_URLS ({n})": url.get_secret_value() for n, url in enumerate(settings.rpc_urls, start=1)},
        "MUSD_PAGERDUTY_EVENTS_URL": settings.pagerduty_events_url,
        "MUSD_PAGERDUTY_API_URL": settings.pagerduty_api_url,
        "MUSD_LEDGER_URL": settings.ledger_url,
        "MUSD_TRADECRAFT_URL": settings.tradecraft_url,
        "MUSD_TEMPLE_URL": settings.temple_url,
        "MUSD_COINGECKO_URL": settings.coingecko_url,
        "MUSD_RELAY_URL": settings.relay_url,
        "MUSD_CANTON_TOKEN_URL": settings.canton_token_url,
        "MUSD_PROMETHEUS_URL": settings.prometheus_url,
        "MUSD_DISCORD_WEBHOOK_URL": settings.discord_webhook_url.get_secret_value(),
        "MUSD_STATUSPAGE_URL": settings.statuspage_url if settings.statuspage_page_id else "",
    }
    found: dict[tuple[str, int], str] = {}
    for name, url in named.items():
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            found.setdefault((parts.hostname, parts.port or 443), name)
    return found


def _host(setting: str, host: str, port: int) -> Probe[Any]:
    async def ask() -> Finding:
        try:
            _, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context(), server_hostname=host
            )
        except OSError as error:
            return bad(reason(error))
        try:
            certificate = writer.get_extra_info("peercert")
        finally:
            writer.close()
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
        said = f"resolves, and its certificate lasts until {ends:%Y-%m-%d}"
        return bad(f"{said}, which is soon") if ends - datetime.now(UTC) < _LASTS else ok(said)

    return check(f"tls:{host}:{port}", f"{host}:{port}", ask, mend=f"Check {setting}, the DNS and the way out.")


async def _clock(url: str) -> Finding:
    try:
        async with aiohttp.ClientSession(trust_env=True) as session, session.post(f"{url}api.test") as response:
            said = response.headers.get("Date", "")
    except (aiohttp.ClientError, OSError) as error:
        return unknown(f"nobody to compare it with: {reason(error)}", mend="Check MUSD_SLACK_API_URL.")
    if not said:
        return unknown("Slack's answer has no Date to compare it with")
    skew = datetime.now(UTC) - parsedate_to_datetime(said)
    text = f"{abs(skew).total_seconds():.0f} s from Slack's"
    return bad(text) if abs(skew) > _SKEW else ok(text)
