"""What Canton publishes of its JSON Ledger API v2, in our own words: the shapes of what the bot sends and reads.

Each is a JSON schema. Templates are named by package name: `#package:Module:Template`.
"""

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string", "minLength": 1}
TEMPLATE_ID: Json = {"type": "string", "pattern": "^#[^:]+:[^:]+:[^:]+$"}


def record(needed: dict[str, Json], **more: Json) -> Json:
    """An object with these fields and no unknown ones."""
    return {
        "type": "object",
        "properties": {**needed, **more},
        "required": list(needed),
        "additionalProperties": False,
    }


def holds(**needed: Json) -> Json:
    """An object that has at least these fields."""
    return {"type": "object", "properties": needed, "required": list(needed)}


CREATE = record({"templateId": TEMPLATE_ID, "createArguments": {"type": "object"}})
EXERCISE = record({"templateId": TEMPLATE_ID, "contractId": TEXT, "choice": TEXT, "choiceArgument": {"type": "object"}})
COMMAND: Json = {"oneOf": [record({"CreateCommand": CREATE}), record({"ExerciseCommand": EXERCISE})]}
COMMANDS = record(
    {
        "commandId": TEXT,
        "actAs": {"type": "array", "minItems": 1, "items": TEXT},
        "commands": {"type": "array", "minItems": 1, "items": COMMAND},
    },
    readAs={"type": "array", "items": TEXT},
    userId=TEXT,
)
TEMPLATE_FILTER = record(
    {
        "TemplateFilter": record(
            {"value": record({"templateId": TEMPLATE_ID}, includeCreatedEventBlob={"type": "boolean"})}
        )
    }
)
FILTERS = record({"cumulative": {"type": "array", "items": record({"identifierFilter": TEMPLATE_FILTER})}})
EVENT_FORMAT = record(
    {"filtersByParty": {"type": "object", "additionalProperties": FILTERS}, "verbose": {"type": "boolean"}}
)
ACTIVE = record({"activeAtOffset": {"type": "integer"}, "eventFormat": EVENT_FORMAT})
ACTIVE_PAGE = record(
    {"eventFormat": EVENT_FORMAT},
    activeAtOffset={"type": "integer"},
    maxPageSize={"type": "integer", "minimum": 1},
    pageToken=TEXT,
)
REQUESTS: dict[str, Json] = {
    "/v2/commands/submit-and-wait-for-transaction": record({"commands": COMMANDS}),
    "/v2/state/active-contracts": ACTIVE,
    "/v2/state/active-contracts-page": ACTIVE_PAGE,
}
"""Bodies by path; everything else the bot asks is a GET without one."""

CREATED = holds(contractId=TEXT, templateId=TEXT, createArgument={"type": "object"}, witnessParties={"type": "array"})
ENTRY = holds(contractEntry=holds(JsActiveContract=holds(createdEvent=CREATED, synchronizerId=TEXT)))
RIGHT = holds(kind={"type": "object", "minProperties": 1, "maxProperties": 1})
ANSWERS: dict[str, Json] = {
    "/v2/version": holds(version=TEXT),
    "/v2/authenticated-user": holds(user=holds(id=TEXT)),
    "/v2/users/{user-id}/rights": holds(rights={"type": "array", "items": RIGHT}),
    "/v2/state/ledger-end": holds(
        offset={"type": "integer"},
        synchronizerTimes={"type": "array", "items": holds(synchronizerId=TEXT, recordTime=TEXT)},
    ),
    "/v2/state/active-contracts": {"type": "array", "items": ENTRY},
    "/v2/state/active-contracts-page": holds(
        activeAtOffset={"type": "integer"}, activeContracts={"type": "array", "items": ENTRY}
    ),
    "/v2/commands/submit-and-wait-for-transaction": holds(
        transaction=holds(updateId=TEXT, offset={"type": "integer"}, events={"type": "array"}, synchronizerId=TEXT)
    ),
}
"""Bodies of answers with status 200, by path."""
REFUSAL = holds(
    code=TEXT,
    cause=TEXT,
    errorCategory={"type": "integer"},
    context={"type": "object", "additionalProperties": {"type": "string"}},
)
"""Every other answer's, where it is JSON."""
