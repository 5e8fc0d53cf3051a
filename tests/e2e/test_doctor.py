"""The doctor: all is well in the practice world, and each planted fault is the right line with the right mend."""

import json
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings, name_of
from bot.terminal import init
from tests.world import warm
from tests.world.practice import Practice, until, written

ROOT = Path(__file__).parents[2]
UNUSED = "127.0.0.1:9"
"""Nobody listens on the discard port here."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world whose folder is known, for the environment that stands in it."""
    running = Practice(data=tmp_path_factory.mktemp("doctor"))
    yield running
    running.stop()


@pytest.fixture
def environment(world: Practice) -> Iterator[dict[str, str]]:
    """What the practised bot was told."""
    assert world.data is not None
    lines = shlex.split((world.data / "bot.env").read_text())
    yield dict(line.split("=", 1) for line in lines)
    world.mend()


def examined(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and each check by its key."""
    command = warm.program("doctor", "--json", *arguments)
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert answer.stdout, answer.stderr
    return answer.returncode, {one["check"]: one for one in json.loads(answer.stdout)}


def test_in_the_practice_world_every_line_is_ok(environment: dict[str, str]) -> None:
    # What a machine that is busy with other things is too slow for at the first look is asked again.
    code, lines = until(lambda: next((seen for seen in [examined(environment)] if seen[0] == 0), None))

    assert [one for one in lines.values() if one["state"] != "OK"] == []
    assert code == 0


def documented() -> str:
    """The README's commands for a real workspace, from the first question to the doctor's answer."""
    page = (ROOT / "README.md").read_text()
    block = re.search(r"^\$ musd-bot init.*^\$ musd-bot doctor[^\n]*", page, re.MULTILINE | re.DOTALL)
    assert block
    return re.sub(r"^\$ ", "", block.group(), flags=re.MULTILINE)


def test_following_the_readme_every_line_is_ok(environment: dict[str, str], tmp_path: Path) -> None:
    """What is asked for is answered, secrets are files, and only where the stand-ins are stays in the environment."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    left = dict(environment)
    for name, one in Settings.model_fields.items():
        if init.is_secret(one) and name_of(name) in left:
            (secrets / name_of(name)).write_text(left.pop(name_of(name)))
    answers = "".join(left.pop(name_of(name), "") + "\n" for name in init.QUESTIONS)
    ours = f'musd-bot() {{ {sys.executable} -m bot "$@"; }}; export PYTHONPATH={ROOT}'

    script = ["bash", "-ec", f"{ours}\n{re.sub(' *#.*', '', documented())} || musd-bot doctor"]  # as above: once more
    ended = subprocess.run(
        script, cwd=tmp_path, env=left, input=answers, capture_output=True, text=True, check=False, timeout=240
    )

    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr
    assert re.search(r"^OK +Runbooks", ended.stdout, re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """Something wrong, and what the doctor says of it."""

    name: str
    check: str
    mend: str
    settings: dict[str, str] = field(default_factory=dict)
    state: str = "BAD"


FAULTS = (
    Fault("a wrong bot token", "slack:token", "MUSD_SLACK_BOT_TOKEN", {"MUSD_SLACK_BOT_TOKEN": "xoxb-x"}),
    Fault("a wrong app token", "slack:socket", "MUSD_SLACK_APP_TOKEN", {"MUSD_SLACK_APP_TOKEN": "xapp-x"}),
    Fault("no alerts channel", "slack:alerts", "/invite the bot", {"MUSD_ALERTS_CHANNEL": "nowhere"}),
    Fault("a person nobody knows", "slack:people", "user ids", {"MUSD_RESPONDERS": "U0NOBODY"}, "UNKNOWN"),
    Fault("one admin only", "slack:enough", "at least 2 in MUSD_GUARDIANS", {"MUSD_ADMINS": "U0ONE"}),
    Fault("an RPC away", "rpc:RPC A ({unused})", "MUSD_RPC_URLS", {"MUSD_RPC_URLS": f"http://{UNUSED}"}, "UNKNOWN"),
    Fault("another chain", "rpc:{first}", "MUSD_CHAIN_ID", {"MUSD_CHAIN_ID": "5"}, "UNKNOWN"),
    Fault("no contract there", "contract:SMUSD", "Correct SMUSD", {"SMUSD": "0x" + "12" * 20}),
    Fault("a pause set with a hole", "ethereum:pause-set", "Set BLE_BRIDGE", {"BLE_BRIDGE": ""}),
    Fault("a treasury that is none", "read:reserves", "addresses", {"TREASURY": "0x" + "12" * 20}, "UNKNOWN"),
    Fault("no kubeconfig", "pods:musd-relay", "MUSD_KUBECONFIG", {"MUSD_KUBECONFIG": "/nowhere"}, "UNKNOWN"),
    Fault("probes that may change things", "kubernetes:reads", "rbac.yaml", {"MUSD_KUBE_CONTEXT": "writer"}),
    Fault("another namespace", "pods:musd-relay", "MUSD_NAMESPACE", {"MUSD_NAMESPACE": "elsewhere"}, ""),
    Fault(
        "the relay's port is wrong",
        "relay:health",
        "MUSD_RELAY_URL",
        {"MUSD_RELAY_URL": f"http://{UNUSED}"},
        "UNKNOWN",
    ),
    Fault("Canton away", "ledger:ready", "MUSD_LEDGER_URL", {"MUSD_LEDGER_URL": f"http://{UNUSED}"}, "UNKNOWN"),
    Fault(
        "a key nobody has",
        "validators:kms",
        "VALIDATOR_KMS_KEY_IDS",
        {"VALIDATOR_KMS_KEY_IDS": "musd-validator-1=nothing"},
        "",
    ),
    Fault(
        "Tradecraft away",
        "price:tradecraft",
        "MUSD_TRADECRAFT_URL",
        {"MUSD_TRADECRAFT_URL": f"http://{UNUSED}"},
        "",
    ),
    Fault("a wrong JWT", "price:temple", "TEMPLE_JWT", {"TEMPLE_JWT": "wrong"}, ""),
    Fault("CoinGecko away", "price:coingecko", "MUSD_COINGECKO_URL", {"MUSD_COINGECKO_URL": f"http://{UNUSED}"}, ""),
    Fault("no database there", "database", "DATABASE_URL", {"DATABASE_URL": f"postgresql://x:y@{UNUSED}/z"}, "UNKNOWN"),
    Fault("a stale oracle", "read:oracle", "", {"PRICE_ORACLE": "0x" + "12" * 20}, "UNKNOWN"),
    Fault("a group nobody made", "slack:groups", "MUSD_GROUP_ROLES", {"MUSD_GROUP_ROLES": "nobodies=guardian"}),
    Fault("a token that is none", "contract:MUSD", "Correct MUSD", {"MUSD": "{BLE_BRIDGE}"}),
    Fault("a view nobody has", "read:reserves", "MUSD_RESERVE_READS", {"MUSD_RESERVE_READS": "worth()"}, "UNKNOWN"),
    Fault("a price nobody gives", "read:price", "MUSD_PRICE_READS", {"MUSD_PRICE_READS": "worth(address)"}, "UNKNOWN"),
    Fault(
        "an unpausing key that may do nothing",
        "unpause:key",
        "MUSD_UNPAUSE_KEYSTORE",
        {
            "MUSD_UNPAUSE_KEYSTORE": "{MUSD_KEYSTORE}",
            "MUSD_UNPAUSE_KEYSTORE_PASSWORD_FILE": "{MUSD_KEYSTORE_PASSWORD_FILE}",
        },
    ),
    Fault(
        "a key without the role",
        "pause:ready",
        "grantRole(PAUSER_ROLE",
        {
            "MUSD_KEYSTORE": "{MUSD_UNPAUSE_KEYSTORE}",
            "MUSD_KEYSTORE_PASSWORD_FILE": "{MUSD_UNPAUSE_KEYSTORE_PASSWORD_FILE}",
        },
    ),
    Fault("a pause that reverts", "pause:ready", "by hand", {"MUSD_PAUSE_CALLS": "BORROW_MODULE=halt()"}),
    Fault("a keystore that isn't there", "pause:ready", "MUSD_KEYSTORE", {"MUSD_KEYSTORE": "/nowhere"}),
    Fault(
        "a pausing key KMS has not",
        "pause:ready",
        "MUSD_KMS_KEY_ID",
        {"MUSD_KEYSTORE": "", "MUSD_KEYSTORE_PASSWORD_FILE": "", "MUSD_KMS_KEY_ID": "alias/nothing"},
    ),
    Fault("nobody would be paged", "pagerduty:routing", "integration key", {"MUSD_PAGERDUTY_ROUTING_KEY": ""}),
    Fault("a service nobody has", "pagerduty:service", "SERVICE_ID", {"PAGERDUTY_SERVICE_ID": "P0NOTHING"}, ""),
    Fault("a policy nobody has", "oncall:protocol", "MUSD_ONCALL_", {"MUSD_ONCALL_PROTOCOL_POLICY": "nobody-at-all"}),
    Fault(
        "a shift nobody has",
        "oncall-role:nobody-at-all",
        "MUSD_ONCALL_ROLES",
        {"MUSD_ONCALL_ROLES": "nobody-at-all=guardian"},
    ),
    Fault("a name that is none", "tls:nowhere.invalid:443", "the DNS", {"MUSD_TEMPLE_URL": "https://nowhere.invalid/"}),
    Fault("no TLS there", f"tls:{UNUSED}", "MUSD_TRADECRAFT_URL", {"MUSD_TRADECRAFT_URL": f"https://{UNUSED}/"}),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_the_right_line_with_the_right_mend(environment: dict[str, str], fault: Fault) -> None:
    first = environment["MUSD_RPC_URLS"].split(",")[0].removeprefix("http://").partition("/")[0]
    settings = {name: value.format_map(environment) for name, value in fault.settings.items()}
    code, lines = examined(environment | settings)
    key = fault.check.format(unused=UNUSED, first=f"RPC A ({first})")
    assert key in lines, sorted(lines)

    line = lines[key]

    assert line["state"] == fault.state if fault.state else line["state"] != "OK", line
    assert fault.mend in line["mend"], line
    assert code == 1


class Yesterday(BaseHTTPRequestHandler):
    """Somebody whose clock is a day behind."""

    def do_POST(self) -> None:
        """Answer as `api.test` does."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What the Date header says."""
        return super().date_time_string((timestamp or time.time()) - 86_400)


def test_a_clock_that_is_wrong_is_said(environment: dict[str, str]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Yesterday) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        _, lines = examined(environment | {"MUSD_SLACK_API_URL": f"http://127.0.0.1:{elsewhere.server_port}/"})
        elsewhere.shutdown()

    assert (lines["clock"]["state"], lines["clock"]["mend"]) == ("BAD", "Run an NTP client.")


def test_a_source_that_hangs_holds_nothing_else(world: Practice, environment: dict[str, str]) -> None:
    world.break_("cluster", "api-slow", seconds=60)

    code, lines = examined(environment)

    silent = [key for key, one in lines.items() if one["state"] != "OK"]
    assert silent == ["pods:musd-relay", "pods:musd-validator", "kubernetes:reads", "kubernetes:writes"]
    assert code == 1


def test_the_table_says_what_to_mend_and_no_secret(environment: dict[str, str]) -> None:
    command = warm.program("doctor")
    wrong = environment | {"SMUSD": "0x" + "12" * 20}

    answer = subprocess.run(command, env=wrong, capture_output=True, text=True, check=False, timeout=120)

    assert "BAD     SMUSD" in answer.stdout
    assert "→ Correct SMUSD." in answer.stdout
    assert environment["MUSD_SLACK_BOT_TOKEN"] not in answer.stdout + answer.stderr


def test_a_database_of_an_older_version_is_said_and_left_as_it_is(environment: dict[str, str], tmp_path: Path) -> None:
    _, lines = examined(environment | {"MUSD_DATA_DIR": str(tmp_path)})

    assert "empty" in lines["database"]["summary"]
    assert list(tmp_path.iterdir()) == []


def test_the_same_from_slack(world: Practice) -> None:
    assert world.command("responder-1", "doctor")["ok"]

    said = until(lambda: next((m for m in world.messages("musd-alerts") if "OK: " in written(m)), None))

    assert "Nothing was changed" in written(said)
    assert "BAD" not in written(said)
