"""Rotations through the doors: each of the three keys, with the bot killed at every step, and after a compromise.

The bot dies by SIGKILL when a step's effect has happened and its journal doesn't know of it yet: at every step of the
plan here, at every boundary there is under `make soak`. Whatever the moment, each write happened once.
"""

import base64
import contextlib
import json
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from bot.drill.people import person
from bot.terminal.rotate import whoever_this_is
from tests.e2e.test_infrastructure import fill_in, insist, propose, receipt
from tests.e2e.test_verdicts import diagnosed
from tests.world import warm
from tests.world.deaths import DYING, EVERYWHERE, Deaths
from tests.world.leaks import Beginnings, traces
from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"
FEWER_VALIDATORS = "musd-validator-2,musd-validator-3"
FEWER = f"canton-participant,{FEWER_VALIDATORS},musd-relay"
"""A token's rotation restarts them all, each for seconds, and dies at each."""
STEPS = r"^execute\.(.* placed|key|grant send|.* (stop|change|forgotten)|attestation|revo.* look|finish)\.done$"
"""The boundaries right behind what each step of a rotation's plan does."""

pytestmark = pytest.mark.timeout(1800 if EVERYWHERE else 300)


class Rotations:
    """A drill whose bot dies as often as there are steps, and the secrets that went through it."""

    def __init__(self, folder: Path) -> None:
        self.deaths = Deaths(folder / "deaths")
        self.data = folder / "world"
        options = [self.deaths.setting, f"deployments={FEWER}", f"validators={FEWER_VALIDATORS}"]
        settings = [word for one in options for word in ("--set", one)]
        self.practice = Practice(*settings, data=self.data)
        self.planted: list[str] = []
        """Every value that was put somewhere, as it is written."""
        self.beginnings = Beginnings()

    def private_key(self) -> str:
        """A new one, to be found nowhere later."""
        key = secrets.token_hex(32)
        self.planted.append(key)
        return f"0x{key}"

    def token(self) -> str:
        """The Canton token that is in the cluster now, to be found nowhere else later."""
        config = json.loads(Path(self.practice.world["kubeconfig"]).read_text())
        writer = next(one["user"]["token"] for one in config["users"] if one["name"] == "writer")
        answer = self.practice.http.get(
            f"{self.practice.world['kubernetes']}/api/v1/namespaces/musd/secrets/canton-token",
            headers={"Authorization": f"Bearer {writer}"},
            timeout=60,
        )
        answer.raise_for_status()
        self.planted.append(base64.b64decode(answer.json()["data"]["canton_token"]).decode())
        return self.planted[-1]

    def deadly(self) -> contextlib.AbstractContextManager[None]:
        """Die once at every step that is passed meanwhile."""
        return self.deaths.at("" if EVERYWHERE else STEPS, self.practice)

    def approved(self, text: str) -> dict[str, Any]:
        """`/musd rotate …`, with two admins' approvals."""
        proposal = propose(self.practice, "operator-1", text)
        self.approve(proposal)
        return proposal

    def survived(self, text: str) -> str:
        """The receipt of a rotation in which the bot dies, over and over, from its approval on."""
        proposal = propose(self.practice, "operator-1", text)
        with self.deadly():
            self.approve(proposal)
            return receipt(self.practice, CHANNEL, proposal, DYING)

    def approve(self, proposal: dict[str, Any]) -> None:
        """By two admins."""
        for admin in ("admin-1", "admin-2"):
            insist(self.practice, admin, proposal)

    def bridge(self, signature: str, *arguments: int) -> int:
        """What the bridge contract answers."""
        call = Web3.keccak(text=signature)[:4].hex() + "".join(f"{one:064x}" for one in arguments)
        to = self.practice.world["contracts"]["BLE_BRIDGE"]
        return int(self.practice.rpc("eth_call", {"to": to, "data": "0x" + call.removeprefix("0x")}, "latest"), 16)

    def holds(self, role: str, address: int) -> bool:
        """Whether the bridge grants the role to that address."""
        return bool(self.bridge("hasRole(bytes32,address)", self.bridge(role), address))

    def sent(self) -> int:
        """How many transactions the second signer has sent."""
        return int(self.practice.rpc("eth_getTransactionCount", self.practice.world["unpauser"], "latest"), 16)

    def secret_writes(self) -> int:
        """How often a value was put into a Secret. What takes an old one out has nothing but a null in it."""
        seen = self.practice.get("/seen/cluster")
        patches = [one for one in seen if one["method"] == "PATCH" and "/secrets/" in one["path"]]
        return len([one for one in patches if "null" not in json.dumps(one["body"])])


