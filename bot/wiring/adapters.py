"""The adapters, from the settings: everything outside that the engine is handed, behind its ports."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import SecretStr

from bot.adapters import aws, docker_reads, health, kube_api, prices, prometheus, rpc
from bot.adapters.aws import AwsReads
from bot.adapters.chainlink import ChainlinkFeed
from bot.adapters.contracts import Contracts
from bot.adapters.docker_reads import DockerReads, InTheirPlaces
from bot.adapters.ethereum import EthereumReads
from bot.adapters.health import HttpHealth
from bot.adapters.kubernetes import KubernetesReads
from bot.adapters.pausing import ContractsAdmin, PausingChain
from bot.adapters.prices import PriceSources
from bot.adapters.prometheus import PrometheusHistory
from bot.adapters.protocol_reads import OnChainProtocol
from bot.adapters.readiness import PauseReadiness
from bot.adapters.rpc import Rpcs
from bot.adapters.signers import KeystoreSigner, KmsSigner, Signer
from bot.adapters.slack import SlackChat
from bot.adapters.slack_accounts import SlackAccounts
from bot.adapters.store import SqlStore, migrate
from bot.engine.durable import Durable
from bot.engine.leader import LeaderLock, leader_lock
from bot.ports import (
    AdminChain,
    Chat,
    History,
    Limits,
    OnCallReads,
    Pager,
    PauseChain,
    Reads,
    Roster,
    RotationRecord,
    SignedTransactions,
    Writes,
)
from bot.settings import Settings
from bot.views.redact import Redactor
from bot.wiring import people
from bot.wiring.canton import ledger_reads, ledger_writes
from bot.wiring.infra import infrastructure, pair

log = structlog.get_logger()


@dataclass(frozen=True)
class Outside:
    """What the engine talks to."""

    lock: LeaderLock
    store: SqlStore
    history: History
    """Where pictures come from: Prometheus where one is configured, else the store's own samples."""
    durable: Durable
    chat: Chat
    rpcs: Rpcs
    reads: Reads
    writes: Writes
    pager: Pager | None
    oncall: OnCallReads | None
    accounts: SlackAccounts
    roster: Roster
    redactor: Redactor


async def outside(settings: Settings, client: Any, stack: AsyncExitStack) -> Outside:
    """Build them all; `stack` closes them. Migrates the database first.

    Args:
        settings: of this process.
        client: Slack's Web API.
        stack: closes what was opened, the last one first.

    Raises:
        ConfigurationError: one of them can't be built like this, such as a keystore whose password is wrong.
    """
    app_url, system_url = databases(settings)
    lock = leader_lock(app_url)
    stack.push_async_callback(lock.release)
    await migrate(app_url)
    store = SqlStore(app_url)
    stack.push_async_callback(store.close)
    redactor = Redactor.of(secrets(settings))
    chat = SlackChat(client, store, redactor)
    stack.push_async_callback(chat.close)
    rpcs = ethereum(settings, stack)
    changed = await writes(settings, rpcs, store, stack)
    asked = reads(settings, rpcs, stack, pause=changed.pause, record=store)
    changed = replace(changed, infra=infrastructure(settings, asked, stack), public=people.public(settings, chat))
    accounts, oncall = SlackAccounts(client), people.oncall(settings)
    return Outside(
        lock=lock,
        store=store,
        history=_history(settings) or store,
        durable=Durable(system_url=system_url),
        chat=chat,
        rpcs=rpcs,
        reads=asked,
        writes=changed,
        pager=people.pager(settings, redactor),
        oncall=oncall,
        accounts=accounts,
        roster=people.roster(settings, accounts, oncall),
        redactor=redactor,
    )


def _history(settings: Settings) -> History | None:
    limit = prometheus.TIMEOUT * settings.patience
    return PrometheusHistory(settings.prometheus_url, timeout=limit) if settings.prometheus_url else None


def ethereum(settings: Settings, stack: AsyncExitStack) -> Rpcs:
    """The configured RPCs: the one thing that reading and writing share."""
    urls = [url.get_secret_value() for url in settings.rpc_urls]
    rpcs = Rpcs(urls, settings.chain_id, timeout=rpc.TIMEOUT * settings.patience)
    stack.push_async_callback(rpcs.close)
    return rpcs


async def writes(settings: Settings, rpcs: Rpcs, signed: SignedTransactions, stack: AsyncExitStack) -> Writes:
    """Every write port but the cluster's. The keys are unlocked here."""
    pause, admin = await pause_chain(settings, rpcs, stack), await admin_chain(settings, rpcs)
    views = Contracts(rpcs, settings.contracts)
    return Writes(signed=signed, pause=pause, admin=admin, views=views, ledger=ledger_writes(settings, stack))


