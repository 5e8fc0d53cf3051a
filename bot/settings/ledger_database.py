"""The ledger's database and its backups."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field, model_validator

from bot.settings.kinds import Keystore, Seconds


class DatabaseSettings(BaseModel):
    """The ledger's database and its backups."""

    database_app: str = Field(default="canton-postgres", description="The label app of the ledger database's pods.")
    database_name: str = Field(default="canton_ledger", description="The ledger database's name.")
    database_user: str = Field(default="canton", description="Its owner, who may create and rename databases.")
    database_path: str = Field(default="/var/lib/postgresql/data", description="Where its files are, in its pod.")
    backup_bucket: str = Field(default="", description="The S3 bucket the ledger database's backups are in.")
    backup_prefix: str = Field(default="", description="What every name in the bucket begins with, such as ledger/.")
    backup_kms_key: str = Field(
        default="", description="Encrypts backups in the bucket (SSE-KMS); else its own default."
    )
    backup_dir: Keystore = Field(default=None, description="Instead of a bucket: the directory that backups are in.")
    backup_age_identity: Keystore = Field(
        default=None,
        description="Encrypts backups before they are stored: a file with an age identity, as age-keygen writes it.",
    )
    backup_max_age: Seconds = Field(
        default=timedelta(hours=26), description="Seconds after which a backup of the ledger's database is overdue."
    )

    @model_validator(mode="after")
    def _backups_have_one_place(self) -> Self:
        if self.backup_dir and (self.backup_bucket or self.backup_kms_key):
            raise ValueError("MUSD_BACKUP_DIR is set, so MUSD_BACKUP_BUCKET and MUSD_BACKUP_KMS_KEY can't be")
        return self
