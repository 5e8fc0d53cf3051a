"""One diagnosis of each runbook, beside the runbook's own commands run one after another with kubectl, cast and curl.

What a person would still have to do by hand is not counted for the commands: typing them, and reading what they say.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.world.onchain import cast_binary
from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"
_QUIET = 5.0
"""Seconds between two: Slack takes one message a second and channel, and the one before has its files there."""
_LINE = re.compile(r"(?m)^\S+ \*(?:OK|BAD|UNKNOWN)\* · \*")


def diagnosis() -> Iterable[str]:
    """From the command to its verdict, and from the first line of the runbook to its last."""
    world = Practice()
    try:
        _by_bot(world, "database-recovery")  # the practice world starts its database when it is first asked
        rows = [(key, _by_bot(world, key), _by_hand(lines)) for key, lines in _commands(world.world).items()]
    finally:
        world.stop()
    yield "One diagnosis of each runbook, from /musd diagnose to its verdict; the runbook's own commands in a row"
    yield f"  {'':26}{'musd-bot':>10}{'probes':>8}{'by hand':>10}{'commands':>10}{'ratio':>8}{'per question':>14}"
    for key, (bot, probes), (hand, done) in rows:
        each = (hand / done) / (bot / probes)
        yield f"  {key:26}{bot:>8.2f} s{probes:>8}{hand:>8.2f} s{done:>10}{hand / bot:>7.1f}x{each:>13.1f}x"


def _by_bot(world: Practice, key: str) -> tuple[float, int]:
    """Seconds until the verdict stands in the channel, and how many answers it stands on."""
    time.sleep(_QUIET)
    known = {message["ts"] for message in world.messages(CHANNEL)}
    began = time.monotonic()
    world.command("responder-1", f"diagnose {key}", CHANNEL)

    def closed() -> str | None:
        fresh = (one for one in world.messages(CHANNEL) if one["ts"] not in known and one["buttons"])
        return next((text for text in map(written, fresh) if "asking" not in text), None)

    text = until(closed, 60)
    return time.monotonic() - began, len(_LINE.findall(text))


def _by_hand(lines: Sequence[str]) -> tuple[float, int]:
    """Seconds for all of them in a row, and how many. One that fails ends the measurement: it would be too fast."""
    environment = {"PATH": f"{cast_binary().parent}:{os.environ['PATH']}", "NO_PROXY": "*", "HOME": "/nonexistent"}
    began = time.monotonic()
    for line in lines:
        subprocess.run(["bash", "-c", line], capture_output=True, env=environment, check=True)
    return time.monotonic() - began, len(lines)


def _commands(at: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """The runbooks' own lines, by runbook, with this world's addresses in the place of their variables."""
    kubectl = f"kubectl --kubeconfig {at['kubeconfig']} --context reader -n musd"
    curl = "curl -sS --max-time 10"

    def cast(contract: str, call: str, *given: str) -> str:
        return f'cast call {at["contracts"][contract]} "{call}" {" ".join(given)} --rpc-url {at["rpc"]}'

    def pods(app: str) -> str:
        return f"{kubectl} get pods -l app={app}"

    price = cast("PRICE_ORACLE", "getLatestPrice(address)(uint256)", at["collateral_token"])
    disk = f"{kubectl} exec canton-postgres-0 -- df -h /var/lib/postgresql/data"
    each = f"for pod in $({kubectl} get pods -l app=musd-validator -o name)"
    return {
        "relay-down": (
            pods("musd-relay"),
            f"{kubectl} logs -l app=musd-relay --tail=100",
            f"{curl} {at['relay']}/health",
        ),
        "validator-down": (
            pods("musd-validator"),
            f"{each}; do {kubectl} exec $pod -- cat /tmp/heartbeat; done",
        ),
        "oracle-stale": (
            f"{curl} {at['prices']}/v1/ratio/CC/USDCx",
            f"{curl} -H 'Authorization: Bearer practice-temple-jwt' {at['prices']}/v1/price/Amulet/USDCx",
            price,
        ),
        "supply-cap": (cast("MUSD", "totalSupply()(uint256)"), cast("DIRECT_MINT", "supplyCap()(uint256)")),
        "reserve-ratio": (cast("TREASURY", "totalAssets()(uint256)"), cast("MUSD", "totalSupply()(uint256)")),
        "liquidation-surge": (
            f"{curl} '{at['prices']}/api/v3/simple/price?ids=canton-network&vs_currencies=usd'",
            price,
            pods("liquidation-bot"),
        ),
        "share-price": (
            cast("SMUSD", "convertToAssets(uint256)(uint256)", "1000000000000000000"),
            cast("TREASURY", "getCurrentAllocations()(address[],uint256[])"),
        ),
        "canton-participant-down": (
            pods("canton-participant"),
            f"{kubectl} logs -l app=canton-participant --tail=200",
            disk,
        ),
        "database-recovery": (disk,),
    }
