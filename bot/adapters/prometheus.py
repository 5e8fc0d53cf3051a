"""Prometheus as the pictures' source: the bot's own metrics, kept by somebody who keeps them longer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import aiohttp

from bot.adapters.trouble import reason
from bot.domain.series import Sample, Series
from bot.errors import UnavailableError

_POINTS = 288
"""Of one picture: every five minutes of a day."""


TIMEOUT = 5.0
"""Seconds that one request may take."""


class PrometheusHistory:
    """Fulfils `ports.History`."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        """`url`: its base, such as ``http://prometheus:9090``. `timeout`: seconds for one query."""
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def series(self, one: Series, since: timedelta) -> Sequence[Sample]:
        """``max(musd_…)``: the standby's copy of the metric is not set, or says the same."""
        now = datetime.now(UTC).timestamp()
        step = max(15.0, since.total_seconds() / _POINTS)
        query = f"max(musd_{one.value})"
        asked: dict[str, str | float] = {"query": query, "start": now - since.total_seconds(), "end": now, "step": step}
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, trust_env=False) as session,
                session.get(f"{self._url}/api/v1/query_range", params=asked) as response,
            ):
                told = await response.json(content_type=None)
            found = told["data"]["result"]
            rows = found[0]["values"] if found else []
            return [Sample(datetime.fromtimestamp(float(at), UTC), float(v)) for at, v in rows if v != "NaN"]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"No answer from Prometheus: {reason(error)}.") from None
        except (KeyError, IndexError, TypeError, ValueError):
            raise UnavailableError("Prometheus' answer has a shape this bot does not know.") from None
