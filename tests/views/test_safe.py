import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views.redact import Redactor
from bot.views.safe import Safe, cut, escape, length, visible
from tests.views.hostile import HOSTILE

SAFE = Safe(Redactor())
TEXTS = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="<>&`*_~:@!#|\n\r\t \x1b[31m\u200b\u202e\ud800aU0C", max_size=80),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join),
)
ALL = pytest.mark.parametrize("text", HOSTILE, ids=[f"{place:02}" for place in range(len(HOSTILE))])


def assert_harmless(shown: str, limit: int) -> None:
    """Nothing in this mrkdwn can mention, link, hide, or stand outside its bounds."""
    assert "<" not in shown
    assert re.fullmatch(r"(?:[^&]|&(?:amp|lt|gt);)*", shown, re.DOTALL)
    assert all(unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co"} or one in "\n\t" for one in shown)
    assert length(shown.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")) <= limit
    shown.encode()


def test_there_are_enough_hostile_strings() -> None:
    assert len(set(HOSTILE)) >= 200


@ALL
def test_a_hostile_line_is_harmless(text: str) -> None:
    shown = SAFE.line(text, 200)

    assert_harmless(shown, 200)
    assert not set("\n*~`") & set(shown)


@ALL
def test_a_hostile_quotation_is_harmless(text: str) -> None:
    shown = SAFE.quoted(text, 500)

    assert_harmless(shown.replace("\n> ", "\n").removeprefix("> "), 500)
    assert all(line.startswith("> ") for line in shown.split("\n") if line)


@ALL
def test_a_hostile_text_stays_in_its_code_block(text: str) -> None:
    shown = SAFE.block(text, 500)

    if shown:
        assert (shown.startswith("```\n"), shown.endswith("\n```"), shown.count("`")) == (True, True, 6)
        assert_harmless(shown, 500)


@ALL
def test_a_hostile_text_stays_in_its_code(text: str) -> None:
    shown = SAFE.code(text, 100)

    if shown:
        assert (shown[0], shown[-1], shown.count("`")) == ("`", "`", 2)
        assert_harmless(shown, 100)


@ALL
def test_a_hostile_name_is_harmless_in_plain_text(text: str) -> None:
    shown = SAFE.plain(text, 100)

    assert not set("<>\n") & set(shown)
    assert not re.search(r":[a-z][a-z0-9_+-]*:", shown)
    assert length(shown) <= 100 + 4 * shown.count("&")


@ALL
def test_even_our_own_words_cannot_reach_out(text: str) -> None:
    assert_harmless(SAFE.own(text, 500), 500)


@given(TEXTS, st.integers(60, 400))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_harmless_in_every_place(text: str, limit: int) -> None:
    assert_harmless(SAFE.line(text, limit), limit)
    assert_harmless(SAFE.block(text, limit), limit)
    assert_harmless(SAFE.block(text, limit, tail=True), limit)
    assert_harmless(SAFE.code(text, limit), limit)
    assert_harmless(SAFE.own(text, limit), limit)
    assert SAFE.block(text, limit).count("`") in {0, 6}


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_making_visible_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(TEXTS, st.integers(1, 50))
@settings(max_examples=200, deadline=None)
def test_a_cut_never_goes_through_an_escape(text: str, limit: int) -> None:
    shown = escape(cut(visible(text), limit))

    assert re.fullmatch(r"(?:[^&]|&(?:amp|lt|gt);)*", shown, re.DOTALL)


def test_a_mention_of_one_person_survives_where_it_is_ours() -> None:
    assert (
        SAFE.own("<@U0GUARD0001> declined, <!channel>", mentions={"U0GUARD0001"})
        == "<@U0GUARD0001> declined, &lt;!channel&gt;"
    )


def test_ordinary_words_stay_as_they_are() -> None:
    text = "pod musd-relay-6d4cf56db6-x7k2p at 10.0.0.7:8080: exit 137 (OOMKilled), max_memory=512Mi, 03:14:15"

    assert SAFE.line(text) == text


def test_a_cut_block_says_how_much_is_gone() -> None:
    shown = SAFE.block("a" * 1000, 300)

    assert re.search(r"… \(cut: \d+ characters left out\)\n```$", shown)


def test_of_a_log_the_end_is_kept() -> None:
    shown = SAFE.block("\n".join(f"line {number}" for number in range(1000)), 300, tail=True)

    assert (shown.startswith("```\n… (cut: "), shown.endswith("line 999\n```")) == (True, True)


def test_colours_are_gone_and_the_words_stay() -> None:
    assert visible("\x1b[1;31mERROR\x1b[0m \x1b]8;;https://evil.example\x07here\x1b]8;;\x07") == "ERROR here"


def test_a_megabyte_is_shown_in_no_time() -> None:
    texts = (
        "a" * 10_000_000,
        "<!channel> " * 500_000,
        "bearer:" * 500_000,
        "-----BEGIN A-----" * 200_000,
        "\x1b]" * 500_000,
    )

    began = time.perf_counter()
    for text in texts:
        SAFE.block(text, 2000)

    assert time.perf_counter() - began < 10
