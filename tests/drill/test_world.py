"""The whole practice world as a process of its own, through its doors; the bot in it is a small stub."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.drill.breakage import BREAKAGES
from bot.drill.chain.anvil import free_port
from bot.drill.cli import production_credentials
from bot.drill.scenarios import SCENARIOS
from bot.drill.world import Options, World

ROOT = Path(__file__).parents[2]

STUB = """
import json, os, pathlib
from aiohttp import web
routes = web.RouteTableDef()
alerts = []
@routes.get("/readyz")
async def ready(request): return web.json_response({"status": "ready"})
@routes.get("/environment")
async def environment(request): return web.json_response(dict(os.environ))
@routes.get("/alerts")
async def received(request): return web.json_response(alerts)
@routes.post("/alertmanager")
async def alertmanager(request):
    assert request.headers["Authorization"] == "Bearer " + os.environ["MUSD_ALERTMANAGER_TOKEN"]
    alerts.append(await request.json())
    return web.json_response({})
app = web.Application()
app.add_routes(routes)
print("the stub was started", flush=True)
web.run_app(app, host="127.0.0.1", port=int(os.environ["MUSD_HTTP_PORT"]), print=None)
"""

DRILL = """
import argparse, sys
from bot.drill import cli
parser = argparse.ArgumentParser()
cli.add_arguments(parser)
sys.exit(cli.main(parser.parse_args(sys.argv[2:]), command=(sys.executable, sys.argv[1])))
"""


@dataclass
class Drill:
    """A drill in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    async def get(self, path: str) -> Any:
        """What a door shows."""
        async with ClientSession(timeout=ClientTimeout(total=10)) as session, session.get(self.url + path) as answer:
            return await answer.json()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """What a door answers."""
        async with (
            ClientSession(timeout=ClientTimeout(total=10)) as session,
            session.post(self.url + path, json=body) as answer,
        ):
            return answer.status, await answer.json()

    async def asked_of_the_bot(self, path: str) -> Any:
        """What the stub answers on its own port."""
        bot = (await self.get("/world"))["bot"]
        async with ClientSession(timeout=ClientTimeout(total=5)) as session, session.get(bot + path) as answer:
            return await answer.json()


