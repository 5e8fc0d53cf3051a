"""The bot's settings in the practice world: its usual ones, pointing at the stand-ins."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.drill.ledger.access import SERVICES
from bot.drill.people import PEOPLE, person

if TYPE_CHECKING:
    from bot.drill.world import World

ALERTMANAGER_TOKEN = "practice-alertmanager-token"  # noqa: S105 - planted: it opens the practised bot alone
_ROLES = {
    "MUSD_RESPONDERS": "responder",
    "MUSD_OPERATORS": "operator",
    "MUSD_GUARDIANS": "guardian",
    "MUSD_ADMINS": "admin",
}


def environment(world: "World", http_port: int, extra: Mapping[str, str]) -> dict[str, str]:
    """Everything in the bot's environment: nothing of ours comes along but where programs are found."""
    home = world.folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        **_itself(world.folder, http_port),
        **_slack(world),
        **_chain(world),
        **_services(world),
        **_people(),
        **{_name(key): value for key, value in extra.items()},
    }


def _name(key: str) -> str:
    """A setting as the environment has it: ``pause_lives`` is ``MUSD_PAUSE_LIVES``."""
    return f"MUSD_{key.upper()}" if key == key.lower() else key


def _itself(folder: Path, http_port: int) -> dict[str, str]:
    return {
        "MUSD_DATA_DIR": str(folder / "bot"),
        "MUSD_HTTP_HOST": "127.0.0.1",
        "MUSD_HTTP_PORT": str(http_port),
        "MUSD_ALERTMANAGER_TOKEN": ALERTMANAGER_TOKEN,
        "MUSD_AUDIT_CHANNEL": "musd-audit",
        "MUSD_SECOND_FACTOR": "false",
        "MUSD_SECOND_FACTOR_SECRET": "practice-secret-behind-the-second-factors",
        "MUSD_GROUP_ROLES": "musd-guardians=guardian",
        "MUSD_ONCALL_ROLES": "musd-protocol-oncall=guardian",
    }


def _slack(world: "World") -> dict[str, str]:
    return {
        "MUSD_SLACK_API_URL": f"{world.workspace.url}/api/",
        "MUSD_SLACK_BOT_TOKEN": world.workspace.bot_token,
        "MUSD_SLACK_APP_TOKEN": world.workspace.app_token,
        "MUSD_SLACK_SIGNING_SECRET": world.workspace.signing_secret,
    }


def _chain(world: "World") -> dict[str, str]:
    chain = world.chain
    return {
        "MUSD_RPC_URLS": ",".join(chain.rpc_urls),
        "MUSD_CHAIN_ID": str(chain.chain_id),
        "MUSD_KEYSTORE": str(chain.keystore),
        "MUSD_KEYSTORE_PASSWORD_FILE": str(chain.password_file),
        "MUSD_UNPAUSE_KEYSTORE": str(chain.unpause_keystore),
        "MUSD_UNPAUSE_KEYSTORE_PASSWORD_FILE": str(chain.unpause_password_file),
        "COLLATERAL_TOKEN": chain.collateral_token,
        "CHAINLINK_FEED": chain.chainlink_feed,
        "TIMELOCK": chain.timelock,
        **chain.contracts,
    }


