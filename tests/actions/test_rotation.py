"""Rotating the three kinds of keys: on the real chain, in the practice KMS, Secrets and ledger; killed at each step."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from eth_account import Account
from pydantic import SecretStr

from bot import actions
from bot.actions import bridge_roles
from bot.actions.rotate_relay import RotateRelayKey
from bot.actions.rotate_token import RotateCantonToken
from bot.actions.rotate_validator import RotateValidatorKey, marked
from bot.adapters.canton_tokens import CantonTokens
from bot.adapters.canton_users import CantonUsers, refusal
from bot.adapters.kube_api import KubeApi
from bot.adapters.rotation_aws import RotationAws
from bot.domain.action import Action, Outcome, Receipt
from bot.domain.probe import Finding, bad, ok
from bot.drill.aws import Aws
from bot.drill.cluster import Cluster
from bot.drill.ledger import Ledger
from bot.drill.ledger.access import SERVICES, services_token
from bot.ports import CANTON_TOKEN, RELAY_KEY, ContractViews, Infrastructure, Rotation, Writes
from bot.terminal.rotate import whoever_this_is
from bot.wiring.rotation import cluster_secrets
from tests.actions.conftest import ended
from tests.world import warm
from tests.world.bench import Bench, Mortal

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEW_KEY = "0x" + "42" * 31 + "07"
NEW = Account.from_key(NEW_KEY).address
STRANGERS_KEY = "0x" + "43" * 31 + "07"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aws]:
    """It takes seconds to start, and no rotation minds the keys of another."""
    one = Aws()
    await one.start(tmp_path_factory.mktemp("aws"))
    yield one
    await one.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    one = Ledger()
    await one.start(tmp_path / "ledger")
    yield one
    await one.stop()


class World(Bench):
    """What rotations change, and the places to look whether they have."""

    def __init__(self, writes: Writes, cluster: Cluster, infra: Infrastructure, rotation: Rotation) -> None:
        super().__init__(writes)
        self.cluster = cluster
        self.infra = infra
        self.rotation = rotation

    @property
    def views(self) -> ContractViews:
        """The chain, as anybody can look at it."""
        assert self.writes.views
        return self.writes.views

    def secret(self, name: str, key: str) -> str:
        """The value that is in the cluster."""
        return base64.b64decode(self._secret(name)["data"][key]).decode()

    def keys_of(self, name: str) -> set[str]:
        """What the Secret has values under."""
        return set(self._secret(name)["data"])

    def _secret(self, name: str) -> dict[str, Any]:
        [found] = [one for one in self.cluster.state.store.all_of("secrets", "musd") if one["metadata"]["name"] == name]
        return found

    async def has_role(self, role: str, address: str) -> bool:
        """Whether the bridge grants it to this address."""
        identity = f"0x{await self.views.number('BLE_BRIDGE', role):064x}"
        return bool(await self.views.number("BLE_BRIDGE", "hasRole(bytes32,address)", identity, address))

    async def relayer(self) -> str:
        """Who relays now."""
        return await bridge_roles.relayer(self.views)


@pytest_asyncio.fixture(loop_scope="module")
async def world(cluster: Cluster, infra: Infrastructure, writes: Writes, ledger: Ledger) -> AsyncIterator[World]:
    """Everything but KMS: see `world_with_kms`."""
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    tokens = CantonTokens(
        f"{ledger.url}/admin/tokens", SecretStr(ledger.admin_token), user=SERVICES, ledger_url=ledger.url
    )

    async def attests(_: str) -> Finding:
        return ok("attestation 48201 signed")

    rotation = Rotation(
        secrets=cluster_secrets(kube, token_source=tokens.issue, token_trial=partial(refusal, ledger.url)),
        users=CantonUsers(ledger.url, SecretStr(ledger.admin_token), user=SERVICES),
        keys=None,
        validator_keys={},
        attests=attests,
        setting="KMS_KEY_ID",
        patience=timedelta(seconds=3),
    )
    changed = replace(infra, rotation=rotation, patience=timedelta(seconds=8))
    yield World(replace(writes, infra=changed), cluster, changed, rotation)
    await kube.close()


@pytest.fixture
def world_with_kms(world: World, aws: Aws) -> World:
    """And the validators' keys."""
    keys = RotationAws(
        region=aws.region, access_key=aws.access_key, secret_key=SecretStr(aws.secret_key), endpoint_url=aws.url
    )
    named = {f"musd-validator-{n}": key for n, key in enumerate(aws.validator_key_ids, 1)}
    world.rotation = replace(world.rotation, keys=keys, validator_keys=named)
    world.writes = replace(world.writes, infra=replace(world.infra, rotation=world.rotation))
    return world


