"""Validator Down / Quorum Loss: the bridge needs two of its three validators to attest anything."""

from bot.actions.pause import PAUSE_ALL
from bot.actions.restart import RestartSome
from bot.domain.action import Action
from bot.domain.oncall import OnCallRole
from bot.domain.probe import Findings
from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.signal import Severity
from bot.probes import cluster, ledger, validators


def _restart_those_down(findings: Findings) -> tuple[Action, ...]:
    """Which ones are down is known only once everybody was asked."""
    failed = validators.failed(findings)
    return (RestartSome(deployments=failed),) if failed else ()


RUNBOOK = Runbook(
    key="validator-down",
    title="Validator Down / Quorum Loss",
    section="Validator Down / Quorum Loss",
    alerts=("ValidatorServiceDown",),
    near=("BridgeAttestationBacklog", "BridgeAttestationStale"),
    severity=Severity.CRITICAL,
    role=OnCallRole.INFRASTRUCTURE,
    impact="With two or more of the three validators down, the bridge's attestations can't reach their quorum.",
    probes=(
        validators.pods(),
        validators.heartbeats(),
        validators.kms(),
        cluster.recent_errors("musd-validator", tail=100),
        ledger.reachable(),
        cluster.policies(),
    ),
    resolutions=(
        Resolution(
            "3",
            "All three validators are down: emergency pause",
            when=validators.down(3),
            do="Pause everything, then bring the validators back.",
            offer=(PAUSE_ALL,),
            offering=_restart_those_down,
        ),
        Resolution(
            "2",
            "Two validators are down: attestations are blocked, restart them now",
            when=validators.down(2),
            do=(
                "Restart the validators named above at once: kubectl -n musd rollout restart deployment/NAME. A KMS "
                "fault: AWS service health and IAM permissions. Canton: NetworkPolicies and the participant."
            ),
            offering=_restart_those_down,
        ),
        Resolution(
            "2",
            "The quorum is not proven: find out about the silent ones before you rely on it",
            when=validators.unproven,
            do="Ask the silent ones by hand (pods, heartbeat, KMS), and act as if two were down until they answer.",
        ),
        Resolution(
            "1",
            "One validator is down: fix at normal priority",
            when=validators.down(1),
            do="The bridge goes on with two of three. Restart the one named above in working hours; watch the others.",
            severity=Severity.MEDIUM,
            offering=_restart_those_down,
        ),
    ),
    # A KMS the bot may not ask, or the log of before, is no reason to hold an incident open.
    healthy=all_ok("pods:musd-validator", "validators:heartbeat"),
    recovered="All three are ready and write their heartbeat: the file's age is the runbook's verification.",
)
