"""The command line, and the table of contents: what the bot takes, from where, and which file answers it."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version

from bot.errors import BotError, ConfigurationError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "rotate": ("bot.terminal.rotate", "put a new secret value into the cluster, by a local prompt"),
    "drill": ("bot.drill.cli", "run the bot against a whole practice world on this machine"),
    "init": ("bot.terminal.init", "a commented configuration and the Slack manifest, from a few questions"),
    "doctor": ("bot.terminal.doctor", "check everything that can be checked without changing anything"),
    "pause": ("bot.terminal.pause", "the emergency pause where Slack is not: shows the plan, asks, sends"),
    "enrol": ("bot.terminal.enrol", "give somebody a second factor, for the approvals that take a one-time code"),
    "status": ("bot.terminal.status", "what `/musd status` says, where Slack is not"),
    "diagnose": ("bot.terminal.diagnose", "a runbook's diagnosis with its verdict, where Slack is not"),
    "incidents": ("bot.terminal.incidents", "the incidents on record, or the timeline of one"),
    "runbooks": ("bot.terminal.runbooks", "the runbooks as pages, from the runbooks themselves"),
    "audit": ("bot.terminal.audit", "whether the audit log is what was written, and the log itself"),
    "config": ("bot.terminal.config", "the settings as the bot would read them, or their reference"),
}
"""The module of each command beside `serve`, and its line of help. A module has `add_arguments(parser)` and
`main(arguments)`, which returns the exit code; it is imported when its command is typed."""


def main() -> int:
    """Run one command; its exit code. 2 means that it can't be done like this, and the text says why."""
    parser = argparse.ArgumentParser(prog="musd-bot", description=__doc__)
    parser.add_argument("--version", action="version", version=version("musd-bot"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the bot; settings come from the environment and MUSD_CONFIG")
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if sys.argv[1:2] == [name]:  # importing them all would make every command wait for web3 and its friends
            import_module(module).add_arguments(command)
    arguments = parser.parse_args()
    try:
        if arguments.command == "serve":
            return _serve()
        return int(import_module(COMMANDS[arguments.command][0]).main(arguments))
    except BotError as error:
        sys.stderr.write(f"musd-bot {arguments.command}: {error.sentences()}\n")
        return 2


def _serve() -> int:
    from bot import logs, settings, wiring  # noqa: PLC0415 - web3 and friends take a second to import
    from handlers import (  # noqa: PLC0415 - the same
        alerts,
        announcing,
        approving,
        buttons,
        commands,
        events,
        guarding,
        health,
        home,
        incidents,
        judging,
        modals,
        pagerduty,
        proposing,
        record,
        slack_http,
        unpausing,
        updating,
    )

    try:
        logs.configure()
        asyncio.run(
            wiring.serve(
                settings.read(),
                routes=(
                    alerts.register,  # POST /alertmanager
                    pagerduty.register,  # POST /pagerduty
                    health.register,  # GET /healthz, /readyz, /metrics
                ),
                listeners=(
                    guarding.register,  # before them all: nothing from a shared channel
                    commands.register,  # /musd …
                    buttons.register,  # Pause protocol…, Open incident, Confirm, Decline
                    home.register,  # App Home
                    updating.register,  # Post update…
                    announcing.register,  # Edit… on an announcement
                    modals.register,  # the pause modal's submission
                    unpausing.register,  # the unpause modal's
                    proposing.register,  # any other proposal's
                    approving.register,  # approvals that are typed, why a decline, Withdraw
                    incidents.register,  # Acknowledge, Resolve…, Close…; the message shortcut Open incident
                    record.register,  # checklist, timeline, post-mortem; the message shortcut Add to timeline
                    judging.register,  # what only people can judge
                    events.register,  # people join, channels change, messages are marked
                ),
                slack_door=slack_http.register,  # POST /slack/events, in HTTP mode
            )
        )
    except ConfigurationError as error:
        sys.stderr.write(f"musd-bot can't start. {error.sentences()}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