def launch(folder: Path, *flags: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    stub = folder / "stub.py"
    stub.write_text(STUB)
    return subprocess.Popen(
        [sys.executable, "-c", DRILL, str(stub), "--no-browser", *flags],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def begin(folder: Path, *flags: str, environment: dict[str, str] | None = None) -> Drill:
    process = launch(folder, "--port", "0", "--data", str(folder / "data"), *flags, environment=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line.startswith("drill ready "), process.stderr.read()
    return Drill(process, line.split()[-1], folder / "data")


def end(drill: Drill) -> int:
    drill.process.terminate()
    try:
        return drill.process.wait(6)
    finally:
        drill.process.kill()
        drill.process.communicate()


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    begun = begin(
        tmp_path_factory.mktemp("drill"),
        *("--set", "pause_lives=60", "--set", "Some_Name=exactly"),
        environment={"OUR_OWN_SECRET": "stays here"},
    )
    yield begun
    end(begun)


@pytest.fixture
async def mended(drill: Drill) -> AsyncIterator[Drill]:
    yield drill
    await drill.post("/faults", {"target": "all", "fault": "clear"})


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not collected yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "\nState:\tZ" not in status.read_text()


async def eventually(ask: Any, within: float = 15.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if await ask():
            return True
        await asyncio.sleep(0.1)
    return False


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_the_world_says_where_everything_is(drill: Drill) -> None:
    world = await drill.get("/world")
    keys = {"slack", "bot", "alertmanager_token", "rpc", "chain_id", "contracts"}
    assert keys | {"kubernetes", "ledger", "pagerduty", "pids", "people"} <= set(world)
    assert list(world["contracts"]) == [
        *("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE", "MUSD", "TREASURY", "PRICE_ORACLE")
    ]
    assert [person["name"] for person in world["people"]][:3] == ["admin-1", "admin-2", "guardian-1"]
    assert alive(world["pids"]["bot"])


async def test_the_bot_gets_its_settings_and_nothing_of_ours(drill: Drill) -> None:
    given, world = await drill.asked_of_the_bot("/environment"), await drill.get("/world")
    assert "OUR_OWN_SECRET" not in given
    assert given["SMUSD"] == world["contracts"]["SMUSD"]
    assert given["MUSD_SLACK_API_URL"] == f"{drill.url}/api/"
    assert given["MUSD_RPC_URLS"] == ",".join(world["rpc_urls"])
    assert given["MUSD_GUARDIANS"] == "U0GUARD0001,U0GUARD0002"


async def test_settings_pass_through_with_the_prefix_where_they_are_in_lower_case(drill: Drill) -> None:
    given = await drill.asked_of_the_bot("/environment")
    assert (given["MUSD_PAUSE_LIVES"], given["Some_Name"]) == ("60", "exactly")


async def test_a_killed_bot_is_started_again_under_another_pid(drill: Drill) -> None:
    before = (await drill.get("/world"))["pids"]["bot"]
    os.kill(before, signal.SIGKILL)

    async def another() -> bool:
        now = (await drill.get("/world"))["pids"]["bot"]
        return now not in {before, None}

    assert await eventually(another)

    async def answers() -> bool:
        try:
            return bool(await drill.asked_of_the_bot("/readyz") == {"status": "ready"})
        except ClientError:
            return False

    assert await eventually(answers)


async def test_faults_are_listed_with_help_for_every_part_and_the_world(drill: Drill) -> None:
    faults = await drill.get("/faults")
    assert {"slack", "chain", "cluster", "pagerduty", "world", "all"} <= {one["target"] for one in faults}
    assert [one for one in faults if not one["help"]] == []


async def test_an_unknown_target_is_refused_with_those_there_are(drill: Drill) -> None:
    status, answer = await drill.post("/faults", {"target": "moon", "fault": "eclipse"})
    assert status == 400
    assert answer["error"].startswith("there is no target 'moon'; there are slack, chain, cluster")


@pytest.mark.parametrize("target", ["world", "chain", "cluster", "slack", "prices"])
async def test_an_unknown_fault_is_refused_with_those_there_are(drill: Drill, target: str) -> None:
    status, answer = await drill.post("/faults", {"target": target, "fault": "eclipse"})
    assert (status, answer["ok"]) == (400, False)
    assert "no fault 'eclipse'" in answer["error"]


async def test_a_body_that_is_no_object_is_refused(drill: Drill) -> None:
    status, answer = await drill.post("/faults", ["relay-down"])
    assert status == 400
    assert answer["error"].startswith("the body is a JSON object such as")


async def test_a_fault_of_the_world_reaches_the_parts_and_clear_mends_them(mended: Drill) -> None:
    relay = (await mended.get("/world"))["relay"]

    async def health() -> int:
        try:
            async with ClientSession() as session, session.get(f"{relay}/health") as answer:
                return answer.status
        except ClientError:
            return 0

    assert await health() == 200
    assert await mended.post("/faults", {"target": "world", "fault": "relay-unhealthy"}) == (200, {"ok": True})
    assert await health() == 503
    assert await mended.post("/faults", {"target": "all", "fault": "clear"}) == (200, {"ok": True})

    async def well() -> bool:
        return await health() == 200

    assert await eventually(well)


async def test_the_ledger_is_down_while_its_pod_is(mended: Drill) -> None:
    ledger = (await mended.get("/world"))["ledger"]

    async def answers() -> bool:
        try:
            async with ClientSession() as session, session.get(f"{ledger}/livez") as answer:
                return answer.status == 200
        except ClientError:
            return False

    async def silent() -> bool:
        return not await answers()

    assert await answers()
    await mended.post("/faults", {"target": "world", "fault": "participant-down"})
    assert await eventually(silent)
    await mended.post("/faults", {"target": "all", "fault": "clear"})
    assert await eventually(answers)


async def test_arguments_a_fault_does_not_take_are_refused(drill: Drill) -> None:
    status, answer = await drill.post("/faults", {"target": "world", "fault": "oracle-stale", "colour": "red"})
    assert (status, answer["error"]) == (400, "oracle-stale takes age, not colour")


async def test_what_the_parts_have_seen_can_be_read(drill: Drill) -> None:
    world = await drill.get("/world")
    async with ClientSession() as session:
        event = {"routing_key": "wrong", "event_action": "trigger"}
        await session.post(f"{world['pagerduty']}/v2/enqueue", json=event)
    seen = await drill.get("/seen/pagerduty")
    assert (seen[-1]["method"], seen[-1]["path"], seen[-1]["body"]) == ("POST", "/v2/enqueue", event)
    assert await drill.get("/seen/announcements") == []


async def restart_relay(drill: Drill) -> None:
    """As ``kubectl rollout restart`` does."""
    kubeconfig = (await drill.get("/world"))["kubeconfig"]
    from kubernetes_asyncio import client, config  # noqa: PLC0415 - half a second

    await config.load_kube_config(kubeconfig, context="writer")
    async with client.ApiClient() as api:
        stamp = {"kubectl.kubernetes.io/restartedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        body = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        await client.AppsV1Api(api).patch_namespaced_deployment("musd-relay", "musd", body)


async def test_the_relay_scenario_fires_its_alert_and_is_solved_by_a_restart(mended: Drill) -> None:
    assert await mended.post("/scenarios", {"key": "relay-down", "action": "start"}) == (200, {"ok": True})
    status, answer = await mended.post("/scenarios", {"key": "relay-down", "action": "start"})
    assert (status, answer["error"]) == (
        400,
        "the scenario relay-down is under way already; mend it to begin again",
    )
    fired = (await mended.asked_of_the_bot("/alerts"))[-1]
    assert (fired["version"], fired["status"], fired["alerts"][0]["labels"]["alertname"]) == (
        "4",
        "firing",
        "RelayServiceDown",
    )
    await restart_relay(mended)

    async def solved() -> bool:
        listing = {one["key"]: one for one in await mended.get("/scenarios")}
        return bool(listing["relay-down"]["solved"])

    assert await eventually(solved, 30)

    async def resolved() -> bool:
        last = (await mended.asked_of_the_bot("/alerts"))[-1]
        same = last["alerts"][0]["fingerprint"] == fired["alerts"][0]["fingerprint"]
        return bool(last["status"] == "resolved" and same)

    assert await eventually(resolved)


@pytest.mark.parametrize("key", [one.key for one in SCENARIOS if one.key not in {"relay-down", "key-rotation"}])
async def test_each_scenario_can_be_started_and_mended(mended: Drill, key: str) -> None:
    assert await mended.post("/scenarios", {"key": key, "action": "start"}) == (200, {"ok": True})
    listing = {one["key"]: one for one in await mended.get("/scenarios")}
    assert listing[key]["active"] is True
    assert await mended.post("/scenarios", {"key": key, "action": "mend"}) == (200, {"ok": True})
    listing = {one["key"]: one for one in await mended.get("/scenarios")}
    assert listing[key]["active"] is False


async def test_an_unknown_scenario_is_refused_with_those_there_are(drill: Drill) -> None:
    status, answer = await drill.post("/scenarios", {"key": "doomsday", "action": "start"})
    assert status == 400
    assert answer["error"].startswith("there is no scenario 'doomsday'; there are relay-down")


def test_a_second_drill_on_the_same_folder_is_refused(drill: Drill, tmp_path: Path) -> None:
    second = launch(tmp_path, "--port", "0", "--data", str(drill.folder))
    _, said = second.communicate(timeout=20)
    assert second.returncode == 2
    assert f"another drill is running on {drill.folder}" in said


def test_a_taken_port_is_refused_with_a_way_out(drill: Drill, tmp_path: Path) -> None:
    port = drill.url.rsplit(":", 1)[1]
    second = launch(tmp_path, "--port", port)
    out, said = second.communicate(timeout=20)
    assert (second.returncode, out) == (2, "")
    assert f"port {port} is taken, perhaps by another drill" in said


def test_production_credentials_keep_the_drill_from_starting(tmp_path: Path) -> None:
    refused = launch(tmp_path, "--port", "0", environment={"MUSD_SLACK_BOT_TOKEN": "xoxb-real"})
    out, said = refused.communicate(timeout=20)
    assert (refused.returncode, out) == (2, "")
    assert said.startswith("musd-bot drill: MUSD_SLACK_BOT_TOKEN is set")
    assert "xoxb-real" not in said


@pytest.mark.parametrize(
    "name", ["SLACK_APP_TOKEN", "AWS_SECRET_ACCESS_KEY", "PAGERDUTY_SERVICE_ID", "DATABASE_URL", "MUSD_KEYSTORE"]
)
def test_each_kind_of_production_credential_is_named_and_its_value_is_not(name: str) -> None:
    reason = production_credentials({"PATH": "/bin", name: "value-of-it"})
    assert reason is not None
    assert reason.startswith(f"{name} is set")
    assert "value-of-it" not in reason


def test_an_empty_variable_is_no_credential() -> None:
    assert production_credentials({"AWS_SECRET_ACCESS_KEY": "", "HOME": "/root"}) is None


@pytest.mark.parametrize(("server", "refused"), [("https://10.0.0.1:6443", True), ("https://127.0.0.1:6443", False)])
def test_a_kubeconfig_is_refused_when_it_leads_to_another_machine(tmp_path: Path, server: str, refused: bool) -> None:
    path = tmp_path / "config"
    path.write_text(f"clusters:\n- cluster:\n    server: {server}\n")
    assert (production_credentials({"KUBECONFIG": str(path)}) is not None) is refused


def test_an_unknown_scenario_flag_is_refused(tmp_path: Path) -> None:
    refused = launch(tmp_path, "--scenario", "doomsday")
    _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "invalid choice: 'doomsday'" in said


async def test_a_scenario_given_at_the_start_has_fired_when_the_drill_is_ready(tmp_path: Path) -> None:
    drill = begin(tmp_path, "--scenario", "reserve-ratio")
    try:
        alerts = await drill.asked_of_the_bot("/alerts")
        assert [one["alerts"][0]["labels"]["alertname"] for one in alerts] == ["ReserveRatioBelowThreshold"]
    finally:
        end(drill)


async def test_ending_takes_every_process_along_within_five_seconds(tmp_path: Path) -> None:
    drill = begin(tmp_path)
    below = children(drill.process.pid)
    began = time.monotonic()
    assert end(drill) == 0
    assert time.monotonic() - began < 5
    assert [pid for pid in below if alive(pid)] == []


async def test_killing_the_drill_takes_every_process_along(tmp_path: Path) -> None:
    drill = begin(tmp_path)
    below = children(drill.process.pid)
    drill.process.kill()
    drill.process.communicate()

    async def gone() -> bool:
        return not any(alive(pid) for pid in below)

    assert len(below) >= 4
    assert await eventually(gone, 5)


async def head(drill: Drill) -> int:
    rpc = (await drill.get("/world"))["rpc"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    async with ClientSession() as session, session.post(rpc, json=asked) as answer:
        return int((await answer.json())["result"], 16)


async def test_the_world_goes_on_where_it_was(tmp_path: Path) -> None:
    first = begin(tmp_path)
    before = await head(first)
    await first.post("/person/say", {"user": "guardian-1", "channel": "general", "text": "see you tomorrow"})
    end(first)
    again = begin(tmp_path)
    try:
        messages = await again.get("/person/messages?channel=general")
        assert "see you tomorrow" in [one["text"] for one in messages]
        assert await head(again) >= before
    finally:
        end(again)


def test_every_fault_of_the_world_asks_parts_for_faults_they_have(tmp_path: Path) -> None:
    world = World(Options(folder=tmp_path, port=free_port()))
    known = {(one["target"], one["fault"]) for one in world.breaker.known()}
    asked = {(str(part["target"]), str(part["fault"])) for one in BREAKAGES for part in one.parts}
    assert asked - known == set()


def test_every_scenario_breaks_what_can_be_broken(tmp_path: Path) -> None:
    world = World(Options(folder=tmp_path, port=free_port()))
    known = {(one["target"], one["fault"]) for one in world.breaker.known()}
    assert {(one["target"], one["fault"]) for scenario in SCENARIOS for one in scenario.breaks} - known == set()


def test_the_sections_of_the_runbooks_each_have_a_scenario() -> None:
    assert {one.section for one in SCENARIOS} == {
        "Relay Service Down",
        "Validator Down / Quorum Loss",
        "Emergency Pause",
        "Oracle Price Feed Stale",
        "Supply Cap Breach",
        "Reserve Ratio Below Threshold",
        "Liquidation Surge",
        "smUSD Share Price Anomaly",
        "Canton Participant Down",
        "Database Recovery",
        "Key Rotation",
    }
