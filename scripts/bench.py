"""`make bench`: how long what matters takes, measured on this machine against real parts, beside the runbook's own way.

    make bench                  every measurement there is
    make bench ARGS=pause       one of them

A measurement is a function in `MEASUREMENTS` that returns the lines it prints. None of them asserts anything.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from eth_utils.abi import function_signature_to_4byte_selector

from bot.drill.chain.accounts import ADMIN, address
from scripts.bench_diagnosis import diagnosis
from tests.world.onchain import shell
from tests.world.practice import PAUSABLE, Practice, until

BLOCK = 12
"""Seconds, as on Ethereum."""


def pause() -> Iterable[str]:
    """The emergency pause from the confirming press, beside the runbook's four `cast send`, in the same run."""
    world = Practice("--block-time", str(BLOCK))
    try:
        channel, proposal = world.propose_pause()
        bot = _timed(world, lambda: world.press("guardian-1", proposal, "Confirm", channel))
        _unpause(world)
        by_hand = _timed(world, lambda: _cast(world))
    finally:
        world.stop()
    yield f"Four contracts paused, {BLOCK} s blocks: from the press, or the first line, on; begun right after a block"
    yield f"  {'':24}{'blocks':>8}{'wall time':>12}"
    for name, (blocks, seconds) in {"musd-bot": bot, "four cast send": by_hand}.items():
        yield f"  {name:24}{blocks:>8}{seconds:>10.1f} s"
    yield f"  {'ratio':24}{by_hand[0] / bot[0]:>7.1f}x{by_hand[1] / bot[1]:>11.1f}x"


MEASUREMENTS: Mapping[str, Callable[[], Iterable[str]]] = {"pause": pause, "diagnosis": diagnosis}


def _timed(world: Practice, work: Callable[[], object]) -> tuple[int, float]:
    """Blocks until all four are paused, and seconds; begun right after a block."""
    head = _head(world)
    until(lambda: _head(world) > head, 3 * BLOCK)
    before, began = _head(world), time.monotonic()
    work()
    until(lambda: all(world.paused(contract) for contract in PAUSABLE), 20 * BLOCK)
    seconds = time.monotonic() - began
    return max(block for block, _, _ in world.paused_events()) - before, seconds


def _cast(world: Practice) -> None:
    """The runbook's lines (Emergency Pause, step 1), as they stand."""
    lines = [
        f'cast send {world.world["contracts"][name]} "pause()" --account deployer --rpc-url $ETH_RPC_URL'
        for name in PAUSABLE
    ]
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(shell(world.world["rpc"], Path(home), "\n".join(["set -e", *lines])))


def _unpause(world: Practice) -> None:
    selector = function_signature_to_4byte_selector("practiceUnpause()").hex()
    for name in PAUSABLE:
        call = {"from": address(ADMIN), "to": world.world["contracts"][name], "data": f"0x{selector}"}
        world.rpc("eth_sendTransaction", call)
    until(lambda: not any(world.paused(name) for name in PAUSABLE), 3 * BLOCK)


def _head(world: Practice) -> int:
    return int(world.rpc("eth_blockNumber"), 16)


def main() -> int:
    """Run those named, or all."""
    for name in sys.argv[1:] or MEASUREMENTS:
        for line in MEASUREMENTS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
