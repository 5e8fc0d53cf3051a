"""The process itself: where it keeps its record and where it listens."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from bot.settings.kinds import runbook_name


class ProcessSettings(BaseModel):
    """The process itself: where it keeps its record and where it listens."""

    data_dir: Path = Field(default=Path("var"), description="Where the databases live when DATABASE_URL isn't set.")
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=runbook_name("DATABASE_URL"),
        description="postgresql://… for two replicas; SQLite below MUSD_DATA_DIR when unset.",
    )
    http_host: str = Field(default="0.0.0.0", description="Where the webhook port listens.")  # noqa: S104 - a container's port
    http_port: int = Field(default=8090, ge=0, le=65535, description="The webhook, health and metrics port.")
    alertmanager_token: SecretStr = Field(description="The bearer token Alertmanager sends with each webhook.")
