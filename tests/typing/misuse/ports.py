"""Reading hands that write, and a pausing key that does more: each marked line must not type-check."""

from collections.abc import Mapping
from typing import Any

from bot.actions.pause import EmergencyPause
from bot.domain.action import Action, Plan, Receipt
from bot.domain.amounts import Amount
from bot.domain.canton import Command
from bot.domain.policy import PAUSE
from bot.domain.probe import Finding, Probe, ok
from bot.domain.runbook import Runbook
from bot.domain.signal import Severity
from bot.ports import Call, Change, How, Journal, PauseChain, Reads, Writes


async def restart_through_the_cluster_port_of_probes(reads: Reads) -> None:
    await reads.cluster.change("musd-relay", Change(replicas=0))  # E: attr-defined


async def command_the_ledger_through_the_port_of_probes(reads: Reads, command: Command) -> None:
    await reads.ledger.submit(command, "c1")  # E: attr-defined


async def sign_through_the_chain_port_of_probes(reads: Reads, call: Call) -> None:
    await reads.chain.sign([call])  # E: attr-defined


async def pause_through_the_port_of_probes(reads: Reads) -> None:
    reads.pause.call("SMUSD")  # E: attr-defined


def give_a_reader_another_port(reads: Reads, writes: Writes) -> None:
    reads.ledger = writes.ledger  # E: misc, assignment


async def _restarting(writes: Writes) -> Finding:
    if writes.infra is not None:
        await writes.infra.cluster.change("musd-relay", Change(replicas=0))
    return ok("restarted it to see whether that helps")


async def hand_a_probe_the_write_ports(probe: Probe[Reads], writes: Writes) -> None:
    await probe.run(writes)  # E: arg-type


def put_a_writing_probe_in_a_runbook() -> Runbook[Reads]:
    return Runbook(
        key="relay-down",
        title="Relay Service Down",
        section="Relay Service Down",
        alerts=("RelayServiceDown",),
        severity=Severity.CRITICAL,
        impact="none",
        probes=(Probe("relay", "Relay", _restarting),),  # E: arg-type
    )


def loosen_a_policy_in_a_runbook() -> Runbook[Reads]:
    return Runbook("k", "t", "s", (), Severity.INFO, "i", (), policy=PAUSE)  # E: call-arg


def loosen_a_policy_on_an_action() -> EmergencyPause:
    return EmergencyPause(contracts=("SMUSD",), policy=PAUSE)  # E: call-arg


def change_an_actions_policy(pause: EmergencyPause) -> None:
    pause.policy = PAUSE  # E: misc


def unpause_with_the_pausing_key(chain: PauseChain) -> Call:
    return chain.call("SMUSD", "unpause()")  # E: call-arg


def use_an_admin_key_that_may_not_be_there(writes: Writes) -> Call:
    return writes.admin.call("SMUSD", "unpause()")  # E: union-attr


async def _run_action(action: Action, _: Writes, __: Journal) -> Receipt:
    raise NotImplementedError(action)


async def _binding(_: Action, __: Writes) -> Mapping[str, Any]:
    raise NotImplementedError


async def _plan(_: Action, __: Writes) -> Plan:
    raise NotImplementedError


def register_an_action_that_runs_without_an_approval() -> How:
    return How(kind=EmergencyPause, binding=_binding, plan=_plan, run=_run_action)  # E: arg-type


def add_amounts_of_unknown_decimals(amount: Amount) -> object:
    return amount + 1  # E: operator