def _services(world: "World") -> dict[str, str]:
    return {
        "MUSD_KUBECONFIG": str(world.cluster.kubeconfig),
        "MUSD_KUBE_CONTEXT": "reader",  # probes read with a token that can do nothing else
        "MUSD_KUBE_WRITE_CONTEXT": "writer",
        "MUSD_NAMESPACE": "musd",
        "MUSD_DOCKER_URL": world.docker.url,  # it runs nothing unless MUSD_DOCKER_CONTAINERS is set
        "MUSD_RELAY_URL": world.cluster.relay_url,
        "MUSD_LEDGER_URL": world.ledger.url,
        "MUSD_LEDGER_TOKEN": world.ledger.token,
        "MUSD_LEDGER_GUARDIAN_TOKEN": world.ledger.token,
        "MUSD_LEDGER_OPERATOR_TOKEN": world.ledger.operator_token,
        "MUSD_CANTON_GUARDIANS": ",".join(f"{one}={_holder(one)}" for one in world.ledger.guardians[1:]),
        "MUSD_CANTON_WATCH_EVERY": "1",
        "MUSD_NETWORK_POLICIES": "default-deny-egress,allow-canton,allow-ethereum",
        "MUSD_RELAY_HOSTS": "canton=canton-participant:7575,ethereum=ethereum-rpc.musd.internal:443",
        "VALIDATOR_KMS_KEY_IDS": ",".join(
            f"musd-validator-{number}={key}" for number, key in enumerate(world.aws.validator_key_ids, start=1)
        ),
        "MUSD_BACKUP_BUCKET": world.aws.bucket,
        "MUSD_ORACLE_FEEDER": "oracle-feeder",
        "MUSD_ORACLE_SOURCE_SETTING": "musd-relay/PRICE_SOURCE",
        "MUSD_TRADECRAFT_URL": f"{world.prices.url}/v1/ratio/CC/USDCx",
        "MUSD_TEMPLE_URL": f"{world.prices.url}/v1/price/Amulet/USDCx",
        "TEMPLE_JWT": world.prices.temple_jwt,
        "MUSD_COINGECKO_URL": world.prices.url,
        "MUSD_PAGERDUTY_EVENTS_URL": world.pagerduty.url,
        "MUSD_PAGERDUTY_API_URL": world.pagerduty.url,
        "MUSD_PAGERDUTY_ROUTING_KEY": world.pagerduty.routing_key,
        "MUSD_DISCORD_WEBHOOK_URL": world.announcements.discord_url,
        "MUSD_STATUSPAGE_URL": world.announcements.url,
        "MUSD_STATUSPAGE_PAGE_ID": world.announcements.page_id,
        "MUSD_STATUSPAGE_TOKEN": world.announcements.statuspage_token,
        "MUSD_STATUSPAGE_COMPONENTS": ",".join(world.announcements.components),
        "MUSD_PAGERDUTY_INFRA_ROUTING_KEY": world.pagerduty.infra_routing_key,
        "MUSD_PAGERDUTY_SECURITY_ROUTING_KEY": world.pagerduty.security_routing_key,
        "MUSD_PAGERDUTY_FALLBACK_KEY": world.pagerduty.second_routing_key,
        "MUSD_PAGERDUTY_WEBHOOK_SECRET": world.pagerduty.webhook_secret,
        "MUSD_PAGERDUTY_API_TOKEN": world.pagerduty.api_token,
        "MUSD_PAGERDUTY_FROM": "admin-1@musd-practice.invalid",
        "PAGERDUTY_SERVICE_ID": world.pagerduty.service_id,
        "MUSD_KMS_ENDPOINT": world.aws.url,
        "MUSD_CANTON_TOKEN_URL": f"{world.ledger.url}/admin/tokens",
        "MUSD_CANTON_TOKEN_USER": SERVICES,
        "MUSD_CANTON_ADMIN_TOKEN": world.ledger.admin_token,
        "MUSD_ROTATION_ACCESS_KEY_ID": world.aws.access_key,
        "MUSD_ROTATION_SECRET_ACCESS_KEY": world.aws.secret_key,
        "AWS_REGION": world.aws.region,
        "AWS_ACCESS_KEY_ID": world.aws.access_key,
        "AWS_SECRET_ACCESS_KEY": world.aws.secret_key,
    }


def _holder(party: str) -> str:
    """The Slack id of the person whose guardian party this is."""
    return person(party.partition("::")[0]).id


def _people() -> dict[str, str]:
    """Each person in the highest of their roles only: the bot knows that admins are guardians too, and so on."""
    return {
        setting: ",".join(person.id for person in PEOPLE if person.roles[:1] == (role,))
        for setting, role in _ROLES.items()
    }
