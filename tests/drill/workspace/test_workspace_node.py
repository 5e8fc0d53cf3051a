"""Bolt for JavaScript, written by Slack and by nobody here, finds nothing amiss in the workspace."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.drill.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
PEER = Path(__file__).with_name("bolt_peer.mjs")

pytestmark = pytest.mark.real


@pytest.fixture
async def peer(workspace: Workspace) -> AsyncIterator[None]:
    """A Node process that is connected to the workspace; skipped without npm's part, or failed where that is a must."""
    # npm may have come as a wheel, beside Python.
    node = shutil.which("node", path=os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent))))
    if node is None or not (ROOT / "node_modules" / "@slack" / "bolt").exists():
        missing = "there is no node, or no node_modules/@slack/bolt (make test brings both)"
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(f"{missing}, and MUSD_TEST_REQUIRE_REAL=1 wants them")
        pytest.skip(missing)
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_API_URL": f"{workspace.url}/api/",
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(node, str(PEER), env=environment, stdout=pipe)
    assert process.stdout
    said = await asyncio.wait_for(process.stdout.readline(), 30)
    assert said == b"connected\n"
    yield
    process.terminate()
    await asyncio.wait_for(process.wait(), 10)


@pytest.mark.usefixtures("peer")
async def test_command_modal_message_and_button_work_end_to_end(doors: Any, until: Any) -> None:
    asked = await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd pause")
    assert asked["ok"]
    (view,) = await until(lambda: doors.get("views", user="guardian-1"))
    refused = await doors.post("submit", user="guardian-1", view_id=view["id"], values={"reason": "none"})
    assert refused["errors"] == {"reason": "Say why"}
    assert (await doors.post("submit", user="guardian-1", view_id=view["id"], values={"reason": "exploit"}))["ok"]

    async def posted() -> Any:
        return next((one for one in await doors.get("messages", channel="musd-alerts") if one["buttons"]), None)

    message = await until(posted)
    pressed = await doors.post("press", user="guardian-2", channel="musd-alerts", ts=message["ts"], label="Confirm")
    assert pressed["ok"]

    async def confirmed() -> bool:
        return "Confirmed p1 by <@U0GUARD0002>" in await doors.texts("musd-alerts")

    await until(confirmed)
    assert "Thank you, guardian-2" in await doors.texts("musd-alerts", "guardian-2")
    assert await doors.texts("musd-alerts", "guardian-1") == ["One moment", "Confirmed p1 by <@U0GUARD0002>"]


@pytest.mark.usefixtures("peer")
async def test_an_event_is_heard_and_answered_in_its_thread(doors: Any, until: Any) -> None:
    await doors.post("say", user="responder-1", channel="musd-alerts", text="I see it in the logs")
    said = await doors.last("musd-alerts")
    await doors.post("react", user="responder-1", channel="musd-alerts", ts=said["ts"], name="memo")

    async def answered() -> Any:
        messages = await doors.get("messages", channel="musd-alerts")
        return [one["thread_ts"] for one in messages if one["text"] == "Marked memo"]

    assert await until(answered) == [said["ts"]]


@pytest.mark.usefixtures("peer")
async def test_it_comes_back_after_a_disconnect(workspace: Workspace, doors: Any, until: Any) -> None:
    await workspace.inflict({"fault": "disconnect"})

    async def answered() -> Any:
        asked = await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd pause")
        return asked["ok"]

    assert await until(answered, 15)
