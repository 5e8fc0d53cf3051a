import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from slack_sdk.models.blocks import Block as SlackBlock

from bot.actions.pause import EmergencyPause
from bot.domain.action import Outcome
from bot.domain.approval import ProposalState
from bot.domain.cards import Button, Card, IncidentCard, NoticeCard
from bot.domain.incident import IncidentState
from bot.domain.policy import Policy
from bot.domain.probe import State
from bot.drill.workspace.blocks import check_blocks
from bot.errors import RefusedError, UnavailableError
from bot.views import Message, Redactor, help_message, ids, refusal, render
from bot.views.safe import mentioned
from tests.views import cards, duties
from tests.views.hostile import HOSTILE

OURS = re.compile(r"<@U0(?:GUARD|RESPO)0001>|<!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[0-9: -]+ UTC>")
EVERY = cards.EVERY | duties.EVERY
PAIRS = [(kind, place) for row, kind in enumerate(EVERY) for place in range(len(HOSTILE)) if (row + place) % 5 == 0]
"""Each kind of card with a fifth of the texts, each text in a fifth of the kinds: all of them would take minutes."""
BY_KIND_AND_TEXT = pytest.mark.parametrize(
    ("kind", "text"),
    [(kind, HOSTILE[place]) for kind, place in PAIRS],
    ids=[f"{kind}-{place}" for kind, place in PAIRS],
)
BY_KIND = pytest.mark.parametrize("kind", EVERY)


class Restart(EmergencyPause):
    """An action that is no pause."""

    kind: ClassVar[str] = "restart-in-a-test"
    policy: ClassVar[Policy] = EmergencyPause.policy.model_copy(update={"unstoppable": False, "approvals": 2})


def shown(card: Card) -> Message:
    return render(card, Redactor.of(["s3cr3t-value"]))


