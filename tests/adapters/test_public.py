"""The practice Discord and status page, told by the real adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.adapters.public import PublicPlaces
from bot.domain.announcement import Announcement, Occasion, Target, draft
from bot.drill.announcements import Announcements
from bot.errors import UnavailableError
from bot.ports import Chat, Publishing


class NoSlack:
    """These tests post nothing in Slack."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Announcements]:
    world = Announcements()
    await world.start(tmp_path)
    yield world
    await world.stop()


def published(world: Announcements, discord: str) -> PublicPlaces:
    slack: Chat = NoSlack()  # type: ignore[assignment]  # never called
    return PublicPlaces(
        slack,
        slack_channel="musd-alerts",
        discord_webhook=SecretStr(discord),
        statuspage_url=world.url,
        statuspage_page=world.page_id,
        statuspage_token=SecretStr(world.statuspage_token),
        components=tuple(world.components),
    )


@pytest.fixture
def places(world: Announcements) -> Publishing:
    return published(world, world.discord_url)


@pytest.mark.parametrize("behind", ["", "/", "/slack", "?thread_id=7"])
async def test_a_discord_webhook_is_named_by_its_id_and_never_by_its_token(world: Announcements, behind: str) -> None:
    url = f"https://discord.com/api/webhooks/123456789012345678/aBcD-eFgH{behind}"
    assert published(world, url).where(Target.DISCORD) == "the Discord webhook 123456789012345678"


def drafted(target: Target, occasion: Occasion = Occasion.PAUSE) -> Announcement:
    return Announcement(target=target, occasion=occasion, text=draft(target, occasion, "a key leaked"))


async def test_discord_wakes_everybody_with_the_runbooks_words(world: Announcements, places: Publishing) -> None:
    await places.publish(drafted(Target.DISCORD), "1")
    message = world.messages[0]
    assert message["content"] == "@everyone EMERGENCY PAUSE ACTIVATED — security review"
    assert message["allowed_mentions"] == {"parse": ["everyone"]}


async def test_the_status_page_goes_under_maintenance_once_and_back(world: Announcements, places: Publishing) -> None:
    for _ in range(2):
        await places.publish(drafted(Target.STATUS_PAGE), "1")
    paused = dict(world.components)
    await places.publish(drafted(Target.STATUS_PAGE, Occasion.ALL_CLEAR), "2")

    assert set(paused.values()) == {"under_maintenance"}
    assert set(world.components.values()) == {"operational"}
    assert [one["status"] for one in world.incidents] == ["resolved"]


async def test_an_all_clear_without_an_incident_mends_the_components(world: Announcements, places: Publishing) -> None:
    world.components["cmpbridge001"] = "under_maintenance"
    await places.publish(drafted(Target.STATUS_PAGE, Occasion.ALL_CLEAR), "1")
    assert (world.components["cmpbridge001"], world.incidents) == ("operational", [])


@pytest.mark.parametrize(
    ("target", "fault"), [(Target.DISCORD, "discord-down"), (Target.STATUS_PAGE, "statuspage-ratelimited")]
)
async def test_what_passes_is_no_lasting_error(
    world: Announcements, places: Publishing, target: Target, fault: str
) -> None:
    await world.inflict({"fault": fault})
    with pytest.raises(UnavailableError) as caught:
        await places.publish(drafted(target), "1")
    assert caught.value.lasting is False


async def test_an_error_does_not_show_the_webhooks_address(world: Announcements, places: Publishing) -> None:
    await world.stop()
    with pytest.raises(UnavailableError) as caught:
        await places.publish(drafted(Target.DISCORD), "1")
    assert "practice-webhook-token" not in caught.value.sentences()


def test_no_public_draft_holds_the_internal_reason() -> None:
    public = [target for target in Target if target is not Target.SLACK]
    assert [one for one in public for when in Occasion if "a key leaked" in drafted(one, when).text] == []


def test_the_teams_own_channel_is_told_the_reason() -> None:
    assert drafted(Target.SLACK).whole == "@channel EMERGENCY PAUSE ACTIVATED — a key leaked"


def test_a_post_on_x_is_filled_in_for_the_person_who_sends_it() -> None:
    link = drafted(Target.X).post_link
    assert link == "https://x.com/intent/post?text=Protocol%20temporarily%20paused%20for%20security%20review"
