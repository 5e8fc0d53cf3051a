"""Parts of the pause by name: what the modal ticks, and what the plan says stays open."""

from tests.world.practice import Practice, until, written


def test_pausing_mints_ticks_direct_minting_alone_and_says_what_can_still_mint(practice: Practice) -> None:
    assert practice.command("responder-1", "pause mints")["ok"]
    view = practice.modal("responder-1")
    assert practice.post("/person/submit", user="responder-1", view_id=view["id"], values={"reason": "a bug"})["ok"]

    plans = lambda: [written(message) for message in practice.messages("musd-alerts") if message["buttons"]]  # noqa: E731 - asked again and again
    plan = until(lambda: next((text for text in plans() if "Proposal: Pause DirectMintV2" in text), None))
    for words in ("mUSD can still be minted by borrowing", "minted by attestations from Canton", "Canton's services"):
        assert words in plan


def test_a_set_that_is_none_is_answered_with_those_there_are(practice: Practice) -> None:
    assert practice.command("responder-1", "pause mint")["ok"]
    mine = lambda: practice.messages("musd-alerts", "responder-1")  # noqa: E731 - asked again and again
    said = until(lambda: next((t for m in mine() if "no set 'mint'" in (t := written(m))), None))
    assert "mints, staking, borrowing, bridge, all" in said
