"""The outside of the approval machine, hand-written: people, Slack, the chain, and a journal that can lose its process.

Everything between them is the bot's own: `Proposals`, `Rights`, `Execution`, the actions and the SQLite store.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from bot.domain.announcement import Announcement
from bot.domain.announcement import Target as Place
from bot.domain.policy import Role, Standing
from bot.domain.probe import State
from bot.errors import RefusedError, UnavailableError
from bot.ports import Call, MessageRef, Readings, Simulation


class CrashError(BaseException):
    """The process died here."""


@dataclass
class People:
    """Fulfils `ports.Roster`: the configuration, and what groups and shifts add while anybody answers for them."""

    local: dict[str, Role]
    granted: dict[str, Role] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    slack_answers: bool = True
    look_ups_answer: bool = True

    async def standing(self, person: str, needed: Role) -> Standing:
        del needed
        if not self.slack_answers:
            return Standing(local=self.local.get(person), known=False)
        if person in self.barred:
            return Standing(barred="a guest")
        granted = self.granted.get(person) if self.look_ups_answer else None
        return Standing(local=self.local.get(person), granted=granted)

    def holders(self, at_least: Role) -> Sequence[str]:
        return [person for person, role in self.local.items() if role >= at_least]


@dataclass
class Slack:
    """The part of `ports.Chat` that proposals need. Posts arrive; edits fail while it is away."""

    away: bool = False
    posted: int = 0

    async def post(self, channel: str, card: object, *, key: str, thread: str | None = None) -> MessageRef:
        del card, key, thread
        self.posted += 1
        return MessageRef(channel, f"{self.posted}.0")

    async def edit(self, message: MessageRef, card: object) -> None:
        del message, card
        if self.away:
            raise UnavailableError("Slack did not answer.")

    async def permalink(self, message: MessageRef) -> str:
        return f"https://slack/{message.ts}"

    async def whisper(self, channel: str, person: str, card: object) -> None:
        """Nobody listens."""


@dataclass
class Workflows:
    """The part of `engine.Durable` that proposals need: which executions were started."""

    started: set[str] = field(default_factory=set)
    dies: bool = False

    async def start(self, name: str, subject: str, *, run_id: str | None = None) -> None:
        del name, run_id
        if self.dies:
            self.dies = False
            raise CrashError
        self.started.add(subject)

    async def start_later(self, name: str, subject: str, delay: timedelta) -> None:
        """The machine expires proposals by itself."""


@dataclass
class PausingKey:
    """Fulfils `ports.PauseChain` as far as a pause goes that lands at once."""

    chain_id: int = 1
    signer: str = "0xKey"
    simulation: State = State.OK
    stopped: set[str] = field(default_factory=set)

    def call(self, contract: str) -> Call:
        return Call(contract=contract, address=f"0x{contract}", signature="pause()", calldata="0x8456cb59")

    async def simulate(self, calls: Sequence[Call]) -> Sequence[Simulation]:
        return [Simulation(self.simulation, "as told", None) for _ in calls]

    async def readings(self, contracts: Sequence[str], within: float | None = None) -> Mapping[str, Readings]:
        del within
        return {
            one: Readings(("a", "b"), (), ()) if one in self.stopped else Readings((), ("a", "b"), ())
            for one in contracts
        }

    async def sign(self, calls: Sequence[Call]) -> Sequence[object]:
        self.stopped |= {call.contract for call in calls}
        return []


class Codes:
    """The second factor: ``right`` is everybody's code. Real codes have tests of their own."""

    async def check(self, person: str, code: str, now: datetime) -> None:
        del person, now
        if code != "right":
            raise RefusedError("That code is not right now.")


class Views:
    """Fulfils `ports.ContractViews` for a token of 18 decimals."""

    chain_id = 1

    def address(self, contract: str) -> str:
        return f"0x{contract}"

    def encoded(self, contract: str, signature: str, *arguments: Any) -> Call:
        return Call(contract=contract, address=f"0x{contract}", signature=signature, calldata=f"0x{arguments}")

    async def number(self, contract: str, signature: str, *arguments: Any) -> int:
        del contract, signature, arguments
        return 18


class World:
    """Fulfils `ports.Publishing`."""

    def where(self, target: Place) -> str:
        return f"#{target}"

    async def publish(self, announcement: Announcement, key: str) -> Mapping[str, str]:
        del announcement
        return {"key": key}


class Books:
    """Settling and handing over: what comes after a Receipt is no business of this machine."""

    async def begin(self, proposal: object) -> None:
        """Nothing is awaited."""

    async def over(self, proposal_id: str) -> None:
        """Nothing is uploaded."""

    async def card(self, *parts: object) -> object:
        return parts


class Diary:
    """A journal whose process can die right before or right after a step, and which then remembers as the real one."""

    def __init__(self, run_id: str, asked: Callable[[], None]) -> None:
        """`asked`: told each time roles were read for good."""
        self.id = run_id
        self._asked = asked
        self._known: dict[str, Any] = {}
        self.lives: float = float("inf")
        """Half steps until the process dies."""

    async def step(self, name: str, work: Callable[[], Awaitable[Any]], returns: type[Any]) -> Any:
        if name not in self._known:
            self._tick()
            result = await work()
            if name == "ask":
                self._asked()
            self._tick()
            self._known[name] = to_jsonable_python(result)
        return TypeAdapter(returns).validate_python(self._known[name])

    async def sleep(self, seconds: float) -> None:
        """No time passes but by the machine's rules."""

    def _tick(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise CrashError
