"""The process itself: where it keeps its record and where it listens."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from bot.settings.kinds import Seconds, runbook_name


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
    http_patience: Seconds = Field(
        default=timedelta(minutes=1),
        gt=timedelta(0),
        description="Seconds a request has to arrive whole and be answered; nobody holds a connection by being slow.",
    )
    patience: float = Field(
        default=1.0,
        ge=1.0,
        le=5.0,
        description="How many times longer than usual what is asked may take to answer, where the network or the "
        "machine is slow. What does not answer is UNKNOWN that much later.",
    )
    alertmanager_token: SecretStr = Field(description="The bearer token Alertmanager sends with each webhook.")
