"""Parts of the pause by name: what the modal ticks, and what the plan says stays open."""

from tests.world.practice import Practice, until, written


def test_pausing_mints_ticks_direct_minting_alone_and_says_what_can_still_mint(practice: Practice) -> None:
    known = {message["ts"] for message in practice.messages("musd-alerts")}
    assert practice.command("responder-1", "pause mints")["ok"]
    view = until(lambda: next((v for v in practice.views("responder-1") if v["callback_id"] == "pause:submit"), None))
    assert practice.post("/person/submit", user="responder-1", view_id=view["id"], values={"reason": "a bug"})["ok"]

    plan = written(until(lambda: practice.with_button("musd-alerts", "Confirm", known)))
    assert "Proposal: Pause DirectMintV2" in plan
    for words in ("mUSD can still be minted by borrowing", "minted by attestations from Canton", "Canton's services"):
        assert words in plan


def test_a_set_that_is_none_is_answered_with_those_there_are(practice: Practice) -> None:
    assert practice.command("responder-1", "pause mint")["ok"]
    mine = lambda: practice.messages("musd-alerts", "responder-1")  # noqa: E731 - asked again and again
    said = until(lambda: next((t for m in mine() if "no set 'mint'" in (t := written(m))), None))
    assert "mints, staking, borrowing, bridge, all" in said