def reads(
    settings: Settings,
    rpcs: Rpcs,
    stack: AsyncExitStack,
    *,
    pause: PauseChain | None = None,
    record: RotationRecord | None = None,
) -> Reads:
    """Every read port. None of them connects before it is asked.

    Args:
        settings: of this process.
        rpcs: shared with what writes.
        stack: closes what was opened.
        pause: the pausing key, where it is unlocked.
        record: the state of record, where it is at hand.
    """
    kubernetes = KubernetesReads(
        settings.namespace,
        settings.kubeconfig,
        context=settings.kube_context or None,
        selectors={"musd-relay": settings.relay_selector, "musd-validator": settings.validator_selector},
        owners={word: own for word, own in map(pair, settings.deployments) if word in settings.validators},
        timeout=kube_api.TIMEOUT * settings.patience,
    )
    relay = HttpHealth(
        "the relay", settings.relay_url, setting="MUSD_RELAY_URL", timeout=health.TIMEOUT * settings.patience
    )
    stored = AwsReads(
        region=settings.aws_region,
        keys=dict(pair(one) for one in settings.validator_kms_key_ids),
        bucket=settings.backup_bucket,
        endpoint_url=settings.kms_endpoint,
        timeout=aws.TIMEOUT * settings.patience,
    )
    for one in (kubernetes, relay):
        stack.push_async_callback(one.close)
    return Reads(
        limits=Limits(
            block_max_age=settings.block_max_age,
            price_max_age=settings.price_max_age,
            heartbeat_max_age=settings.heartbeat_max_age,
            liquidations=settings.liquidation_surge,
            liquidation_gas=settings.liquidation_gas_gwei,
            key_max_age=settings.key_max_age,
            backup_max_age=settings.backup_max_age,
            database=settings.database_name,
            database_user=settings.database_user,
            database_path=settings.database_path,
            policies=settings.network_policies,
            relay_hosts=settings.relay_hosts,
            patience=settings.patience,
        ),
        cluster=InTheirPlaces(kubernetes, compose_reads(settings)) if settings.docker_containers else kubernetes,
        relay=relay,
        ledger=ledger_reads(settings, stack),
        chain=EthereumReads(
            rpcs, settings.contracts, collateral=settings.collateral_token, price_calls=settings.price_reads
        ),
        protocol=OnChainProtocol(
            rpcs,
            settings.contracts,
            collateral=settings.collateral_token,
            reserve_calls=settings.reserve_reads,
            cap_calls=[(contract, view) for contract, _, view in (one.partition(".") for one in settings.cap_reads)],
        ),
        prices=PriceSources(
            tradecraft=settings.tradecraft_url,
            temple=settings.temple_url,
            coingecko=settings.coingecko_url,
            chainlink=ChainlinkFeed(rpcs, settings.chainlink_feed),
            temple_jwt=settings.temple_jwt,
            coin=settings.coingecko_coin,
            timeout=prices.TIMEOUT * settings.patience,
        ),
        keys=stored,
        backups=stored,
        pausing=readiness(settings, rpcs, pause),
        record=record,
    )


def compose_reads(settings: Settings) -> DockerReads:
    """What docker-compose runs, as probes see it."""
    url = settings.docker_read_url or settings.docker_url
    return DockerReads(url, settings.containers, timeout=docker_reads.TIMEOUT * settings.patience)


def readiness(settings: Settings, rpcs: Rpcs, pause: PauseChain | None) -> PauseReadiness | None:
    """Whether a pause could be sent; None where no pausing key is configured."""
    if settings.keystore is None and not settings.kms_key_id:
        return None
    contracts = {name: settings.contracts[name] for name in settings.pausable}
    return PauseReadiness(
        rpcs,
        contracts,
        pause.signer if pause else "",
        calls=settings.calls,
        max_fee_gwei=settings.max_fee_gwei,
        check=pause.check if pause else None,
    )


async def pause_chain(settings: Settings, rpcs: Rpcs, stack: AsyncExitStack) -> PauseChain | None:
    """The pausing key, unlocked once, at start; the file's password is read here and kept nowhere."""
    signer: Signer
    if settings.keystore is not None and settings.keystore_password_file is not None:
        signer = await KeystoreSigner.unlock(settings.keystore, settings.keystore_password_file)
    elif settings.kms_key_id:
        region, endpoint = settings.aws_region or None, settings.kms_endpoint or None
        signer = await KmsSigner.open(settings.kms_key_id, region=region, endpoint_url=endpoint)
        stack.push_async_callback(signer.close)
    else:
        log.warning("no pausing key: the bot can't pause anything itself (MUSD_KEYSTORE or MUSD_KMS_KEY_ID)")
        return None
    return PausingChain(rpcs, settings.contracts, signer, max_fee_gwei=settings.max_fee_gwei, calls=settings.calls)


async def admin_chain(settings: Settings, rpcs: Rpcs) -> AdminChain | None:
    """The second signer, for unpausing and roles: absent unless configured, so that one key can only pause."""
    if settings.unpause_keystore is None or settings.unpause_keystore_password_file is None:
        return None
    signer = await KeystoreSigner.unlock(settings.unpause_keystore, settings.unpause_keystore_password_file)
    return ContractsAdmin(rpcs, settings.contracts, signer, max_fee_gwei=settings.max_fee_gwei)


def databases(settings: Settings) -> tuple[str, str]:
    """Ours and the durable engine's: two schemas of one PostgreSQL, or two SQLite files (one file deadlocks)."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        return url, url
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    folder = settings.data_dir.resolve()
    return f"sqlite:///{folder / 'musd-bot.db'}", f"sqlite:///{folder / 'engine.db'}"


def secrets(settings: Settings) -> list[str]:
    """Every secret of ours, for the redactor: whatever field holds one."""
    found: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        found += [one.get_secret_value() for one in _each(value) if isinstance(one, SecretStr)]
    return [secret for secret in found if secret]


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)
