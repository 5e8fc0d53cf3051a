"""Settings: from the environment, and from an optional TOML file named by MUSD_CONFIG. Frozen, passed in, never global.

The environment wins over the file. Names are `MUSD_` and the field's name in capitals, except those that the
runbooks already use (`BORROW_MODULE`, `PAGERDUTY_SERVICE_ID`…), which are kept as they are. In the file a key is the
same name in lower case.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import ConfigurationError
from bot.settings.canton import CantonSettings
from bot.settings.chain import ChainSettings
from bot.settings.cluster import ClusterSettings
from bot.settings.incidents import IncidentSettings
from bot.settings.keys import KeySettings
from bot.settings.ledger_database import DatabaseSettings
from bot.settings.paging import PagingSettings
from bot.settings.people import PeopleSettings
from bot.settings.prices import PriceSettings
from bot.settings.process import ProcessSettings
from bot.settings.slack import SlackSettings


class Settings(  # the last topic comes first: pydantic collects fields from the last base on
    IncidentSettings,
    PriceSettings,
    KeySettings,
    DatabaseSettings,
    CantonSettings,
    ClusterSettings,
    ChainSettings,
    PagingSettings,
    PeopleSettings,
    SlackSettings,
    ProcessSettings,
    BaseSettings,
):
    """Everything the bot can be told. Each field's description says what it is for, its unit and an example."""

    model_config = SettingsConfigDict(env_prefix="MUSD_", frozen=True, extra="forbid", case_sensitive=False)

    @property
    def log_names(self) -> tuple[str, ...]:
        """Whose logs can be read: the deployments, all validators together, and the ledger's database."""
        deployments = (one.partition("=")[0] for one in self.deployments)
        return tuple(dict.fromkeys((*self.containers, *deployments, "musd-validator", self.database_app)))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then mounted secrets, then the file's values, which `read` passes in."""
        del settings_cls, dotenv_settings
        return env_settings, file_secret_settings, init_settings


TOPICS: tuple[type[BaseModel], ...] = tuple(reversed(Settings.__bases__[:-1]))
"""The settings by what they are about, in reading order; a topic's docstring is its heading."""


def read() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: with every missing or wrong setting, its problem and where it is documented.
    """
    try:
        return Settings(_secrets_dir=_secrets_dir(), **_file())
    except ValidationError as error:
        lines = [f"  {_problem(problem)}" for problem in error.errors(include_input=False)]
        raise ConfigurationError(
            "These settings are missing or wrong:\n" + "\n".join(lines),
            next_step="\nSet them in the environment or in the file MUSD_CONFIG names: docs/configuration.md has all.",
        ) from None


def _secrets_dir() -> Path | None:
    path = os.environ.get("MUSD_SECRETS_DIR")
    if not path:
        return None
    if not Path(path).is_dir():
        raise ConfigurationError(f"The folder MUSD_SECRETS_DIR names, {path}, is not there.")
    return Path(path)


def _file() -> dict[str, Any]:
    path = os.environ.get("MUSD_CONFIG")
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The file MUSD_CONFIG names, {path}, can't be read: {error}.") from None


def _problem(problem: Any) -> str:
    """The setting's name, what is wrong with its value, and an example where there is one."""
    location = problem["loc"]
    name = str(location[0]) if location else ""
    field = _field(name)
    if field is None:
        return f"{name or 'settings'}: {problem['msg']}"
    examples = Settings.model_fields[field].examples
    example = f" (such as {examples[0]})" if examples else ""
    return f"{name_of(field)}: {problem['msg']}{example}"


def _field(name: str) -> str | None:
    """The field that goes by this name, its own or the runbooks'."""
    return next((one for one in Settings.model_fields if name in {one, name_of(one)}), None)


def name_of(field: str) -> str:
    """A setting's name in the environment: `MUSD_…`, or the runbooks' own."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"MUSD_{field.upper()}"
