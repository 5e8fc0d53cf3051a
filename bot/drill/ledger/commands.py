"""Carrying out a submission: once for each command id, all of it or nothing."""

import json
from datetime import timedelta
from uuid import uuid4

from bot.drill.ledger import errors, wire
from bot.drill.ledger.book import Book, Transaction
from bot.drill.listening import Json, now, parse_stamp

DEDUPLICATION = timedelta(hours=24)
"""How long a command is remembered unless it says otherwise."""


def carry_out(book: Book, user: str, asked: Json, *, locked: bool, keep: bool) -> Json:
    """Do what a submission asks; the transaction. Raises `LedgerError`, and then nothing has changed.

    Args:
        book: the ledger.
        user: who submits, by the token.
        asked: the request's body.
        locked: somebody else has locked what it needs.
        keep: a choice that sets `paused` leaves the old contract alive.
    """
    commands = asked["commands"]
    if commands.get("userId") not in {None, "", user}:
        raise errors.denied(user, f"to submit as user {commands['userId']}")
    parties = sorted(commands["actAs"])
    change = json.dumps([user, parties, commands["commandId"]])
    done = book.commands.get(change)
    if done is not None and now() - parse_stamp(done["at"]) < _remembered_for(commands):
        raise errors.duplicate(commands["commandId"], done["offset"], done["submission"])
    if locked:
        raise errors.locked(_first_contract(commands["commands"]))
    tx = Transaction(book, now(), parties)
    for command in commands["commands"]:
        wire.run(tx, command, keep=keep)
    offset = tx.commit()
    submission = commands.get("submissionId") or str(uuid4())
    book.commands[change] = {"offset": offset, "submission": submission, "at": tx.now}
    return wire.transaction(tx, offset, asked)


def _remembered_for(commands: Json) -> timedelta:
    period = (commands.get("deduplicationPeriod") or {}).get("DeduplicationDuration")
    if period is None:
        return DEDUPLICATION
    return timedelta(seconds=period["value"]["seconds"], microseconds=period["value"].get("nanos", 0) / 1000)


def _first_contract(commands: list[Json]) -> str:
    for command in commands:
        for body in command.values():
            if "contractId" in body:
                return str(body["contractId"])
    return "none: the command creates"
