"""The outside systems that the runbooks' probes ask: the same questions, each with the setting to look at."""

from collections.abc import Sequence

from bot.domain.probe import Probe
from bot.ports import Reads
from bot.probes import chain, cluster, http, ledger, prices, validators
from bot.settings import Settings
from bot.wiring.checks.check import mended


def checks(settings: Settings) -> Sequence[Probe[Reads]]:
    """All of them."""
    where = "Check MUSD_KUBECONFIG, MUSD_NAMESPACE and the ServiceAccount's rights"
    relay = f"{where}; MUSD_RELAY_SELECTOR selects them."
    if "musd-relay" in settings.containers:
        relay = "Check MUSD_DOCKER_CONTAINERS and the container itself: `docker ps -a`."
    return [
        mended(cluster.pods("musd-relay", title="Relay pods"), relay),
        mended(validators.pods(), f"{where}; MUSD_VALIDATOR_SELECTOR selects them."),
        mended(validators.kms(), "Check VALIDATOR_KMS_KEY_IDS, AWS_REGION and kms:DescribeKey."),
        mended(http.relay_health(), "Check MUSD_RELAY_URL, and the relay itself."),
        mended(ledger.reachable(), "Check MUSD_LEDGER_URL, MUSD_LEDGER_TOKEN, and the participant itself."),
        mended(prices.source("tradecraft"), "Check MUSD_TRADECRAFT_URL."),
        mended(prices.source("temple"), "Check MUSD_TEMPLE_URL and TEMPLE_JWT."),
        mended(prices.source("coingecko"), "Check MUSD_COINGECKO_URL and MUSD_COINGECKO_COIN."),
        *(mended(chain.paused(name, f"{name} paused()"), f"Check {name}.") for name in settings.pausable),
    ]