def prompted(practice: Practice, key: str) -> None:
    """`musd-bot rotate relay-key` once it is asked for, the value on its standard input and in no arguments."""
    address = Account.from_key(key).address
    until(lambda: f"musd-bot rotate relay-key --address {address}" in practice.said(CHANNEL))
    command = warm.program("rotate", "relay-key", "--address", address)
    command += ["--kubeconfig", practice.world["kubeconfig"], "--context", "writer"]
    ended = subprocess.run(command, input=f"{key}\n", capture_output=True, text=True, check=False, timeout=60)
    said = ended.stdout + ended.stderr
    assert (ended.returncode, f"now has {address}" in said, key[2:] in said) == (0, True, False), said


@pytest.fixture(scope="module")
def rotations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotations]:
    found = Rotations(tmp_path_factory.mktemp("rotations"))
    with found.beginnings.watched():
        yield found
    found.practice.stop()


def keys_line(rotations: Rotations, *words: str) -> str:
    """`/musd diagnose key-rotation`, once it has these words."""
    message = until(lambda: diagnosed(rotations.practice, "key-rotation", words[0]))
    text = written(message)
    assert [word for word in words if word not in text] == [], text
    return text


def test_a_key_that_the_bot_never_rotated_has_no_age(rotations: Rotations) -> None:
    keys_line(
        rotations, "*UNKNOWN* · *The relay's key*: never rotated by this bot", "*The Canton token*: never rotated"
    )


def test_the_relays_key_killed_at_every_step(rotations: Rotations) -> None:
    """Which is also what the scenario *The relay's key has leaked* wants."""
    rotations.practice.post("/scenarios", key="key-rotation", action="start")
    old, sent, written_before = rotations.bridge("relayer()"), rotations.sent(), rotations.secret_writes()
    key = rotations.private_key()
    address = Account.from_key(key).address
    proposal = propose(rotations.practice, "operator-1", f"rotate relay {address}")
    assert "never type it here" in written(proposal)
    with rotations.deadly():
        rotations.approve(proposal)
        prompted(rotations.practice, key)
        text = receipt(rotations.practice, CHANNEL, proposal, DYING)
    assert "COMPLETE" in text, text
    assert rotations.bridge("relayer()") == int(address, 16)
    assert not rotations.holds("RELAYER_ROLE()", old)
    assert (rotations.sent(), rotations.secret_writes()) == (sent + 1, written_before + 1)
    assert f"by a local prompt of {whoever_this_is()} (by that machine's own word)" in text
    known = ("*OK* · *The relay's key*: last rotated 20", f" by <@{person('operator-1').id}>, ")
    keys_line(rotations, *known, "*The Canton token*: never rotated by this bot")
    scenarios = lambda: {one["key"]: one for one in rotations.practice.get("/scenarios")}  # noqa: E731 - asked again
    assert "- Mitigated: after" in until(lambda: scenarios()["key-rotation"]["scorecard"])


def test_who_typed_it_is_in_the_audit_log_and_the_terminal_tells_the_age_too(rotations: Rotations) -> None:
    log = rotations.practice.terminal("audit", "export")
    steps = [one for one in map(json.loads, log.splitlines()) if one["what"] == "step"]
    assert [one for one in steps if whoever_this_is() in str(one["detail"]["evidence"].get("by"))]
    assert "last rotated 20" in rotations.practice.terminal("diagnose", "key-rotation")
    due = rotations.practice.terminal("diagnose", "key-rotation", MUSD_KEY_MAX_AGE="0.001")
    assert re.search(r"A key is due for rotation\nWhy: Older than 0 days: .*, The relay's key\.", due), due


