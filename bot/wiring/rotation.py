"""The part of the composition root that builds what rotates keys, for the bot and for `musd-bot rotate`."""

from functools import partial

from pydantic import SecretStr

from bot.adapters.canton_tokens import CantonTokens
from bot.adapters.canton_users import CantonUsers, refusal
from bot.adapters.cluster_secrets import ClusterSecrets, Kept, Source, Trial, address_of, fingerprint_of
from bot.adapters.kube_api import KubeApi
from bot.adapters.rotation_aws import RotationAws
from bot.domain.probe import Finding
from bot.ports import CANTON_TOKEN, RELAY_KEY, Reads, Rotation
from bot.probes import validators
from bot.settings import Settings

RELAY_SECRET, TOKEN_SECRET = "relay-private-key/relayer_private_key", "canton-token/canton_token"


def rotation(settings: Settings, kube: KubeApi, reads: Reads, validator_keys: dict[str, str]) -> Rotation:
    """Everything a rotation is handed; nothing of it connects before it is asked."""
    aws = RotationAws(
        region=settings.aws_region,
        access_key=settings.rotation_access_key_id,
        secret_key=settings.rotation_secret_access_key,
        endpoint_url=settings.kms_endpoint,
    )
    secrets = cluster_secrets(
        kube,
        relay=settings.relay_key_secret,
        token=settings.canton_token_secret,
        relay_source=by_reference(aws, settings.relay_key_reference) if settings.relay_key_reference else None,
        token_source=_tokens(settings),
        token_trial=partial(refusal, settings.ledger_url),
    )

    async def attests(validator: str) -> Finding:
        return await validators.attests(validator).run(reads)

    admin = settings.canton_admin_token
    return Rotation(
        secrets=secrets,
        users=CantonUsers(settings.ledger_url, admin, user=settings.canton_token_user) if admin else None,
        keys=aws if settings.rotation_access_key_id else None,
        validator_keys=validator_keys,
        attests=attests,
        setting=settings.validator_key_setting,
        patience=settings.rotation_patience,
    )


def cluster_secrets(
    kube: KubeApi,
    *,
    relay: str = RELAY_SECRET,
    token: str = TOKEN_SECRET,
    relay_source: Source | None = None,
    token_source: Source | None = None,
    token_trial: Trial | None = None,
) -> ClusterSecrets:
    """The two Secrets, each named ``secret/key``."""
    (relay_name, _, relay_key), (token_name, _, token_key) = relay.partition("/"), token.partition("/")
    return ClusterSecrets(
        kube,
        {
            RELAY_KEY: Kept(relay_name, relay_key, address_of, relay_source),
            CANTON_TOKEN: Kept(token_name, token_key, fingerprint_of, token_source, token_trial),
        },
    )


def by_reference(aws: RotationAws, reference: str) -> Source:
    """A value of Secrets Manager as a source."""

    async def read(_: str) -> SecretStr:
        return await aws.secret(reference)

    return read


def _tokens(settings: Settings) -> Source | None:
    """Canton's admin API, where it is configured."""
    if not settings.canton_token_url:
        return None
    return CantonTokens(
        settings.canton_token_url,
        settings.canton_admin_token,
        user=settings.canton_token_user,
        ledger_url=settings.ledger_url,
    ).issue