def texts(value: Any) -> Iterator[str]:
    """Every piece of text in the blocks."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def said(card: Card) -> str:
    return "\n".join(texts(shown(card).blocks))


def buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


def mrkdwn_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value
        for inner in value.values():
            yield from mrkdwn_objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mrkdwn_objects(inner)


def assert_slack_takes_it(message: Message) -> None:
    assert 1 <= len(message.blocks) <= 50
    assert sum(map(len, texts(message.blocks))) < 12_000
    assert 0 < len(message.text) < 1000
    for block in message.blocks:
        parsed = SlackBlock.parse(block)
        assert parsed is not None
        parsed.validate_json()
    check_blocks(message.blocks)


def assert_nothing_reaches_out(message: Message) -> None:
    for text in (message.text, *texts(message.blocks)):
        assert "<" not in OURS.sub("", text)
    assert all(one["verbatim"] is True for one in mrkdwn_objects(message.blocks))


# --- Every card


@BY_KIND_AND_TEXT
def test_slack_takes_every_card_and_nothing_in_it_reaches_out(kind: str, text: str) -> None:
    message = shown(EVERY[kind](text))

    assert_slack_takes_it(message)
    if kind == "timeline" and mentioned(text):
        return  # shown to one person alone, a name in it wakes nobody
    assert_nothing_reaches_out(message)


@BY_KIND
def test_no_secret_is_in_any_card(kind: str) -> None:
    message = shown(EVERY[kind]("the value is s3cr3t-value and xoxb-123456789012-abcdef"))

    assert "s3cr3t" not in str(message)
    assert "123456789012" not in str(message)


@BY_KIND
def test_only_votes_read_like_votes(kind: str) -> None:
    odd = [
        one["text"]["text"]
        for one in buttons(shown(EVERY[kind]("text")))
        if one["text"]["text"].startswith(("Confirm", "Approve")) and one["action_id"] != ids.VOTE_APPROVE
    ]

    assert odd == []


@BY_KIND
def test_action_ids_differ_within_a_message(kind: str) -> None:
    used = [one["action_id"] for one in buttons(shown(EVERY[kind]("text")))]

    assert len(used) == len(set(used))


def test_buttons_survive_however_much_is_said() -> None:
    message = shown(cards.diagnosis("x" * 5000))

    assert [one["text"]["text"] for one in buttons(message)] == ["Pause protocol…"]
    assert "left out: too long for one message" in "\n".join(texts(message.blocks))


# --- Incident


def test_an_incident_leads_with_its_severity_in_words() -> None:
    message = shown(cards.incident())

    assert message.blocks[0]["text"]["text"] == "🔴 CRITICAL · Relay Service Down"
    assert message.text == "🔴 CRITICAL: Relay Service Down. Relay Service Down"


def test_the_pause_comes_first_and_looks_dangerous() -> None:
    found = [
        (one["text"]["text"], one.get("style"), one["action_id"], one["value"])
        for one in buttons(shown(cards.incident()))
    ]

    assert found[:2] == [
        ("Pause protocol…", "danger", "offer:press:0", "offer-1"),
        ("Look again", None, "offer:press:1", "offer-2"),
    ]
    assert [ids.OFFER_PRESS.match(action_id) is not None for _, _, action_id, _ in found[:3]] == [True, True, False]


def test_alerts_that_alertmanager_left_out_are_said() -> None:
    assert "Alertmanager left out 3 alerts" in said(cards.incident(truncated=3))


def test_a_resolved_incident_says_so_first() -> None:
    assert shown(cards.incident(state=IncidentState.RESOLVED)).blocks[0]["text"]["text"].startswith("🟢 RESOLVED")


def test_an_offer_that_reads_like_a_vote_is_refused() -> None:
    card = cards.incident()

    with pytest.raises(ValueError, match="reads like a vote"):
        shown(IncidentCard(card.incident, (Button("Confirm everything", "o1"),)))


# --- Diagnosis and status


def test_a_line_says_its_state_in_words() -> None:
    text = said(cards.status("Oracle"))

    assert [
        f"{mark} *{state}* · *Oracle*" in text for mark, state in (("🟢", "OK"), ("🔴", "BAD"), ("⚪", "UNKNOWN"))
    ] == [
        True,
        True,
        True,
    ]


def test_a_line_without_an_answer_says_that_it_is_asking() -> None:
    assert "⏳ asking… · *Oracle*" in said(cards.status("Oracle", done=False))


def test_the_status_counts_what_is_wrong_first() -> None:
    assert shown(cards.status()).text == "mUSD protocol status: 🔴 1 BAD · ⚪ 1 UNKNOWN · 🟢 1 OK"


@pytest.mark.parametrize(("done", "expected"), [(True, [ids.STATUS_AGAIN]), (False, [])])
def test_a_status_can_be_asked_again_once_it_is_complete(done: bool, expected: list[str]) -> None:
    assert [one["action_id"] for one in buttons(shown(cards.status(done=done)))] == expected


def test_a_verdict_names_its_step_and_what_to_do() -> None:
    text = said(cards.diagnosis("OOMKilled"))

    assert "*🔴 Resolution step 2 applies: OOMKilled*\n*Why:* OOMKilled\n*Do now:* OOMKilled" in text


def test_a_verdict_that_proves_nothing_says_unknown() -> None:
    assert "*⚪ UNKNOWN: odd*" in said(cards.diagnosis("odd", State.UNKNOWN))


def test_commands_to_run_oneself_stand_below() -> None:
    assert "Run this yourself:\n`kubectl get pods`" in said(cards.diagnosis("kubectl get pods"))


# --- Proposal


def test_an_open_pause_is_confirmed_or_declined() -> None:
    confirm, decline, _ = buttons(shown(cards.proposal()))

    assert (confirm["text"]["text"], confirm["action_id"], confirm["style"], confirm["value"]) == (
        "Confirm",
        ids.VOTE_APPROVE,
        "danger",
        "prop-0001",
    )
    assert confirm["confirm"]["confirm"]["text"] == "Pause now"
    assert (decline["text"]["text"], decline["action_id"], decline["value"]) == (
        "Decline",
        ids.VOTE_DECLINE,
        "prop-0001",
    )


def test_anything_else_is_approved_or_declined() -> None:
    labels = [one["text"]["text"] for one in buttons(shown(cards.proposal(action=Restart)))]

    assert labels == ["Approve", "Decline", "Withdraw"]


@pytest.mark.parametrize("state", [state for state in ProposalState if state is not ProposalState.OPEN])
def test_a_proposal_that_is_not_open_has_no_buttons_and_says_why(state: ProposalState) -> None:
    card = cards.proposal("because of this", state)

    assert buttons(shown(card)) == []
    assert "because of this" in said(card)


def test_a_proposal_shows_its_plan_in_full() -> None:
    card = cards.proposal("nobody can borrow")
    text = said(card)

    for expected in (
        "*1. BorrowModule* · `pause()` on `0x529084…169EE7`",
        "*Stops:* nobody can borrow",
        "🟢 Dry run *OK*: nobody can borrow",
        "*2. SMUSD*",
        "✔ *already so*: skipped, counts as done",
        "*What stays open*\n• nobody can borrow",
        "*Reason*, from <@U0RESPO0001>:\n> nobody can borrow",
        "*Who may confirm:* 1 guardian (the proposer may be one of them)",
        "<@U0GUARD0001> declined <!date^",
        "Expires <!date^1772594655^",
        f"digest `{card.proposal.digest[:12]}` · chain id `1` · signer `0x{'12' * 20}`",
        "BorrowModule `0x52908400098527886E0F7030069857D2E4169EE7`",
    ):
        assert expected in text


# --- Receipt, notice, refusal, help


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((Outcome.DONE, Outcome.SKIPPED), "🟢 COMPLETE: every step is as it was meant to be"),
        ((Outcome.DONE, Outcome.FAILED), "🔴 NOT COMPLETE: 1 step FAILED"),
        ((Outcome.UNKNOWN,), "⚪ NOT COMPLETE: 1 step with OUTCOME UNKNOWN"),
        ((Outcome.FAILED, Outcome.NOT_BEGUN), "🔴 NOT COMPLETE: 1 step FAILED and 1 step NOT BEGUN"),
        ((Outcome.FAILED, Outcome.UNKNOWN), "🔴 NOT COMPLETE: 1 step FAILED and 1 step with OUTCOME UNKNOWN"),
    ],
)
def test_a_receipt_says_first_whether_all_is_well(outcomes: tuple[Outcome, ...], expected: str) -> None:
    assert shown(cards.receipt("paused", *outcomes)).text.startswith(expected)


def test_a_quotation_keeps_the_hashes_that_the_bot_itself_read() -> None:
    quote = f"last in transaction {cards.HASH}"
    card = NoticeCard(State.UNKNOWN, "The page stays open.", quote=quote)
    assert cards.HASH not in said(card)
    assert quote in said(replace(card, hashes=frozenset({cards.HASH})))


def test_the_receipts_own_hashes_are_shown() -> None:
    assert f"transaction = {cards.HASH}" in said(cards.receipt())


def test_a_hash_that_is_not_the_receipts_own_is_not_shown() -> None:
    assert "cd" * 32 not in said(cards.receipt("0x" + "cd" * 32))


def test_a_refusal_says_what_it_means_and_what_to_do() -> None:
    error = RefusedError("No role.", means="Nothing was sent.", next_step="Ask <@U0GUARD0001>.")

    assert list(texts(refusal(error).blocks)) == ["🔴 *No role.*\nNothing was sent.\n*Next:* Ask <@U0GUARD0001>."]


def test_an_outage_is_unknown_not_bad() -> None:
    assert refusal(UnavailableError("Slack did not answer.")).text.startswith("⚪")


def test_the_help_names_every_command() -> None:
    message = help_message()

    assert_slack_takes_it(message)
    assert [usage in str(message.blocks) for usage in ("/musd status", "/musd pause", "/musd help")] == [True] * 3