def test_one_that_stopped_half_way_says_where_and_is_rolled_back(rotations: Rotations) -> None:
    old, key, practice = rotations.bridge("relayer()"), rotations.private_key(), rotations.practice
    practice.break_("cluster", "forbidden", verb="patch", resource="deployments")
    proposal = rotations.approved(f"rotate relay {Account.from_key(key).address}")
    prompted(rotations.practice, key)
    assert "revokeRole(RELAYER_ROLE, " in written(proposal)
    text = receipt(practice, CHANNEL, proposal)
    assert "1 step FAILED and 2 steps NOT BEGUN" in text
    assert "It stopped at «Restart the relay»" in text
    stopped = "a rotation stopped half-way at «Restart the relay»"
    keys_line(rotations, f"*BAD* · *The relay's key*: {stopped}", "BAD: A rotation stopped half-way", "*Go on…*")
    assert rotations.bridge("relayer()") == int(Account.from_key(key).address, 16)

    practice.mend()
    practice.press("operator-1", practice.with_button(CHANNEL, "Roll back…"), "Roll back…", CHANNEL)
    fill_in(practice, "operator-1")
    back = until(lambda: practice.proposal(CHANNEL, "Roll back: the relay's key is"))
    rotations.approve(back)
    assert "COMPLETE" in (text := receipt(practice, CHANNEL, back)), text
    assert rotations.bridge("relayer()") == old
    keys_line(rotations, "*OK* · *The relay's key*: last rotated")  # by the one before: this one came to nothing


def test_a_validators_key_killed_at_every_step(rotations: Rotations) -> None:
    old, sent = rotations.bridge("validators(uint256)", 1), rotations.sent()
    text = rotations.survived("rotate validator-2")
    assert "COMPLETE" in text, text
    assert rotations.bridge("validators(uint256)", 1) != old
    assert not rotations.holds("VALIDATOR_ROLE()", old)
    assert rotations.sent() == sent + 1


def test_the_canton_token_killed_at_every_step(rotations: Rotations) -> None:
    written_before, before = rotations.secret_writes(), rotations.token()
    text = rotations.survived("rotate token")
    assert "COMPLETE" in text, text
    assert rotations.secret_writes() == written_before + 1
    assert before != rotations.token()


def test_a_compromised_relay_key_is_revoked_before_anything_else(rotations: Rotations) -> None:
    old, key = rotations.bridge("relayer()"), rotations.private_key()
    proposal = rotations.approved(f"rotate relay {Account.from_key(key).address} --compromised")
    until(lambda: not rotations.holds("RELAYER_ROLE()", old))
    assert rotations.practice.paused("BLE_BRIDGE")
    prompted(rotations.practice, key)
    text = receipt(rotations.practice, CHANNEL, proposal)
    assert "COMPLETE" in text, text
    assert rotations.bridge("relayer()") == int(Account.from_key(key).address, 16)


def test_a_compromised_validator_key_is_revoked_before_another_is_made(rotations: Rotations) -> None:
    old = rotations.bridge("validators(uint256)", 2)
    text = receipt(rotations.practice, CHANNEL, rotations.approved("rotate validator-3 --compromised"))
    assert "COMPLETE" in text, text
    assert not rotations.holds("VALIDATOR_ROLE()", old)
    assert text.index("Revoke the old on chain") < text.index("Create the key in KMS")


def test_a_compromised_canton_token_is_refused_before_there_is_another(rotations: Rotations) -> None:
    text = receipt(rotations.practice, CHANNEL, rotations.approved("rotate token --compromised"))
    assert "COMPLETE" in text, text
    assert "the ledger refuses the old token" in text
    assert "Set the bot's MUSD_CANTON_TOKEN_USER to musd-services-" in text
    rotations.token()


def test_no_value_is_found_anywhere_but_in_its_secret(rotations: Rotations) -> None:
    """The last one: it ends the drill. A validator's key never leaves KMS; what opens KMS is the bot's own secret."""
    lines = shlex.split((rotations.data / "bot.env").read_text())
    credential = dict(line.split("=", 1) for line in lines)["MUSD_ROTATION_SECRET_ACCESS_KEY"]
    assert len(rotations.planted) == 6
    found = traces(rotations.practice, [*rotations.planted, credential], rotations.beginnings)
    assert [one for one in found if one[1] != credential] == []
    configured = {Path(where).name for where, _ in found if not where.startswith("environ")}
    assert configured == {"bot.env"}
