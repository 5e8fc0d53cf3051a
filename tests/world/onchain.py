"""Actions on Ethereum without Slack: a real anvil behind two breakable RPCs, a real store, the bot's own adapters."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.contracts import Contracts
from bot.adapters.pausing import ContractsAdmin, PausingChain
from bot.adapters.rpc import Rpcs
from bot.adapters.signers import KeystoreSigner
from bot.adapters.store import SqlStore, migrate
from bot.drill.chain import Chain
from bot.drill.chain.accounts import ADMIN, write_keystore
from bot.ports import Writes
from bot.views import render
from bot.views.redact import Redactor
from tests.world.practice import written

FOUR = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE")
_CAST = Path(__file__).parents[2] / "node_modules" / "@foundry-rs"


@asynccontextmanager
async def writes_on(
    chain: Chain, folder: Path, *, admin: bool = True, max_fee_gwei: int = 500
) -> AsyncIterator[Writes]:
    """Every write port on this chain; `admin`: with the second signer."""
    async with AsyncExitStack() as stack:
        rpcs = Rpcs(chain.rpc_urls, chain.chain_id)
        stack.push_async_callback(rpcs.close)
        url = f"sqlite:///{folder}/bot.db"
        await migrate(url)
        store = SqlStore(url)
        stack.push_async_callback(store.close)
        contracts = chain.contracts | {"TIMELOCK": chain.timelock}
        pauser = await KeystoreSigner.unlock(chain.keystore, chain.password_file)
        unpauser = await KeystoreSigner.unlock(chain.unpause_keystore, chain.unpause_password_file)
        yield Writes(
            signed=store,
            pause=PausingChain(rpcs, contracts, pauser, max_fee_gwei=max_fee_gwei),
            admin=ContractsAdmin(rpcs, contracts, unpauser, max_fee_gwei=max_fee_gwei) if admin else None,
            views=Contracts(rpcs, contracts),
        )


@asynccontextmanager
async def as_it_was(chain: Chain) -> AsyncIterator[Chain]:
    """The chain; afterwards as it was before."""
    snapshot = await chain.rpc("evm_snapshot")
    yield chain
    await chain.mend()
    await chain.rpc("evm_revert", snapshot)


async def send(chain: Chain, **transaction: Any) -> None:
    """Send from an account that anvil has unlocked, and wait for its block: a busy node mines a moment later."""
    transaction_hash = await chain.rpc("eth_sendTransaction", transaction)
    async with asyncio.timeout(60):
        while await chain.rpc("eth_getTransactionReceipt", transaction_hash) is None:  # noqa: ASYNC110 - anvil's event
            await asyncio.sleep(0.02)


async def paused(chain: Chain) -> list[bool]:
    """What the four contracts themselves say."""
    return [bool(await chain.protocol.read(contract, "paused")) for contract in FOUR]


def seen(card: Any) -> str:
    """All the text of a card as Slack shows it."""
    message = render(card, Redactor.of([]))
    return written({"text": message.text, "blocks": message.blocks})


def cast_binary() -> Path:
    """The runbook's own tool; the test is skipped without it, or fails where MUSD_TEST_REQUIRE_REAL=1."""
    found = sorted(_CAST.glob("cast-*/bin/cast*"))
    if found:
        return found[0]
    if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
        pytest.fail("there is no cast in node_modules, and MUSD_TEST_REQUIRE_REAL=1 wants one: make install")
    pytest.skip("there is no cast in node_modules: make install")


async def shell(rpc: str, home: Path, script: str) -> str:
    """Run a script as an engineer does whose Foundry keystore has the key `deployer`, here the practice admin's."""
    keystore, password = write_keystore(home / ".foundry" / "keystores", ADMIN, "deployer")
    keystore.rename(keystore.with_suffix(""))
    environment = {
        "HOME": str(home),
        "PATH": f"{cast_binary().parent}:{os.environ['PATH']}",
        "ETH_RPC_URL": rpc,
        "ETH_PASSWORD": str(password),
        "NO_PROXY": "*",
    }
    running = await asyncio.create_subprocess_exec(
        "sh", "-c", script, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await running.communicate()
    assert running.returncode == 0, output.decode()
    return output.decode()
