"""`musd-bot rotate`: put a new secret value into the cluster from this machine, without it being seen anywhere.

The value is asked for without an echo, or read from standard input, as from a password manager. It is no argument, is
written to no file, and leaves this process only for the Kubernetes API. Nothing else of the bot's is needed here.
Beside it goes who typed it, as this machine knows them: a plain statement for the record, and no proof.
"""

import argparse
import asyncio
import getpass
import os
import pwd
import socket
import sys
from pathlib import Path

from pydantic import SecretStr

from bot.errors import ConfigurationError

_RELAY = "relay-key"
_ASKED = {_RELAY: "The relay's new private key", "canton-token": "The new Canton token"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which secret, and which cluster; never its value."""
    environment = os.environ.get
    parser.add_argument("secret", choices=sorted(_ASKED))
    parser.add_argument("--address", default="", help="of a relay key: the announced address, which it has to derive")
    parser.add_argument("--kubeconfig", type=Path, default=environment("MUSD_KUBECONFIG"), help="MUSD_KUBECONFIG")
    parser.add_argument("--context", default=environment("MUSD_KUBE_WRITE_CONTEXT", ""), help="MUSD_KUBE_WRITE_CONTEXT")
    parser.add_argument("--namespace", default=environment("MUSD_NAMESPACE", "musd"), help="MUSD_NAMESPACE")


def main(arguments: argparse.Namespace) -> int:
    """Ask, check, put it there.

    Raises:
        ConfigurationError: no kubeconfig, or a relay key without the address it has to derive.
        RefusedError: the value is another one than announced. Nothing was changed.
    """
    if not arguments.kubeconfig:
        raise ConfigurationError("No kubeconfig is named.", next_step="Give --kubeconfig, or set MUSD_KUBECONFIG.")
    if arguments.secret == _RELAY and not arguments.address:
        raise ConfigurationError(
            "A relay key needs the address that was announced for it.",
            next_step="Give --address 0x…, as the proposal shows it.",
        )
    who = whoever_this_is()
    fact = asyncio.run(_put(arguments, _asked(arguments.secret), who))
    print(  # noqa: T201 - a command line's answer
        f"The Secret now has {fact}, put there by {who}. The bot sees it, keeps that in its record and goes on."
    )
    return 0


def whoever_this_is() -> str:
    """The operating system's user and host, as ``alice@laptop``: under sudo, whoever called it, too."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        user = f"uid {os.getuid()}"
    called_by = os.environ.get("SUDO_USER", "")
    return f"{user}@{socket.gethostname()}" + (f" (sudo of {called_by})" if called_by else "")


def _asked(secret: str) -> SecretStr:
    if sys.stdin.isatty():
        return SecretStr(getpass.getpass(f"{_ASKED[secret]} (not shown): "))
    return SecretStr(sys.stdin.readline().rstrip("\n"))


async def _put(arguments: argparse.Namespace, value: SecretStr, who: str) -> str:
    from bot.adapters.kube_api import KubeApi  # noqa: PLC0415 - clients that take a second to import
    from bot.wiring.rotation import RELAY_SECRET, TOKEN_SECRET, cluster_secrets  # noqa: PLC0415

    kube = KubeApi(arguments.namespace, arguments.kubeconfig, context=arguments.context or None, timeout=10)
    environment = os.environ.get
    secrets = cluster_secrets(
        kube,
        relay=environment("MUSD_RELAY_KEY_SECRET", RELAY_SECRET),
        token=environment("MUSD_CANTON_TOKEN_SECRET", TOKEN_SECRET),
    )
    try:
        return await secrets.put(arguments.secret, value, arguments.address, by=who)
    finally:
        await kube.close()
