"""`musd-bot drill`: its flags, what it refuses, and its exit codes."""

import argparse
import asyncio
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bot.drill.chain.anvil import AnvilMissingError
from bot.drill.chain.deployment import SHARE_DECIMALS
from bot.drill.scenarios import SCENARIOS
from bot.drill.world import SERVE, CannotStartError, Options, run

REFUSED = 2
"""Exit code where the drill does not start."""
CREDENTIALS = (
    "MUSD_SLACK_",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "MUSD_ALERTMANAGER_TOKEN",
    "MUSD_PAGERDUTY_",
    "PAGERDUTY_",
    "MUSD_KEYSTORE",
    "MUSD_UNPAUSE_KEYSTORE",
    "MUSD_LEDGER_TOKEN",
    "MUSD_RPC_URLS",
    "MUSD_DATABASE_URL",
    "DATABASE_URL",
    "MUSD_KUBECONFIG",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "TEMPLE_JWT",
    "PRIVATE_KEY",
    "ETH_PRIVATE_KEY",
    "RELAYER_PRIVATE_KEY",
)
"""Variables that hold production's keys and addresses; one that ends in an underscore stands for all it begins."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `musd-bot drill`."""
    parser.add_argument("--port", type=_port, default=3000, help="the page's and the doors' port (default 3000)")
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="KEY",
        choices=[one.key for one in SCENARIOS],
        help=f"begin with this already broken; one of {', '.join(one.key for one in SCENARIOS)}",
    )
    parser.add_argument(
        "--block-time", type=_seconds, metavar="SECONDS", help="a block every so often (default: one per transaction)"
    )
    parser.add_argument(
        "--share-decimals",
        type=int,
        choices=(18, 21),
        default=SHARE_DECIMALS,
        help="how many decimals a share of smUSD has in a new world; deployments have either (default 21)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the world here and continue it the next time")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        dest="settings",
        help="a setting for the bot; in lower case without its prefix, such as pause_lives=60",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")


def main(arguments: argparse.Namespace, command: Sequence[str] = SERVE) -> int:
    """Run the drill until it is ended; the exit code: 0, or 2 with a sentence on standard error.

    `command` starts the bot.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    if (reason := production_credentials(os.environ)) is not None:
        return _refuse(reason)
    folder = arguments.data or Path(tempfile.mkdtemp(prefix="musd-drill-"))
    options = Options(
        folder=folder,
        port=arguments.port,
        block_time=arguments.block_time,
        share_decimals=arguments.share_decimals,
        scenarios=arguments.scenario,
        settings=dict(arguments.settings),
        browser=not arguments.no_browser and sys.stdout.isatty(),
        command=command,
    )
    try:
        code = asyncio.run(run(options))
    except (CannotStartError, AnvilMissingError) as error:
        code = _refuse(str(error))
    if arguments.data is None:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def production_credentials(environment: Mapping[str, str]) -> str | None:
    """Why the drill won't run in that environment: the variable's name and what to do, never its value."""
    for name in environment:
        held = any(name.startswith(one) if one.endswith("_") else name == one for one in CREDENTIALS)
        if held and environment[name]:
            return (
                f"{name} is set, and it holds what production uses. The drill starts only without it: run "
                f"`env -u {name} musd-bot drill`, or use a shell that has no production settings."
            )
    if _leads_to_a_cluster(environment.get("KUBECONFIG", "")):
        return (
            "KUBECONFIG names a cluster that is not on this machine. The drill starts only without it: run "
            "`env -u KUBECONFIG musd-bot drill`."
        )
    return None


def _leads_to_a_cluster(kubeconfig: str) -> bool:
    """Whether any of the files that KUBECONFIG lists names a server elsewhere."""
    files = [Path(one) for one in kubeconfig.split(os.pathsep) if one and Path(one).is_file()]
    servers = [server for one in files for server in re.findall(r"server:\s*\"?(\S+?)\"?\s", one.read_text() + "\n")]
    return any(urlsplit(server).hostname not in _LOOPBACK for server in servers)


def _refuse(reason: str) -> int:
    print(f"musd-bot drill: {reason}", file=sys.stderr)  # noqa: T201 - a command line's answer
    return REFUSED


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 (any free one) to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.05 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no block time: seconds from 0.05 to 3600")
    return value


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is no setting: KEY=VALUE, such as pause_lives=60")
    return key, value
