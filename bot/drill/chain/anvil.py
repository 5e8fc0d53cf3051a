"""The real anvil binary: finding it, starting it on a free loopback port, ending it."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.drill.chain.rpc import Rpc, RpcError
from bot.drill.child import Child

_ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 15.0
_HISTORY_BLOCKS = 500
"""A longer chain starts again without the states of its old blocks: writing them would take seconds."""


class AnvilMissingError(RuntimeError):
    """There is no anvil to run, or it doesn't start; the text says what to do."""


def find_anvil() -> Path:
    """The binary: where MUSD_ANVIL says, or in the platform package npm installed below this tree."""
    if said := os.environ.get("MUSD_ANVIL"):
        if not Path(said).is_file():
            raise AnvilMissingError(f"MUSD_ANVIL says {said}, and there is no such file")
        return Path(said)
    found = sorted((_ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if not found:
        raise AnvilMissingError(
            "the practice chain needs anvil, which is not installed: run `make drill`, which installs what is missing, "
            "or set MUSD_ANVIL to an anvil 1.7 you have"
        )
    return found[0]


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Anvil:
    """One running anvil whose state is kept in a folder.

    Its own ``--state`` writes in place, so that a kill in the middle leaves half a file; here the state is asked for
    and put down in one step, and only when the chain has moved.
    """

    def __init__(self, folder: Path) -> None:
        self.rpc: Rpc
        self._folder = folder
        self._state = folder / "anvil-state.json.gz"
        self._child: Child | None = None
        self._session: ClientSession
        self._saved_head = ""

    @property
    def has_state(self) -> bool:
        """Whether there is something to continue from."""
        return self._state.exists()

    async def start(self, *options: str) -> None:
        """Start it, continue from its state if it has one, and wait until it answers. Raises `AnvilMissingError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        binary = find_anvil()
        self._session = ClientSession(timeout=ClientTimeout(total=30))
        try:
            await self._spawn(binary, [*options, "--no-request-size-limit"])
            if self.has_state:
                await self._load()
        except BaseException:
            await self.end()
            raise

    async def stop(self) -> None:
        """Save, and end it."""
        with contextlib.suppress(ClientError, RpcError, OSError, TimeoutError):
            head, _ = await self.rpc.head()
            await self.save(history=head <= _HISTORY_BLOCKS)
        await self.end()

    async def end(self) -> None:
        """End it as it is, without saving."""
        if self._child is not None:
            await self._child.stop()
        await self._session.close()

    async def save(self, *, history: bool = False) -> None:
        """Write the chain to the folder, atomically, if it has moved since the last time.

        With `history` the state as of every old block is kept too: some 30 kB a block, so only when ending.
        """
        block = await self.rpc("eth_getBlockByNumber", "latest", False)
        if block["hash"] == self._saved_head and not history:
            return
        state = bytes.fromhex((await self.rpc("anvil_dumpState", history)).removeprefix("0x"))
        fresh = self._state.with_suffix(".new")
        fresh.write_bytes(state)
        fresh.replace(self._state)
        self._saved_head = block["hash"]

    async def _load(self) -> None:
        """Continue, and put the clock forward to where the chain's was: it may have been moved ahead of ours."""
        await self.rpc("anvil_loadState", "0x" + self._state.read_bytes().hex())
        _, then = await self.rpc.head()
        await self.rpc("evm_setTime", max(then + 1, int(time.time())))

    async def _spawn(self, binary: Path, options: Sequence[str]) -> None:
        log = self._folder / "anvil.log"
        for _ in range(3):
            port = free_port()
            command = [str(binary), "--silent", "--host", "127.0.0.1", "--port", str(port), *options]
            with log.open("wb") as output:
                environment = {"HOME": str(self._folder)}
                self._child = child = await Child.start(command, cwd=self._folder, env=environment, output=output)
            self.rpc = Rpc(self._session, f"http://127.0.0.1:{port}")
            if await self._answers(child):
                return
            await child.stop()
        last_words = log.read_text(errors="replace").strip()[-500:] or "it said nothing"
        raise AnvilMissingError(f"{binary} does not start: {last_words}")

    async def _answers(self, child: Child) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while child.running and loop.time() < deadline:
            try:
                await self.rpc("eth_chainId")
            except (ClientError, OSError):
                await asyncio.sleep(0.02)
            else:
                return child.running
        return False
