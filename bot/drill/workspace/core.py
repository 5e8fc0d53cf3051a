"""One workspace's parts, put together: what every method and door is handed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.drill.workspace.delivery import Delivery
from bot.drill.workspace.manifest import Manifest
from bot.drill.workspace.modals import Windows
from bot.drill.workspace.records import Json
from bot.drill.workspace.state import State
from bot.drill.workspace.triggers import ResponseUrls, Triggers

_DEEDS_AT_MOST = 2000


@dataclass(frozen=True)
class Deed:
    """What a person did: pressed, typed or submitted something."""

    at: datetime
    who: str
    what: str


class Slack:
    """The memory, the way to the app, and what is short-lived: triggers, response URLs, open modals."""

    def __init__(self) -> None:
        self.state = State()
        self.manifest = Manifest()
        self.delivery = Delivery(self.state)
        self.triggers = Triggers()
        self.response_urls = ResponseUrls()
        self.windows = Windows()
        self.choices: dict[tuple[str, str], Json] = {}
        """What was chosen in a message's inputs and not sent yet, by message ts and user id."""
        self.published: dict[str, Json] = {}
        """The App Home last published for a user id, as the app gave it."""
        self.deeds: list[Deed] = []
        """What people did in this run of the drill, oldest first."""
        self.url = ""
        """Where the workspace listens, ``http://127.0.0.1:…``."""
        self.folder = Path()

    def did(self, who: str, what: str) -> None:
        """Remember what somebody did."""
        self.deeds.append(Deed(datetime.now(UTC), who, what))
        del self.deeds[:-_DEEDS_AT_MOST]
