"""`musd-bot enrol`: give somebody a second factor. Whoever can run this is trusted with the bot's secrets anyway."""

import argparse
import asyncio
import getpass
import sys

from bot import logs, settings
from bot.engine.second_factor import Enrolment, SecondFactor
from bot.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom."""
    parser.add_argument("person", help="their Slack user id, such as U0ABCDEFG")


def main(arguments: argparse.Namespace) -> int:
    """Enrol them and print, once, what their authenticator takes.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        RefusedError: no secret is set, or there is no database.
    """
    logs.configure()
    enrolment = asyncio.run(_enrol(settings.read(), arguments.person))
    grouped = " ".join(enrolment.secret[place : place + 4] for place in range(0, len(enrolment.secret), 4))
    sys.stdout.write(
        f"{arguments.person} is enrolled; an older authenticator of theirs makes no codes any more.\n"
        f"Enter this in theirs, over a channel that nobody else reads. It is not shown again.\n\n"
        f"  key  {grouped}\n  uri  {enrolment.uri}\n\n"
        f"To pause in a terminal as well: MUSD_TERMINAL_PEOPLE names {arguments.person}={enrolment.generation}.\n"
    )
    return 0


async def _enrol(found: Settings, person: str) -> Enrolment:
    from bot.wiring import asking  # noqa: PLC0415 - SQLAlchemy takes a moment to import

    async with asking.record(found) as store:
        factor = SecondFactor(store, found.second_factor_secret)
        return await factor.enrol(person, by=f"terminal:{getpass.getuser()}")
