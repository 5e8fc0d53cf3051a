"""The practice Discord and status page, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.drill.announcements import Announcements


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Announcements]:
    part = Announcements()
    await part.start(tmp_path)
    yield part
    await part.stop()


async def discord(told: Announcements, **message: Any) -> int:
    async with ClientSession() as session, session.post(told.discord_url, json=message) as answer:
        return answer.status


async def page(told: Announcements, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"OAuth {told.statuspage_token}"}
    url = f"{told.url}/v1/pages/{told.page_id}/{path}"
    async with ClientSession(headers=headers) as session, session.request(method, url, json=body) as answer:
        return answer.status, await answer.json()


async def test_a_discord_message_is_taken_without_an_answer(told: Announcements) -> None:
    assert await discord(told, content="EMERGENCY PAUSE ACTIVATED") == 204
    assert [one["body"] for one in told.seen] == [{"content": "EMERGENCY PAUSE ACTIVATED"}]


async def test_an_empty_discord_message_is_refused(told: Announcements) -> None:
    assert await discord(told, content="") == 400


async def test_a_discord_message_above_the_limit_is_refused(told: Announcements) -> None:
    assert await discord(told, content="x" * 2001) == 400


async def test_a_wrong_discord_webhook_is_unknown(told: Announcements) -> None:
    async with ClientSession() as session, session.post(f"{told.url}/discord/1/wrong", json={}) as answer:
        assert answer.status == 404


async def test_a_component_goes_into_maintenance_and_back(told: Announcements) -> None:
    under = await page(told, "PATCH", "components/cmpprotocol1", {"component": {"status": "under_maintenance"}})
    back = await page(told, "PATCH", "components/cmpprotocol1", {"component": {"status": "operational"}})
    assert (under[1]["status"], back[1]["status"]) == ("under_maintenance", "operational")


async def test_an_unknown_component_state_is_refused(told: Announcements) -> None:
    status, _ = await page(told, "PATCH", "components/cmpprotocol1", {"component": {"status": "Maintenance"}})
    assert status == 422


async def test_an_incident_is_opened_updated_and_resolved(told: Announcements) -> None:
    opened, incident = await page(told, "POST", "incidents", {"incident": {"name": "Paused", "body": "For review"}})
    change = {"incident": {"status": "resolved", "body": "All clear"}}
    _, resolved = await page(told, "PATCH", f"incidents/{incident['id']}", change)
    assert (opened, resolved["status"]) == (201, "resolved")
    assert [one["body"] for one in resolved["incident_updates"]] == ["All clear", "For review"]
    assert await page(told, "GET", "incidents/unresolved") == (200, [])


async def test_an_incident_can_set_components(told: Announcements) -> None:
    wanted = {"name": "Paused", "components": {"cmpprotocol1": "under_maintenance"}}
    await page(told, "POST", "incidents", {"incident": wanted})
    assert told.components["cmpprotocol1"] == "under_maintenance"


async def test_the_status_page_wants_its_token(told: Announcements) -> None:
    url = f"{told.url}/v1/pages/{told.page_id}/components"
    async with ClientSession() as session, session.get(url) as answer:
        assert answer.status == 401


async def test_one_target_down_leaves_the_other_alone(told: Announcements) -> None:
    await told.inflict({"fault": "discord-down"})
    assert await discord(told, content="x") == 503
    assert (await page(told, "GET", "components"))[0] == 200


async def test_a_rate_limit_of_one_target_lasts_as_often_as_asked(told: Announcements) -> None:
    await told.inflict({"fault": "statuspage-ratelimited", "times": 1})
    statuses = [(await page(told, "GET", "components"))[0], (await page(told, "GET", "components"))[0]]
    assert statuses == [420, 200]
    assert await discord(told, content="x") == 204


async def test_discord_says_when_to_try_again(told: Announcements) -> None:
    await told.inflict({"fault": "discord-ratelimited", "times": 1})
    async with ClientSession() as session, session.post(told.discord_url, json={"content": "x"}) as answer:
        assert (answer.status, (await answer.json())["retry_after"]) == (429, 0.5)


async def test_what_the_public_sees_survives_a_restart(told: Announcements, tmp_path: Path) -> None:
    await page(told, "PATCH", "components/cmpbridge001", {"component": {"status": "major_outage"}})
    await told.stop()
    again = Announcements()
    await again.start(tmp_path)
    try:
        assert again.components["cmpbridge001"] == "major_outage"
    finally:
        await again.stop()
