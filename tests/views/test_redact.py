import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views.redact import Redactor
from bot.views.safe import Safe
from tests.views.planted import ADDRESS, KEY, PLANTED


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_gone(name: str) -> None:
    text, secret = PLANTED[name]
    shown = Safe(Redactor()).block(f"before {text} after", 3000)

    assert (secret in shown, "[redacted: " in shown) == (False, True)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_does_not_survive_a_cut_through_it(name: str) -> None:
    text, secret = PLANTED[name]
    safe = Safe(Redactor())

    assert not any(secret[:12] in safe.block(text, limit) for limit in range(60, 200, 7))


@pytest.mark.parametrize(
    "text",
    [
        "pod musd-relay-6d4cf56db6-x7k2p restarted 5 times, last exit 137 (OOMKilled)",
        f"BorrowModule at {ADDRESS} is paused",
        f"collateral_token={ADDRESS} price 1.0001",
        f"https://etherscan.io/address/{ADDRESS}",
        "image registry.local/musd/relay@sha256:" + "ab" * 32,
        "commit 5f2b9a1c0d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a",
        "http://musd-relay.musd.svc.cluster.local:8080/health answered 503",
        "https://10.0.0.1:6443/api/v1/namespaces/musd/pods/musd-relay-6d4cf56db6-x7k2p/log?tailLines=100",
        'secret "musd-relay-keys" not found',
        "the relay was able to read about half of the above, then it had to abandon",
        "error: StalePrice: the price is stale: last set 2026-03-04 02:14:15 UTC",
        "authentication token expired; bearer authentication failed",
        "2026-03-04T03:14:15.926Z ERROR relay::bridge nonce=42 gas=120000 connection refused (os error 111)",
        "no such key: musd.relay/attestation-latest",
        "docker run -u 1000:1000 musd/relay",
        "mysqladmin: option '--password' takes an argument",
        "cast send --password $KEYSTORE_PASSWORD 0x00",
        "calldata 0x8456cb59" + "0" * 64,
        "ankr.com did not answer; infura.io is down",
        "npm_config_cache=/tmp/npm",
    ],
)
def test_ordinary_words_pass(text: str) -> None:
    assert Redactor().redact(text) == text


def test_hashes_the_bot_knows_pass() -> None:
    text = f"mined 0x{KEY} in block 7"

    assert Redactor().redact(text, known={f"0x{KEY}"}) == text


def test_another_hash_beside_a_known_one_does_not_pass() -> None:
    shown = Redactor().redact(f"0x{KEY} 0x{KEY[::-1]}", known={f"0x{KEY}"})

    assert (KEY in shown, KEY[::-1] in shown) == (True, False)


def test_the_bots_own_secrets_are_found_wherever_they_turn_up() -> None:
    redactor = Redactor.of(["p@ss/word one", "short", "s3cr3t-value"])

    shown = redactor.redact("x p@ss/word one y p%40ss%2Fword%20one z p%40ss%2Fword+one; s3cr3t-value; short")

    own = "[redacted: own secret]"
    assert shown == f"x {own} y {own} z {own}; {own}; short"


def test_a_redactor_does_not_show_its_secrets() -> None:
    assert "s3cr3t" not in repr(Redactor.of(["s3cr3t-value"]))


@given(st.text(min_size=6, max_size=40), st.text(max_size=100), st.text(max_size=100))
@settings(max_examples=200, deadline=None)
def test_an_own_secret_never_survives(secret: str, before: str, after: str) -> None:
    marks = "[redacted: own secret]"
    if secret in marks:
        return

    shown = Redactor.of([secret]).redact(before + secret + after)

    assert secret not in shown.replace(marks, "\x00")


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = Redactor().redact(text)

    assert Redactor().redact(once) == once


@pytest.mark.parametrize(
    "piece",
    ["bearer:", "-----BEGIN A-----", "-----END A-----\n", "http://a@", "eyJ", "token=", "abandon ", "aA1/", "x"],
)
def test_no_text_stalls_the_bot(piece: str) -> None:
    began = time.perf_counter()
    Redactor().redact(piece * (300_000 // len(piece)))

    assert time.perf_counter() - began < 5
