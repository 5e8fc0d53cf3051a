"""The ledger itself: active contracts, transactions over them, and the commands it has already carried out."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.drill.ledger.errors import BEYOND_END, STATE, LedgerError, failed, malformed, no_contract, unauthorised
from bot.drill.listening import Json

PACKAGE = "musd-protocol"
PACKAGE_ID = hashlib.sha256(PACKAGE.encode()).hexdigest()
ARCHIVE_KEPT = 500
"""Archived contracts kept, so that the recent past can be read."""


def daml_time(at: datetime) -> str:
    """A time as Daml's JSON has it: UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def party_set(parties: Iterable[str]) -> Json:
    """A ``Set Party`` as Daml's JSON has it."""
    return {"map": [[one, {}] for one in parties]}


def parties_in(value: Json) -> list[str]:
    """The parties of a ``Set Party``."""
    return [pair[0] for pair in value["map"]]


def require(condition: bool, reason: str) -> None:
    """A template's ``assertMsg``. Raises `LedgerError`."""
    if not condition:
        raise failed(reason)


@dataclass(frozen=True)
class Choice:
    """What may be done with a contract, by whom."""

    controller: Callable[[Json, Json], str]
    """From the contract's arguments and the choice's: who must exercise it."""
    run: Callable[["Transaction", Json, Json], Any]
    """From the transaction, the contract and the choice's argument: the result."""
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    consuming: bool = True


@dataclass(frozen=True)
class Template:
    """A kind of contract."""

    module: str
    name: str
    fields: tuple[str, ...]
    signatories: tuple[str, ...]
    """The fields that name them."""
    optional: tuple[str, ...] = ()
    observers: Callable[[Json], list[str]] = lambda _: []
    creators: tuple[str, ...] | None = None
    """The fields naming whose authority creating one takes; the signatories when None."""
    ensure: Callable[["Transaction", Json], None] = lambda _tx, _arguments: None
    choices: Mapping[str, Choice] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``Module:Name``."""
        return f"{self.module}:{self.name}"


class Book:
    """Everything on the ledger. One transaction at a time: there is no await between reading and writing."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self.templates = {one.key: one for one in templates}
        self.active: dict[str, Json] = {}
        self.archived: list[Json] = []
        self.offset = 0
        self.pruned = 0
        self.commands: dict[str, Json] = {}
        """Commands carried out: ``{offset, submission, at}`` by user, parties and command id."""

    def of(self, key: str) -> list[Json]:
        """The active contracts of a template, oldest first."""
        return [one for one in self.active.values() if one["template"] == key]

    def at(self, offset: int) -> list[Json]:
        """The contracts active at an offset, oldest first. Raises `LedgerError` beyond the end or before pruning."""
        if offset > self.offset:
            cause = f"offset {offset} is beyond ledger end {self.offset}"
            raise LedgerError("OFFSET_AFTER_LEDGER_END", cause, BEYOND_END)
        if offset < self.pruned:
            cause = f"offset {offset} precedes pruned offset {self.pruned}"
            raise LedgerError("PARTICIPANT_PRUNED_DATA_ACCESSED", cause, STATE)
        past = [one for one in self.archived if one["archived"] > offset]
        return sorted((one for one in (*past, *self.active.values()) if one["offset"] <= offset), key=_age)

    def state(self) -> Json:
        """All of it as JSON."""
        names = ("active", "archived", "offset", "pruned", "commands")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: Json) -> None:
        """Continue from what `state` returned."""
        for name, value in state.items():
            setattr(self, name, value)


