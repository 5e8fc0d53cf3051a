"""The keys that are rotated (Key Rotation), and the credentials for that alone."""

from datetime import timedelta

from pydantic import BaseModel, Field, SecretStr

from bot.settings.kinds import Names, Seconds, runbook_name


class KeySettings(BaseModel):
    """The keys that are rotated (Key Rotation), and the credentials for that alone."""

    validator_kms_key_ids: Names = Field(
        default=(),
        validation_alias=runbook_name("VALIDATOR_KMS_KEY_IDS"),
        description="Each validator's KMS key, as deployment=key-id, separated by commas.",
    )
    relay_key_secret: str = Field(
        default="relay-private-key/relayer_private_key", description="The relay's private key: SECRET/KEY."
    )
    relay_key_reference: str = Field(
        default="",
        description="A new relay key's id in AWS Secrets Manager; without one, a local prompt is waited for.",
    )
    canton_token_secret: str = Field(default="canton-token/canton_token", description="The Canton token: SECRET/KEY.")
    canton_token_url: str = Field(
        default="", description="Where Canton tokens are issued; without one, a local prompt is waited for."
    )
    canton_token_user: str = Field(default="musd-operator", description="The Canton user whose token is rotated.")
    canton_admin_token: SecretStr = Field(
        default=SecretStr(""),
        description="A bearer token of the participant's admin: issues tokens, deactivates the user of a stolen one.",
    )
    rotation_access_key_id: str = Field(
        default="", description="AWS credential for rotations alone (kms:CreateKey); none: no KMS key is created."
    )
    rotation_secret_access_key: SecretStr = Field(default=SecretStr(""), description="The rest of that credential.")
    validator_key_setting: str = Field(
        default="KMS_KEY_ID", description="The variable in which a validator's deployment names its key."
    )
    rotation_patience: Seconds = Field(
        default=timedelta(minutes=30), gt=timedelta(0), description="Seconds to wait for a local prompt."
    )
    key_max_age: Seconds = Field(
        default=timedelta(days=365), description="Seconds after which a key is due for rotation (Key Rotation)."
    )
