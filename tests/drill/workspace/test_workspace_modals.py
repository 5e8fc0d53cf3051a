"""Modals: filled in, refused, updated, stacked, closed, and opened too late."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def asking(block_id: str, kind: str, **more: Any) -> dict[str, Any]:
    optional = {"optional": more.pop("optional")} if "optional" in more else {}
    element = {"type": kind, "action_id": "it", **more}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element, **optional}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    common = {"type": "modal", "callback_id": "form", "title": plain("Form"), "submit": plain("Send")}
    return {**common, "blocks": list(blocks), **more}


class Form:
    """An app that opens one modal on ``/musd`` and answers its submission as a test says."""

    def __init__(self, app: AsyncApp, client: AsyncWebClient) -> None:
        self.client = client
        self.view: dict[str, Any] = modal(asking("reason", "plain_text_input"))
        self.answer: dict[str, Any] = {}
        self.submitted: list[Any] = []
        self.closed: list[Any] = []
        self.trigger = ""
        app.command("/musd")(self.open)
        app.view("form")(self.submit)
        app.view_closed("form")(self.close)
        app.action("deeper")(self.push)

    async def open(self, ack: Any, body: Any) -> None:
        """Answer the command."""
        self.trigger = body["trigger_id"]
        await ack()
        await self.client.views_open(trigger_id=self.trigger, view=self.view)

    async def submit(self, ack: Any, view: Any) -> None:
        """Answer the submission as the test says."""
        self.submitted.append(view)
        await ack(**self.answer)

    async def close(self, ack: Any, body: Any) -> None:
        """Note which modal was closed."""
        self.closed.append(body["view"]["id"])
        await ack()

    async def push(self, ack: Any, body: Any) -> None:
        """Put a second modal on the first."""
        await ack()
        await self.client.views_push(trigger_id=body["trigger_id"], view=modal(title=plain("Deeper")))


@pytest.fixture
async def form(app: AsyncApp, client: AsyncWebClient, connect: Any) -> Form:
    made = Form(app, client)
    await connect(app)
    return made


@pytest.fixture
def opened(form: Form, doors: Any, until: Any) -> Any:
    """Types the command and waits for the modal."""

    async def opening(view: dict[str, Any] | None = None) -> Any:
        form.view = view or form.view
        await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd form")
        return (await until(lambda: doors.get("views", user="guardian-1")))[-1]

    return opening


def submit(doors: Any, view: Any, values: dict[str, Any]) -> Any:
    return doors.post("submit", user="guardian-1", view_id=view["id"], values=values)


INPUTS = [
    (asking("x", "plain_text_input"), "because", {"value": "because"}),
    (asking("x", "number_input", is_decimal_allowed=False), "3", {"value": "3"}),
    (asking("x", "static_select", options=[option("a"), option("b")]), "b", {"selected_option": option("b")}),
    (
        asking("x", "multi_static_select", options=[option("a"), option("b")]),
        ["a", "b"],
        {"selected_options": [option("a"), option("b")]},
    ),
    (asking("x", "checkboxes", options=[option("a")]), ["a"], {"selected_options": [option("a")]}),
    (asking("x", "radio_buttons", options=[option("a")]), "a", {"selected_option": option("a")}),
    (asking("x", "users_select"), "admin-1", {"selected_user": "U0ADMIN0001"}),
    (asking("x", "multi_users_select"), ["admin-1", "U0ADMIN0002"], {"selected_users": ["U0ADMIN0001", "U0ADMIN0002"]}),
    (asking("x", "datepicker"), "2026-02-03", {"selected_date": "2026-02-03"}),
    (asking("x", "timepicker"), "04:05", {"selected_time": "04:05"}),
]


@pytest.mark.parametrize(("block", "value", "state"), INPUTS, ids=[one[0]["element"]["type"] for one in INPUTS])
async def test_every_kind_of_input_reaches_the_app(
    form: Form, opened: Any, doors: Any, block: Any, value: Any, state: Any
) -> None:
    view = await opened(modal(block))
    assert (await submit(doors, view, {"x": value}))["ok"]
    assert form.submitted[0]["state"]["values"] == {"x": {"it": {"type": block["element"]["type"], **state}}}


async def test_a_channel_is_chosen_by_name(form: Form, opened: Any, doors: Any) -> None:
    view = await opened(modal(asking("x", "channels_select")))
    await submit(doors, view, {"x": "musd-infra"})
    infra = next(one["id"] for one in await doors.get("channels") if one["name"] == "musd-infra")
    assert form.submitted[0]["state"]["values"]["x"]["it"]["selected_channel"] == infra


async def test_an_input_left_out_keeps_its_initial_value(form: Form, opened: Any, doors: Any) -> None:
    chosen = [option("mint"), option("bridge")]
    view = await opened(modal(asking("x", "checkboxes", options=chosen, initial_options=chosen)))
    await submit(doors, view, {})
    assert form.submitted[0]["state"]["values"]["x"]["it"]["selected_options"] == chosen


async def test_an_empty_required_input_is_refused_before_the_app_hears_of_it(
    form: Form, opened: Any, doors: Any
) -> None:
    view = await opened(modal(asking("x", "plain_text_input")))
    refused = await submit(doors, view, {"x": ""})
    assert refused["errors"] == {"x": "Please complete this required field."}
    assert form.submitted == []


async def test_an_optional_input_may_stay_empty(form: Form, opened: Any, doors: Any) -> None:
    view = await opened(modal(asking("x", "plain_text_input", optional=True)))
    assert (await submit(doors, view, {}))["ok"]
    assert form.submitted[0]["state"]["values"]["x"]["it"]["value"] is None


@pytest.mark.parametrize(
    ("block", "value", "error"),
    [
        (asking("x", "plain_text_input", min_length=5), "abc", "Must be at least 5 characters."),
        (asking("x", "number_input", is_decimal_allowed=False), "1.5", "Enter a whole number."),
        (asking("x", "number_input", is_decimal_allowed=True, max_value="2"), "2.5", "Must be at most 2."),
        (asking("x", "datepicker"), "tomorrow", "Enter a valid date."),
    ],
    ids=["too short", "not whole", "too large", "no date"],
)
async def test_the_client_refuses(opened: Any, doors: Any, block: Any, value: str, error: str) -> None:
    view = await opened(modal(block))
    assert (await submit(doors, view, {"x": value}))["errors"] == {"x": error}


async def test_a_block_that_is_not_there_is_refused(opened: Any, doors: Any) -> None:
    refused = await submit(doors, await opened(), {"raeson": "typo"})
    assert (refused["error"], refused["known"]) == ("no_such_block", ["reason"])


async def test_errors_of_the_app_keep_the_modal_open(form: Form, opened: Any, doors: Any) -> None:
    form.answer = {"response_action": "errors", "errors": {"reason": "Too vague"}}
    refused = await submit(doors, await opened(), {"reason": "because"})
    assert (refused["ok"], refused["errors"]) == (False, {"reason": "Too vague"})
    (view,) = await doors.get("views", user="guardian-1")
    assert view["state"]["values"]["reason"]["it"]["value"] == "because"


async def test_the_app_may_show_another_modal_instead(form: Form, opened: Any, doors: Any) -> None:
    form.answer = {"response_action": "update", "view": modal(title=plain("Thanks"))}
    view = await opened()
    await submit(doors, view, {"reason": "because"})
    (shown,) = await doors.get("views", user="guardian-1")
    assert (shown["id"], shown["title"]["text"]) == (view["id"], "Thanks")


async def test_the_app_may_show_another_modal_on_top(form: Form, opened: Any, doors: Any) -> None:
    form.answer = {"response_action": "push", "view": modal(title=plain("Next"))}
    view = await opened()
    await submit(doors, view, {"reason": "because"})
    below, top = await doors.get("views", user="guardian-1")
    assert (below["id"], top["previous_view_id"], top["title"]["text"]) == (view["id"], view["id"], "Next")


async def test_the_app_may_close_every_modal(form: Form, opened: Any, doors: Any, until: Any) -> None:
    button = {"type": "actions", "elements": [{"type": "button", "action_id": "deeper", "text": plain("Deeper")}]}
    view = await opened(modal(button))
    await doors.post("press", user="guardian-1", view_id=view["id"], action_id="deeper")

    async def stacked() -> Any:
        views = await doors.get("views", user="guardian-1")
        return views if len(views) == 2 else None

    form.answer = {"response_action": "clear"}
    assert (await submit(doors, (await until(stacked))[-1], {}))["ok"]
    assert await doors.get("views", user="guardian-1") == []


async def test_an_answer_slack_cannot_show_is_an_error(
    form: Form, opened: Any, doors: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    form.answer = {"response_action": "update", "view": modal(title=plain("x" * 25))}
    refused = await submit(doors, await opened(), {"reason": "because"})
    assert refused["error"] == "invalid_arguments"
    assert "refused the app's answer" in capsys.readouterr().err


async def test_closing_is_told_to_an_app_that_asked(form: Form, opened: Any, doors: Any) -> None:
    view = await opened(modal(notify_on_close=True))
    assert (await doors.post("close", user="guardian-1", view_id=view["id"]))["ok"]
    assert (form.closed, await doors.get("views", user="guardian-1")) == ([view["id"]], [])


async def test_an_outdated_hash_is_refused(client: AsyncWebClient, opened: Any) -> None:
    view = await opened()
    await client.views_update(view_id=view["id"], hash=view["hash"], view=modal(title=plain("Newer")))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=modal(title=plain("Older")))


async def test_a_closed_modal_cannot_be_updated(client: AsyncWebClient, opened: Any, doors: Any) -> None:
    view = await opened()
    await doors.post("close", user="guardian-1", view_id=view["id"])
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=view["id"], view=modal())


async def test_a_menu_asks_the_app_for_its_options(app: AsyncApp, opened: Any, doors: Any) -> None:
    @app.options("it")
    async def _(ack: Any, payload: Any) -> None:
        await ack(options=[option(payload["value"])])

    view = await opened(modal(asking("x", "external_select")))
    suggested = await doors.post("suggest", user="guardian-1", view_id=view["id"], action_id="it", value="relay")
    assert suggested["options"] == [option("relay")]
    assert (await submit(doors, view, {"x": option("relay")}))["ok"]


async def test_a_trigger_opens_one_modal(form: Form, client: AsyncWebClient, opened: Any) -> None:
    await opened()
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=form.trigger, view=modal())


async def test_a_trigger_is_good_for_three_seconds(
    app: AsyncApp, client: AsyncWebClient, connect: Any, doors: Any
) -> None:
    triggers: list[str] = []

    @app.command("/musd")
    async def _(ack: Any, body: Any) -> None:
        triggers.append(body["trigger_id"])
        await ack()

    await connect(app)
    await doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd form")
    await asyncio.sleep(3.05)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=triggers[0], view=modal())
