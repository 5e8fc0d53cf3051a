"""The JSON Ledger API's shapes: template ids, filters, events, commands."""

from collections.abc import Iterable
from typing import Any

from bot.drill.ledger.book import PACKAGE, PACKAGE_ID, Book, Transaction
from bot.drill.ledger.errors import MISSING, LedgerError, malformed
from bot.drill.listening import Json

SYNCHRONIZER = "musd-practice::1220" + PACKAGE_ID
LEDGER_EFFECTS = "TRANSACTION_SHAPE_LEDGER_EFFECTS"
FEATURES: Json = {
    "experimental": {"staticTime": {"supported": False}, "commandInspectionService": {"supported": False}},
    "userManagement": {"supported": True, "maxRightsPerUser": 1000, "maxUsersPageSize": 1000},
    "partyManagement": {"maxPartiesPageSize": 10000},
    "offsetCheckpoint": {"maxOffsetCheckpointEmissionDelay": {"seconds": 75, "nanos": 0}},
    "packageFeature": {"maxVettedPackagesPageSize": 100},
}
METADATA: Json = {"resourceVersion": "0", "annotations": {}}


def party(identity: str) -> Json:
    """A party's details."""
    return {"party": identity, "isLocal": True, "localMetadata": METADATA, "identityProviderId": ""}


def user(identity: str, *, deactivated: bool = False) -> Json:
    """A user."""
    about = {"primaryParty": "", "isDeactivated": deactivated, "identityProviderId": "", "metadata": METADATA}
    return {"id": identity, **about}


def template_key(book: Book, text: Any) -> str:
    """``Module:Name`` of a template id by package name or id. Raises `LedgerError` for one the ledger lacks."""
    package, _, key = str(text).partition(":")
    if not isinstance(text, str) or text.count(":") != 2:
        raise malformed(f"Invalid template id {text!r}: expected #package-name:Module:Template")
    if package.startswith("#") and package != f"#{PACKAGE}":
        cause = f"The following package names do not match upgradable packages: {package[1:]}"
        raise LedgerError("PACKAGE_NAMES_NOT_FOUND", cause, MISSING, resource=("PACKAGE_NAME", package[1:]))
    if (not package.startswith("#") and package != PACKAGE_ID) or key not in book.templates:
        code = "TEMPLATES_OR_INTERFACES_NOT_FOUND"
        raise LedgerError(code, f"Templates do not exist: [{text}]", MISSING, resource=("TEMPLATE_ID", text))
    return key


class Filter:
    """An ``eventFormat``: which contracts a query wants, for which parties."""

    def __init__(self, book: Book, request: Json) -> None:
        wanted = request.get("eventFormat") or request.get("filter")
        if not isinstance(wanted, dict) or ("eventFormat" in request) == ("filter" in request):
            raise malformed("exactly one of eventFormat and filter must be given")
        self.by_party = {
            party: _templates(book, filters) for party, filters in (wanted.get("filtersByParty") or {}).items()
        }
        anybody = wanted.get("filtersForAnyParty")
        self.for_anybody = None if anybody is None else _templates(book, anybody)
        if not self.by_party and self.for_anybody is None:
            raise malformed("filtersByParty and filtersForAnyParty cannot be empty simultaneously")

    def wants(self, contract: Json) -> bool:
        """Whether the contract is among them."""
        key, stakeholders = contract["template"], {*contract["signatories"], *contract["observers"]}
        if self.for_anybody is not None and key in self.for_anybody:
            return True
        return any(party in stakeholders and key in keys for party, keys in self.by_party.items())

    def witnesses(self, contract: Json) -> list[str]:
        """Those of the asking parties that see it."""
        stakeholders = [*contract["signatories"], *contract["observers"]]
        return [one for one in stakeholders if self.for_anybody is not None or one in self.by_party]


def _templates(book: Book, filters: Json) -> set[str]:
    keys: set[str] = set()
    for one in filters.get("cumulative") or [{"identifierFilter": {"WildcardFilter": {"value": {}}}}]:
        (kind, body), *more = (one.get("identifierFilter") or {"": None}).items()
        if more or kind not in {"TemplateFilter", "WildcardFilter"}:
            raise malformed(f"identifierFilter must be a TemplateFilter or a WildcardFilter, not {kind!r}")
        if kind == "WildcardFilter":
            keys |= set(book.templates)
        else:
            keys.add(template_key(book, (body.get("value") or {}).get("templateId")))
    return keys