def undone(action: Action, receipt: Receipt) -> Action | None:
    """What *Roll back…* on this Receipt would propose."""
    how = actions.how(action)
    assert how.back
    return how.back(action, receipt)


def undo(action: Action, receipt: Receipt) -> Action:
    """The same, where there is one."""
    back = undone(action, receipt)
    assert back
    return back


def prompted(cluster: Cluster, value: str, *arguments: str) -> subprocess.Popen[str]:
    """`musd-bot rotate`, as a terminal runs it: the value on its standard input, never in its arguments."""
    command = warm.program("rotate", *arguments, "--kubeconfig", str(cluster.kubeconfig))
    process = subprocess.Popen(
        [*command, "--context", "writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ".")},
    )
    assert process.stdin
    process.stdin.write(value + "\n")
    process.stdin.close()
    process.stdin = None
    return process


async def the_prompt(world: World, value: str, *arguments: str) -> tuple[int, str]:
    """Its exit code and everything it says."""
    process = prompted(world.cluster, value, *arguments)
    out, err = await asyncio.to_thread(process.communicate)
    return process.returncode, out + err


async def relay_rotation(world: World, *, compromised: bool = False) -> RotateRelayKey:
    return RotateRelayKey(old=await world.relayer(), new=NEW, compromised=compromised)


# --- The relay's key -------------------------------------------------------------------------------------------------


async def test_the_relays_key_is_rotated_by_a_local_prompt_killed_at_every_step(world: World) -> None:
    action = await relay_rotation(world)
    code, said = await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    journal = Mortal("relay")
    receipt = await world.run(action, journal)
    assert (code, receipt.complete) == (0, True), receipt
    assert (await world.relayer()).lower() == NEW.lower()
    assert await world.has_role("RELAYER_ROLE()", action.old) is False
    assert world.secret("relay-private-key", "relayer_private_key") == NEW_KEY
    assert journal.deaths == 2 * len(journal.finished)
    by = receipt.steps[0].evidence["by"]
    assert by == f"by a local prompt of {whoever_this_is()} (by that machine's own word)"
    everything = [said, receipt.model_dump_json(), repr(journal.finished), *world.told]
    assert not any(NEW_KEY in text or NEW_KEY[2:] in text for text in everything)


async def test_what_was_said_of_one_value_is_not_said_of_the_next(world: World, cluster: Cluster) -> None:
    """Somebody types one, somebody else puts another one there with `kubectl apply`, which leaves annotations alone."""
    await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    assert await world.rotation.secrets.typed_by(RELAY_KEY) == whoever_this_is()
    secret = cluster.state.store.get("secrets", "musd", "relay-private-key")
    other = secret["data"] | {"relayer_private_key": base64.b64encode(STRANGERS_KEY.encode()).decode()}
    cluster.state.store.replace("secrets", secret | {"data": other})
    assert await world.rotation.secrets.typed_by(RELAY_KEY) == ""


async def test_a_key_of_another_address_is_not_put_there(world: World) -> None:
    before = world.secret("relay-private-key", "relayer_private_key")
    code, said = await the_prompt(world, STRANGERS_KEY, "relay-key", "--address", NEW)
    assert (code, f"and {NEW} was announced" in said, STRANGERS_KEY in said) == (2, True, False)
    assert world.secret("relay-private-key", "relayer_private_key") == before


async def test_what_is_no_key_is_not_put_there_and_not_repeated(world: World) -> None:
    code, said = await the_prompt(world, "hunter2-hunter2", "relay-key", "--address", NEW)
    assert (code, "That is no relay-key" in said, "hunter2" in said) == (2, True, False)


async def test_a_prompt_that_nobody_answers_stops_it_where_it_is_and_it_goes_on_from_there(world: World) -> None:
    action = await relay_rotation(world)
    stopped = await world.run(action)
    assert stopped.steps[0].outcome is Outcome.FAILED
    assert any("musd-bot rotate relay-key --address" in text for text in world.told)
    assert (await world.relayer()).lower() == action.old.lower()

    await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    assert (await world.run(action)).complete


async def test_one_that_stopped_is_rolled_back_without_anybody_having_the_old_key(world: World) -> None:
    old_key = world.secret("relay-private-key", "relayer_private_key")
    action = RotateRelayKey(old=Account.from_key(old_key).address, new=NEW)
    await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    admin, world.writes = world.writes.admin, replace(world.writes, admin=None)
    stopped = await world.run(action)
    assert "It stopped at «Put the new one on chain»; done before that: «New key in the Secret»." in stopped.notes[0]

    world.writes = replace(world.writes, admin=admin)
    back = undo(action, stopped)
    assert back.title == f"Roll back: the relay's key is {action.old} again"
    receipt = await world.run(back)
    assert receipt.complete, receipt
    assert world.secret("relay-private-key", "relayer_private_key") == old_key
    assert world.keys_of("relay-private-key") == {"relayer_private_key"}
    assert (await world.relayer()).lower() == action.old.lower()


async def test_one_that_is_done_leaves_nothing_of_the_old_key_and_offers_no_way_back(world: World) -> None:
    action = await relay_rotation(world)
    await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    assert world.keys_of("relay-private-key") == {"relayer_private_key", "relayer_private_key.before"}
    receipt = await world.run(action)
    assert undone(action, receipt) is None
    assert world.keys_of("relay-private-key") == {"relayer_private_key"}


async def test_a_compromised_relay_key_loses_its_role_before_anything_else(world: World) -> None:
    action = await relay_rotation(world, compromised=True)
    receipt = await world.run(action)
    assert list(ended(receipt))[:3] == ["Pause the bridge", "Revoke the old on chain", "New key in the Secret"]
    assert list(ended(receipt).values())[:3] == [Outcome.DONE, Outcome.DONE, Outcome.FAILED]
    assert await world.has_role("RELAYER_ROLE()", action.old) is False
    assert world.writes.pause
    assert await world.writes.pause.paused("BLE_BRIDGE") is True
    assert undone(action, receipt) is None


async def test_without_a_second_signer_the_calls_are_handed_over(world: World) -> None:
    action = await relay_rotation(world)
    await the_prompt(world, NEW_KEY, "relay-key", "--address", NEW)
    world.writes = replace(world.writes, admin=None)
    receipt = await world.run(action)
    assert ended(receipt)["Put the new one on chain"] is Outcome.HANDED
    assert ended(receipt)["Restart the relay"] is Outcome.HANDED


# --- A validator's key -----------------------------------------------------------------------------------------------


def validator_rotation(world: World, *, compromised: bool = False) -> RotateValidatorKey:
    name = "musd-validator-2"
    return RotateValidatorKey(
        validator=name,
        old=world.rotation.validator_keys[name],
        mark=marked(datetime.now(UTC)),
        compromised=compromised,
    )


async def test_a_validators_key_is_rotated_killed_at_every_step(world_with_kms: World) -> None:
    world = world_with_kms
    action = validator_rotation(world)
    assert world.rotation.keys
    old = await world.rotation.keys.described(action.old)
    journal = Mortal("validator")
    receipt = await world.run(action, journal)
    assert receipt.complete, receipt
    made = await world.rotation.keys.create(action.validator, action.mark)
    assert await world.views.number("BLE_BRIDGE", "validators(uint256)", 1) == int(made.address, 16)
    assert await world.has_role("VALIDATOR_ROLE()", old.address) is False
    assert (await world.infra.cluster.look(action.validator)).env["KMS_KEY_ID"] == made.id
    assert journal.deaths == 2 * len(journal.finished)


async def test_nothing_begins_while_another_validator_is_not_well(world_with_kms: World, cluster: Cluster) -> None:
    world = world_with_kms
    await cluster.inflict({"fault": "heartbeat-stale", "which": "3"})
    receipt = await world.run(validator_rotation(world))
    assert receipt.steps[0].outcome is Outcome.FAILED
    assert "musd-validator-3" in receipt.steps[0].text
    assert ended(receipt)["Create the key in KMS"] is Outcome.NOT_BEGUN


async def test_an_attestation_that_never_comes_is_not_taken_for_one_and_it_is_rolled_back(
    world_with_kms: World,
) -> None:
    world = world_with_kms

    async def silent(_: str) -> Finding:
        return bad("no attestation in its log so far")

    quick = replace(world.rotation, attests=silent, patience=timedelta(seconds=1))
    working, world.writes = world.writes, replace(world.writes, infra=replace(world.infra, rotation=quick))
    action = validator_rotation(world)
    receipt = await world.run(action)
    assert ended(receipt)["Attestation seen"] is Outcome.UNKNOWN
    assert ended(receipt)["Revoke the old on chain"] is Outcome.NOT_BEGUN

    world.writes = working
    assert (await world.run(undo(action, receipt))).complete
    assert world.rotation.keys
    old = await world.rotation.keys.described(action.old)
    assert await world.views.number("BLE_BRIDGE", "validators(uint256)", 1) == int(old.address, 16)
    assert (await world.infra.cluster.look(action.validator)).env["KMS_KEY_ID"] == action.old


async def test_a_compromised_validators_key_is_revoked_first(world_with_kms: World) -> None:
    world = world_with_kms
    receipt = await world.run(validator_rotation(world, compromised=True))
    assert receipt.complete, receipt
    assert list(ended(receipt))[:2] == ["Pause the bridge", "Revoke the old on chain"]


# --- The Canton token ------------------------------------------------------------------------------------------------


async def test_the_canton_token_comes_from_the_admin_api_and_everything_is_restarted(world: World) -> None:
    old = await world.rotation.secrets.fact(CANTON_TOKEN)
    journal = Mortal("token")
    receipt = await world.run(RotateCantonToken(old=old), journal)
    value = world.secret("canton-token", "canton_token")
    assert receipt.complete, receipt
    assert [name for name in ended(receipt) if name.startswith("Restart")] == [
        f"Restart {name}" for name in world.infra.cluster.names
    ]
    everything: list[Any] = [receipt.model_dump_json(), repr(journal.finished), *world.told]
    assert (value.count("."), any(value in text for text in everything)) == (2, False)


async def test_a_token_is_rolled_back_to_the_one_that_was_there(world: World, cluster: Cluster) -> None:
    value = world.secret("canton-token", "canton_token")
    action = RotateCantonToken(old=await world.rotation.secrets.fact(CANTON_TOKEN))
    await cluster.inflict({"fault": "forbidden", "verb": "patch", "resource": "deployments"})
    stopped = await world.run(action)
    assert ended(stopped)["New token in the Secret"] is Outcome.DONE
    assert not stopped.complete

    await cluster.mend()
    receipt = await world.run(undo(action, stopped))
    assert receipt.complete, receipt
    assert world.secret("canton-token", "canton_token") == value


async def test_a_compromised_token_is_refused_by_the_ledger_before_there_is_another(
    world: World, ledger: Ledger
) -> None:
    old = await world.rotation.secrets.fact(CANTON_TOKEN)
    receipt = await world.run(RotateCantonToken(old=old, compromised=True, mark="5e7a"), Mortal("stolen"))
    assert receipt.complete, receipt
    assert list(ended(receipt))[:3] == ["Pause the bridge", "Revoke the old token", "New token in the Secret"]
    assert world.writes.pause
    assert await world.writes.pause.paused("BLE_BRIDGE") is True
    assert await refusal(ledger.url, SecretStr(services_token())) == "HTTP 403"
    assert await refusal(ledger.url, SecretStr(world.secret("canton-token", "canton_token"))) == ""
    assert ledger.access.users[f"{SERVICES}-5e7a"] == ledger.access.users[SERVICES]
    assert world.keys_of("canton-token") == {"canton_token"}


async def test_without_the_admins_token_people_revoke_and_it_goes_on_when_the_ledger_refuses_the_old_one(
    world: World, ledger: Ledger
) -> None:
    by_people = replace(world.rotation, users=None)
    world.writes = replace(world.writes, infra=replace(world.infra, rotation=by_people))
    action = RotateCantonToken(old=await world.rotation.secrets.fact(CANTON_TOKEN), compromised=True)
    stopped = await world.run(action)
    assert ended(stopped)["Revoke the old token"] is Outcome.HANDED
    assert world.secret("canton-token", "canton_token") == services_token()

    ledger.access.deactivated.add(SERVICES)
    went_on = await world.run(action)
    assert ended(went_on)["Revoke the old token"] is Outcome.DONE
    assert "The ledger does not take the new token: HTTP 403." in went_on.steps[2].text
