"""Restarts through the doors: offered by a verdict, typed as a command, approved, and seen on the cluster."""

from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written

CHANNEL = "musd-infra"


def patches(practice: Practice, deployment: str) -> list[dict[str, Any]]:
    """What was really written to a deployment, dry runs left out."""
    return [
        one
        for one in practice.get("/seen/cluster")
        if one["method"] == "PATCH" and f"/deployments/{deployment}?" in one["path"] and "dryRun" not in one["path"]
    ]


def propose(practice: Practice, user: str, text: str) -> dict[str, Any]:
    """`/musd restart …` with its modal filled in; the Proposal's message."""
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    assert practice.command(user, text, CHANNEL)["ok"]
    fill_in(practice, user)
    message: dict[str, Any] = until(lambda: practice.with_button(CHANNEL, "Approve", known))
    return message


def fill_in(practice: Practice, user: str) -> None:
    view = practice.modal(user)
    body = {"user": user, "view_id": view["id"], "values": {"reason": "it hangs"}}
    assert practice.post("/person/submit", **body)["ok"]


def is_taken(practice: Practice, proposal: dict[str, Any]) -> bool:
    """Whether it has all its approvals: a dying bot may count one and give no answer."""
    now = next(one for one in practice.messages(CHANNEL) if one["ts"] == proposal["ts"])
    return not any(button["label"] == "Approve" for button in now["buttons"])


def insist(practice: Practice, person: str, proposal: dict[str, Any]) -> None:
    """Approve it; people press again where a dying bot gave no answer."""
    until(lambda: is_taken(practice, proposal) or practice.press(person, proposal, "Approve", CHANNEL)["ok"])


def receipt(practice: Practice, channel: str, proposal: dict[str, Any], seconds: float = 120) -> str:
    return until(
        lambda: next(
            (
                text
                for message in practice.messages(channel)
                if message["thread_ts"] == proposal["ts"] and "Receipt:" in (text := written(message))
            ),
            None,
        ),
        seconds,
    )


def test_a_verdict_offers_the_restart_that_mends_it(practice: Practice) -> None:
    practice.break_("cluster", "crashloop", until="restart")
    practice.nothing_open("relay-down")
    before = len(practice.channels("-relay-down-"))
    practice.alert(firing(case="restart"))
    incident = practice.incident("relay-down", after=before)
    offer = until(lambda: practice.with_button(incident, "Restart musd-relay…"))
    assert practice.press("operator-1", offer, "Restart musd-relay…", incident)["ok"]
    fill_in(practice, "operator-1")
    proposal = until(lambda: practice.with_button(incident, "Approve"))
    assert "two may never run at once" in written(proposal)

    known = patches(practice, "musd-relay")
    practice.press("responder-1", proposal, "Approve", incident)
    assert patches(practice, "musd-relay") == known
    assert practice.press("operator-1", proposal, "Approve", incident)["ok"]

    text = receipt(practice, incident, proposal)
    assert "COMPLETE" in text
    assert "answers 200" in text


def test_a_command_restarts_one_deployment(practice: Practice) -> None:
    before = len(patches(practice, "canton-participant"))
    proposal = propose(practice, "operator-1", "restart participant")
    assert "kubectl rollout restart deployment/canton-participant" in written(proposal)
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    assert "1 of 1 new pods ready" in receipt(practice, CHANNEL, proposal)
    assert len(patches(practice, "canton-participant")) == before + 1


def test_restarting_everything_takes_two_people(practice: Practice) -> None:
    proposal = propose(practice, "operator-1", "restart all")
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    until(lambda: "1 more approval" in practice.said(CHANNEL))
    practice.press("operator-2", proposal, "Approve", CHANNEL)
    text = receipt(practice, CHANNEL, proposal)
    assert "COMPLETE" in text
    assert text.index("musd-validator-1") < text.index("musd-relay")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("restart", "Restart what?"),
        ("restart nginx", "nothing called 'nginx'"),
        ("restart validator", "could be 3 of them"),
        ("memory relay 1Mi", "no memory limit above the present"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(practice: Practice, text: str, words: str) -> None:
    practice.command("operator-1", text, CHANNEL)
    if text.startswith("memory"):
        fill_in(practice, "operator-1")
    until(lambda: words in "\n".join(map(written, practice.messages(CHANNEL, "operator-1"))))


def test_a_responder_may_not_propose_a_restart(practice: Practice) -> None:
    practice.command("responder-1", "restart relay", CHANNEL)
    until(lambda: "takes an operator" in "\n".join(map(written, practice.messages(CHANNEL, "responder-1"))))
