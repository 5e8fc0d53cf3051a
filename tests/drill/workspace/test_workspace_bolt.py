"""A genuine Bolt app against the workspace, from the command to the pressed button."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

MODAL = {
    "type": "modal",
    "callback_id": "pause",
    "title": {"type": "plain_text", "text": "Pause"},
    "submit": {"type": "plain_text", "text": "Propose"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def proposal(reason: str) -> list[dict[str, Any]]:
    button = {
        "type": "button",
        "action_id": "confirm",
        "text": {"type": "plain_text", "text": "Confirm"},
        "value": "p1",
    }
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"Pause: {reason}"}},
        {"type": "actions", "elements": [button]},
    ]


@pytest.fixture
def pausing(app: AsyncApp) -> AsyncApp:
    @app.command("/musd")
    async def _(ack: Any, body: Any, client: Any) -> None:
        await ack("One moment")
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("pause")
    async def _(ack: Any, view: Any, client: Any) -> None:
        await ack()
        reason = view["state"]["values"]["reason"]["text"]["value"]
        await client.chat_postMessage(channel="#musd-alerts", text=f"Pause: {reason}", blocks=proposal(reason))

    @app.action("confirm")
    async def _(ack: Any, body: Any, respond: Any, client: Any) -> None:
        await ack()
        await respond(text=f"Thank you, {body['user']['name']}", response_type="ephemeral")
        text = f"Confirmed {body['actions'][0]['value']} by <@{body['user']['id']}>"
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text=text, blocks=[])

    return app


async def test_command_modal_message_and_button_work_end_to_end(
    pausing: AsyncApp, connect: Any, doors: Any, until: Any
) -> None:
    await connect(pausing)
    asked = await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd pause")
    assert asked["ok"]
    assert asked["acked_ms"] < 1000
    (view,) = await until(lambda: doors.get("views", user="guardian-1"))
    assert (await doors.post("submit", user="guardian-1", view_id=view["id"], values={"reason": "exploit"}))["ok"]
    assert await doors.get("views", user="guardian-1") == []

    async def posted() -> Any:
        return next((one for one in await doors.get("messages", channel="musd-alerts") if one["buttons"]), None)

    message = await until(posted)
    assert message["buttons"] == [{"label": "Confirm", "action_id": "confirm", "style": None}]
    pressed = await doors.post("press", user="guardian-2", channel="musd-alerts", ts=message["ts"], label="Confirm")
    assert pressed["ok"]

    async def confirmed() -> bool:
        return "Confirmed p1 by <@U0GUARD0002>" in await doors.texts("musd-alerts")

    await until(confirmed)
    assert await doors.texts("musd-alerts", "guardian-2") == ["Confirmed p1 by <@U0GUARD0002>", "Thank you, guardian-2"]
    assert await doors.texts("musd-alerts", "guardian-1") == ["One moment", "Confirmed p1 by <@U0GUARD0002>"]


async def test_a_command_without_an_app_says_so(doors: Any) -> None:
    asked = await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd pause")
    assert asked == {"ok": False, "error": "app_not_connected"}
    assert await doors.texts("musd-alerts", "guardian-1") == ['/musd failed with the error "app_not_connected"']