def _identity(contract: Json, offset: int, node: int) -> Json:
    return {
        "offset": offset,
        "nodeId": node,
        "contractId": contract["id"],
        "templateId": f"{PACKAGE_ID}:{contract['template']}",
        "packageName": PACKAGE,
    }


def created_event(contract: Json, witnesses: Iterable[str]) -> Json:
    """A ``CreatedEvent``."""
    return {
        **_identity(contract, contract["offset"], contract["node"]),
        "createArgument": contract["arguments"],
        "createdEventBlob": "",
        "interfaceViews": [],
        "witnessParties": list(witnesses),
        "signatories": contract["signatories"],
        "observers": contract["observers"],
        "createdAt": contract["created"],
        "representativePackageId": PACKAGE_ID,
        "acsDelta": True,
    }


def active_contract(contract: Json, wanted: Filter) -> Json:
    """One element of the answer to an active contracts query."""
    entry = {
        "createdEvent": created_event(contract, wanted.witnesses(contract)),
        "synchronizerId": SYNCHRONIZER,
        "reassignmentCounter": 0,
    }
    return {"workflowId": "", "contractEntry": {"JsActiveContract": entry}}


def transaction(tx: Transaction, offset: int, request: Json) -> Json:
    """A carried out transaction as its submitter sees it, in the shape that was asked for."""
    shape = (request.get("transactionFormat") or {}).get("transactionShape")
    commands = request["commands"]
    parties = sorted(tx.authorizers)
    events = _effects(tx, offset, parties) if shape == LEDGER_EFFECTS else _delta(tx, offset, parties)
    return {
        "updateId": f"1220{offset:060x}",
        "commandId": commands["commandId"],
        "workflowId": commands.get("workflowId", ""),
        "effectiveAt": tx.now,
        "events": events,
        "offset": offset,
        "synchronizerId": SYNCHRONIZER,
        "recordTime": tx.now,
    }


def _effects(tx: Transaction, offset: int, parties: list[str]) -> list[Json]:
    events: list[Json] = []
    for node, effect in enumerate(tx.effects):
        contract = effect["contract"]
        if effect["kind"] == "created":
            events.append({"CreatedEvent": created_event(contract, parties)})
            continue
        said = {
            **_identity(contract, offset, node),
            "choice": effect["choice"],
            "choiceArgument": effect["argument"],
            "actingParties": [effect["actor"]],
            "consuming": effect["consuming"],
            "witnessParties": parties,
            "lastDescendantNodeId": effect["last"],
            "exerciseResult": effect["result"],
            "implementedInterfaces": [],
            "acsDelta": effect["consuming"],
        }
        events.append({"ExercisedEvent": said})
    return events


def _delta(tx: Transaction, offset: int, parties: list[str]) -> list[Json]:
    events: list[Json] = []
    for node, effect in enumerate(tx.effects):
        contract = effect["contract"]
        if effect["kind"] == "created" and contract["archived"] is None:
            events.append({"CreatedEvent": created_event(contract, parties)})
        elif effect["kind"] == "exercised" and effect["consuming"] and contract["offset"] < offset:
            gone = {**_identity(contract, offset, node), "witnessParties": parties, "implementedInterfaces": []}
            events.append({"ArchivedEvent": gone})
    return events


def run(tx: Transaction, command: Any, *, keep: bool = False) -> None:
    """Do one command of a submission. Raises `LedgerError` for one that isn't any of the published kinds."""
    if not isinstance(command, dict) or len(command) != 1:
        raise malformed("a command is an object with exactly one key")
    (kind, body), *_ = command.items()
    needed = {
        "CreateCommand": ("templateId", "createArguments"),
        "ExerciseCommand": ("templateId", "contractId", "choice", "choiceArgument"),
        "CreateAndExerciseCommand": ("templateId", "createArguments", "choice", "choiceArgument"),
    }.get(kind)
    if needed is None:
        raise malformed(f"command {kind} is not supported")
    if missing := [name for name in needed if name not in body]:
        raise malformed(f"Missing required field at '{kind}.{missing[0]}'")
    key = template_key(tx.book, body["templateId"])
    identity = body.get("contractId") or tx.create(key, body["createArguments"])
    if "choice" in body:
        tx.fetch(identity, key)
        tx.exercise(
            identity, body["choice"], body["choiceArgument"], keep=keep and body["choice"].endswith("SetPaused")
        )