class Transaction:
    """Changes that happen together or not at all: nothing touches the book before `commit`."""

    def __init__(self, book: Book, at: datetime, authorizers: Iterable[str]) -> None:
        self.book = book
        self.at = at
        self.authorizers = set(authorizers)
        self.effects: list[Json] = []
        """Created and exercised nodes in order: ``{kind, contract, …}``."""
        self._created: dict[str, Json] = {}
        self._archived: set[str] = set()
        self._depth = 0

    @property
    def now(self) -> str:
        """The ledger time, as Daml's JSON has it."""
        return daml_time(self.at)

    @property
    def inside_a_choice(self) -> bool:
        """Whether template code is acting, rather than a command of a client."""
        return self._depth > 0

    def create(self, key: str, arguments: Json) -> str:
        """Make a contract; its id. Raises `LedgerError` for wrong fields, missing authority or a broken condition."""
        template = self.book.templates[key]
        _check_fields(arguments, template.fields, template.optional, key)
        creators = template.signatories if template.creators is None else template.creators
        needed = {arguments[name] for name in creators}
        # Inside a choice the template's own code creates, with the authority of the contract's signatories.
        if not self.inside_a_choice and not needed <= self.authorizers:
            raise unauthorised(sorted(needed), sorted(self.authorizers))
        template.ensure(self, arguments)
        place = f"{self.book.offset + 1}:{len(self.effects)}:{self.now}"
        identity = "00" + hashlib.sha256(place.encode()).hexdigest() + "ca12"
        signatories = sorted({arguments[name] for name in template.signatories})
        self._created[identity] = {
            "id": identity,
            "template": key,
            "arguments": {**dict.fromkeys(template.optional), **arguments},
            "signatories": signatories,
            "observers": sorted(set(template.observers(arguments)) - set(signatories)),
            "created": self.now,
            "offset": self.book.offset + 1,
            "node": len(self.effects),
            "archived": None,
        }
        self.effects.append({"kind": "created", "contract": self._created[identity]})
        return identity

    def fetch(self, identity: str, key: str | None = None) -> Json:
        """The active contract of that id. Raises `LedgerError` when there is none (of that template)."""
        found = self._created.get(identity) or self.book.active.get(identity)
        if found is None or identity in self._archived or key not in {None, found["template"]}:
            raise no_contract(identity)
        return found

    def archive(self, identity: str) -> None:
        """End a contract. Raises `LedgerError` when it isn't active."""
        self.fetch(identity)
        self._archived.add(identity)

    def exercise(self, identity: str, name: str, argument: Json, *, keep: bool = False) -> Any:
        """Do a choice; its result. `keep` leaves the contract alive where the choice would consume it."""
        contract = self.fetch(identity)
        if not self.authorizers & {*contract["signatories"], *contract["observers"]}:
            raise no_contract(identity)
        choice = self.book.templates[contract["template"]].choices.get(name)
        if choice is None:
            raise malformed(f"unknown choice {name} of {contract['template']}")
        _check_fields(argument, choice.fields, choice.optional, name)
        controller = choice.controller(contract["arguments"], argument)
        if controller not in self.authorizers:
            raise unauthorised([controller], sorted(self.authorizers))
        consuming = choice.consuming and not keep
        effect = {"kind": "exercised", "contract": contract, "choice": name, "argument": argument}
        self.effects.append({**effect, "consuming": consuming, "actor": controller})
        mine = len(self.effects) - 1
        if consuming:
            self.archive(identity)
        self._depth += 1
        result = choice.run(self, contract, argument)
        self._depth -= 1
        self.effects[mine] |= {"result": result, "last": len(self.effects) - 1}
        return result

    def commit(self) -> int:
        """Put it on the ledger; the offset it has."""
        self.book.offset += 1
        for identity in self._archived:
            gone = self._created.pop(identity, None) or self.book.active.pop(identity)
            gone["archived"] = self.book.offset
            self.book.archived.append(gone)
        self.book.active |= self._created
        while len(self.book.archived) > ARCHIVE_KEPT:
            self.book.pruned = self.book.archived.pop(0)["archived"]
        return self.book.offset


def _age(contract: Json) -> tuple[int, int]:
    return contract["offset"], contract["node"]


def _check_fields(given: Any, fields: tuple[str, ...], optional: tuple[str, ...], what: str) -> None:
    if not isinstance(given, dict):
        raise malformed(f"expected a record for {what}")
    if missing := [name for name in fields if name not in given]:
        raise malformed(f"Missing non-optional fields of {what}: {', '.join(missing)}")
    if unknown := set(given) - {*fields, *optional}:
        raise malformed(f"Unexpected fields of {what}: {', '.join(sorted(unknown))}")
