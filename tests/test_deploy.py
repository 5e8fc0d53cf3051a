"""What is handed to an operator: manifests that a cluster takes, an image with the bot and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot import settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
VERSION = "1.34"
WAYS = ("sqlite", "postgres")


def tool(name: str) -> str:
    """A real part: skipped without it, or failed where it is required."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(f"there is no {name}, and MUSD_TEST_REQUIRE_REAL=1 wants one")
        pytest.skip(f"there is no {name} on this machine")
    return found


def rendered(way: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send."""
    command = [tool("kubectl"), "kustomize", str(DEPLOY / "kubernetes" / way)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return list(yaml.safe_load_all(answer.stdout))


def of_kind(way: str, kind: str) -> Any:
    """The one object of a kind."""
    return next(one for one in rendered(way) if one["kind"] == kind)


@pytest.mark.parametrize("way", WAYS)
def test_every_object_is_one_that_kubernetes_describes(way: str) -> None:
    objects = rendered(way)

    for one in objects:
        kubernetes_validate.validate(one, VERSION, strict=True)
    assert {"Deployment", "Service", "NetworkPolicy", "ConfigMap", "ServiceAccount", "Role"} <= {
        o["kind"] for o in objects
    }


@pytest.mark.parametrize(
    ("way", "replicas", "more"), [("sqlite", 1, "PersistentVolumeClaim"), ("postgres", 2, "PodDisruptionBudget")]
)
def test_one_replica_with_a_volume_or_two_with_a_database(way: str, replicas: int, more: str) -> None:
    assert of_kind(way, "Deployment")["spec"]["replicas"] == replicas
    assert of_kind(way, more)


@pytest.mark.parametrize("way", WAYS)
def test_the_pod_is_not_root_writes_nowhere_and_can_gain_nothing(way: str) -> None:
    pod = of_kind(way, "Deployment")["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= set(container["resources"])
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


def test_the_cluster_s_configuration_is_one_the_bot_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSD_CONFIG", str(DEPLOY / "kubernetes" / "base" / "musd-bot.toml"))
    for name in ("MUSD_SLACK_BOT_TOKEN", "MUSD_SLACK_APP_TOKEN", "MUSD_ALERTMANAGER_TOKEN", "MUSD_RPC_URLS"):
        monkeypatch.setenv(name, "http://planted.invalid")

    assert settings.read().http_port == of_kind("sqlite", "Service")["spec"]["ports"][0]["port"]


def test_alertmanager_takes_the_receiver(tmp_path: Path) -> None:
    command = [tool("amtool"), "check-config", str(DEPLOY / "alertmanager" / "musd-bot.yml")]

    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_compose_file_runs_it_read_only_and_not_as_root() -> None:
    service = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]["musd-bot"]

    assert (service["read_only"], service["user"], service["cap_drop"]) == (True, "10001:10001", ["ALL"])


# --- The image -------------------------------------------------------------------------------------------------------


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions, by stage."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[tuple[str, str]]] = []
    for word, rest in lines:
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The build stage, run step by step in a folder of its own, without an engine; where the environment ends up."""
    if os.environ.get("MUSD_TEST_REQUIRE_REAL") != "1":
        pytest.skip("installs everything once more, which takes minutes: MUSD_TEST_REQUIRE_REAL=1 asks for it")
    folder = tmp_path_factory.mktemp("image")
    source = folder / "src"
    source.mkdir()
    for word, rest in stages()[0]:
        if word == "COPY":
            *what, to = rest.split()
            for one in what:
                target = source / to if to not in {".", "./"} else source / Path(one).name
                _copy(ROOT / one, target)
        elif word == "RUN":
            command = rest.replace("/opt/musd-bot", str(folder / "musd-bot")).replace("--no-cache-dir", "")
            command = re.sub(r"^python ", f"{sys.executable} ", command)
            # Bytecode is for the image's first start; here it would be most of the time.
            environment = os.environ | {"PIP_NO_COMPILE": "1"}
            subprocess.run(command, shell=True, check=True, cwd=source, capture_output=True, env=environment)  # noqa: S602 - our Dockerfile
    yield folder / "musd-bot"
    shutil.rmtree(folder, ignore_errors=True)


def _copy(what: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if what.is_dir():
        shutil.copytree(what, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(what, to)


@pytest.mark.real
@pytest.mark.timeout(900)
def test_the_image_has_the_bot_and_neither_drill_nor_tests_nor_what_they_need(image: Path) -> None:
    packages = next(image.glob("lib/python*/site-packages"))
    names = {path.name.partition("-")[0].lower() for path in packages.iterdir()}

    assert {"bot", "handlers", "slack_bolt"} <= names
    assert not (packages / "bot" / "drill").exists()
    assert names & {"tests", "moto", "flask", "pytest", "playwright", "hatchling"} == set()


@pytest.mark.real
@pytest.mark.timeout(900)
def test_the_image_s_bot_says_what_it_is_and_what_it_lacks(image: Path) -> None:
    command = [str(image / "bin" / "musd-bot"), "serve"]

    answer = subprocess.run(command, env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=False)

    assert answer.returncode == 2
    assert "MUSD_SLACK_BOT_TOKEN: Field required" in answer.stderr


def test_the_image_runs_as_nobody_in_particular() -> None:
    instructions = dict(stages()[-1])

    assert instructions["USER"] == "10001"
    assert instructions["CMD"] == '["serve"]'
