"""`musd-bot status`: what `/musd status` says, where Slack is not."""

import argparse
import asyncio

from bot import logs, settings
from bot.terminal import printing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to print."""
    parser.add_argument("--json", action="store_true", help="one object a line, for pipelines")


def main(arguments: argparse.Namespace) -> int:
    """Ask every source, print; 0 where all is OK, 1 where not.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    from bot.wiring import asking  # noqa: PLC0415 - web3 and friends take a second to import

    logs.configure()
    found = settings.read()
    lines = asyncio.run(asking.status(found))
    printing.say(found, printing.as_json(printing.objects(lines)) if arguments.json else printing.table(lines))
    return printing.code(lines)
