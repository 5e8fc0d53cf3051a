"""What counts as solved, asked of the world itself and not of the bot."""

from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.drill.chain.accounts import RELAYER, address
from bot.drill.chain.health import ratio
from bot.drill.chain.protocol import PAUSE_LIST
from bot.drill.chain.rpc import RpcError

if TYPE_CHECKING:
    from bot.drill.world import World

NAMESPACE = "musd"


async def relay_answers(world: "World") -> bool:
    """The relay's health endpoint answers 200."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=2)) as session,
            session.get(f"{world.cluster.relay_url}/health") as answer,
        ):
            return answer.status == 200
    except (ClientError, TimeoutError, OSError):
        return False


async def validators_run(world: "World") -> bool:
    """All three validators' deployments have their pod ready."""
    return _ready(world, "musd-validator-1", "musd-validator-2", "musd-validator-3")


async def participant_runs(world: "World") -> bool:
    """The Canton participant's deployment has its pod ready."""
    return _ready(world, "canton-participant")


async def feeder_runs(world: "World") -> bool:
    """Somebody writes prices to the oracle."""
    return _ready(world, "oracle-feeder")


def price_source(world: "World") -> str:
    """Where the relay is told to bring prices from."""
    relay = world.cluster.state.store.find("deployments", NAMESPACE, "musd-relay")
    variables = relay["spec"]["template"]["spec"]["containers"][0].get("env", ()) if relay else ()
    return next((str(one.get("value")) for one in variables if one["name"] == "PRICE_SOURCE"), "")


async def price_is_fresh(world: "World") -> bool:
    """The oracle gives its price out."""
    try:
        await world.chain.protocol.read("PRICE_ORACLE", "getLatestPrice", world.chain.collateral_token)
    except RpcError:
        return False
    return True


async def everything_paused(world: "World") -> bool:
    """All four contracts of the pause list are paused."""
    return all([await world.chain.protocol.read(contract, "paused") for contract in PAUSE_LIST])


async def mints_stopped(world: "World") -> bool:
    """DirectMintV2 is paused, or the reserves are back."""
    return bool(await world.chain.protocol.read("DIRECT_MINT", "paused")) or await ratio(world.chain.protocol) >= 99


async def staking_stopped(world: "World") -> bool:
    """SMUSD is paused."""
    return bool(await world.chain.protocol.read("SMUSD", "paused"))


async def manipulation_contained(world: "World") -> bool:
    """No wrong price is written, or borrowed against: updates or BorrowModule are paused, or the price is right."""
    stopped = bool(await world.chain.protocol.read("BORROW_MODULE", "paused")) or not await feeder_runs(world)
    return stopped or world.chain.moved_percent == 0


async def database_answers(world: "World") -> bool:
    """The ledger's database runs and has room."""
    troubles = world.cluster.state.troubles
    return not troubles.postgres_down and (troubles.disk_percent or 0) < 90


async def backed_up(world: "World", since: datetime) -> bool:
    """A backup of the ledger's database was taken since then."""
    newest = await world.aws.newest_backup()
    return newest is not None and newest >= since


async def relayer_replaced(world: "World") -> bool:
    """The bridge knows another relayer than the one it was deployed with."""
    return str(await world.chain.protocol.read("BLE_BRIDGE", "relayer")) != address(RELAYER).lower()


def _ready(world: "World", *deployments: str) -> bool:
    found = (world.cluster.state.store.find("deployments", NAMESPACE, name) for name in deployments)
    return all(one is not None and one["status"].get("readyReplicas", 0) > 0 for one in found)
