"""The post-mortem as Markdown, and as the modal to write in."""

import re
from dataclasses import replace

import pytest

from bot.domain.action import Outcome
from bot.domain.checklist import CHECKLIST
from bot.domain.postmortem import PARTS, Record
from bot.views.postmortem import hashes, markdown, postmortem_modal
from tests.views.cards import HASH
from tests.views.duties import GUARDIAN, LINK, carried, record
from tests.views.hostile import HOSTILE

SECTIONS = (
    "Summary",
    "Impact",
    "Root cause",
    "Timeline",
    "Findings",
    "Actions taken",
    "Checklist",
    "What went well, what went badly",
    "Follow-up actions",
    "Open questions",
)


def section(text: str, title: str) -> str:
    """What stands under a heading."""
    return text.partition(f"## {title}\n\n")[2].partition("\n\n## ")[0]


def written(**parts: str) -> Record:
    """A record in which people have written these parts."""
    one = record()
    return replace(one, postmortem=one.postmortem.model_copy(update={"parts": parts}))


def test_it_has_every_section_in_order() -> None:
    assert tuple(re.findall(r"^## (.+)$", markdown(record()), re.MULTILINE)) == SECTIONS


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{place:02}" for place in range(len(HOSTILE))])
def test_text_from_outside_makes_no_headings_and_no_links(text: str) -> None:
    lines = markdown(record(text)).splitlines()

    assert tuple(line[3:] for line in lines if line.startswith("## ")) == SECTIONS
    assert [found for line in lines for found in re.findall(r"(?<!\\)\]\(([^)]*)\)", line)] == [LINK]


def test_a_mention_beside_a_link_makes_no_link() -> None:
    text = markdown(record("<@U0RESPO0001> [x](https://evil.example)"))

    assert re.findall(r"(?<!\\)\]\(([^)]*)\)", text) == [LINK]


def test_the_summary_tells_it_in_sentences() -> None:
    assert section(markdown(record()), "Summary") == (
        "«the relay's secret was missing» was opened 2026-03-04 03:14:15 UTC as critical. "
        "The alert said: «the relay's secret was missing». Diagnosis: the relay's secret was missing. "
        "It was acknowledged after 2 min 00 s. Carried out: Pause BorrowModule. "
        "It was resolved after 9 min 00 s: the relay's secret was missing."
    )


def test_the_times_stand_first() -> None:
    text = markdown(record())

    assert "| Time to acknowledge | 2 min 00 s |" in text
    assert "| Time to mitigate | 4 min 00 s |" in text
    assert "| Time to resolve | 9 min 00 s |" in text


def test_the_timeline_names_people_and_links_messages() -> None:
    lines = section(markdown(record()), "Timeline").splitlines()

    assert lines[2].endswith(f"@the relay's secret was missing: the relay's secret was missing ([message]({LINK}))")
    assert lines[-1] == "- In the channel: @the relay's secret was missing"


def test_an_action_has_its_votes_its_digest_and_its_transactions() -> None:
    one = record()
    text = section(markdown(one), "Actions taken")

    assert "- Votes: @guardian-1 (decline)" in text
    assert f"digest `{one.actions[0].proposal.digest}`" in text
    assert f"- ✔ paused: paused, transaction `{HASH}`" in section(
        markdown(replace(one, actions=[carried()])), "Actions taken"
    )


def test_its_hashes_are_known_to_be_none_of_our_secrets() -> None:
    one = record()

    assert {HASH, one.actions[0].proposal.digest} <= hashes(one)


def test_the_checklist_says_who_ticked_what_when() -> None:
    lines = section(markdown(record()), "Checklist").splitlines()

    assert len(lines) == len(CHECKLIST)
    assert lines[2].endswith("(the bot, 03:14:15: the relay's secret was missing)")
    assert lines[5] == "- [x] Identify the root cause (@guardian-1, 03:14:15)"
    assert lines[6] == "- [ ] Deploy the fix to staging, verify"


def test_what_people_wrote_stands_as_they_wrote_it() -> None:
    text = markdown(written(lessons=f"<@{GUARDIAN}> found it\n\n- alert sooner"))

    assert section(text, "What went well, what went badly") == "@guardian-1 found it\n\n- alert sooner"


def test_what_nobody_wrote_is_asked_for() -> None:
    text = markdown(record())

    assert section(text, "Follow-up actions") == "*To be written.*"
    assert "- What belongs under *Follow-up actions*?" in section(text, "Open questions")


def test_a_step_that_is_not_done_is_an_open_question() -> None:
    text = markdown(replace(record(), actions=[carried(Outcome.UNKNOWN)]))

    assert "What became of the steps of «Pause BorrowModule» that are not done?" in section(text, "Open questions")


def test_a_source_that_did_not_answer_is_an_open_question() -> None:
    assert "Why did these not answer during the diagnosis: the relay's secret was missing?" in section(
        markdown(record()), "Open questions"
    )


def test_the_modal_holds_what_is_drafted() -> None:
    fields = {
        block["block_id"]: block["element"].get("initial_value") for block in postmortem_modal(record())["blocks"]
    }

    assert list(fields) == list(PARTS)
    assert fields["cause"] == "the relay's secret was missing"
    assert fields["lessons"] is None
