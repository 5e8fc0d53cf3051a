"""Relay Service Down: the bridge relay no longer answers, so nothing mints, redeems or attests."""

from datetime import timedelta

from bot.actions.pause import PAUSE_ALL
from bot.actions.restart import RaiseMemory, Restart
from bot.domain.oncall import OnCallRole
from bot.domain.runbook import Escalation, Resolution, Runbook, all_ok, any_of
from bot.domain.signal import Severity
from bot.probes import chain, cluster, http, ledger

_RESTART = Restart(deployment="musd-relay")

RUNBOOK = Runbook(
    key="relay-down",
    title="Relay Service Down",
    section="Relay Service Down",
    alerts=("RelayServiceDown",),
    severity=Severity.CRITICAL,
    role=OnCallRole.INFRASTRUCTURE,
    impact="Bridge operations are halted: no mints, redemptions or attestations.",
    probes=(
        cluster.pods("musd-relay"),
        cluster.memory("musd-relay"),
        cluster.recent_errors("musd-relay", tail=100),
        cluster.warnings("musd-relay"),
        http.relay_health(),
        cluster.reaches("musd-relay", "canton", "Canton"),
        cluster.reaches("musd-relay", "ethereum", "Ethereum"),
        ledger.reachable(),
        chain.head_is_fresh(),
    ),
    resolutions=(
        # A container that was killed for memory also backs off, so the cause is looked for before the symptom.
        Resolution(
            "2",
            "OOMKilled: raise the memory limit",
            when=cluster.oom_killed,
            do="Raise the relay's memory limit in its deployment (or docker-compose file), then restart it.",
            offer=(RaiseMemory(deployment="musd-relay"), _RESTART),
        ),
        Resolution(
            "1",
            "CrashLoopBackOff: start-up error",
            when=cluster.crash_looping,
            do="Mend what the log names (a missing secret or a bad setting, as a rule), then restart the relay.",
            offer=(_RESTART,),
        ),
        Resolution(
            "3",
            "Connectivity: Canton or Ethereum not reachable",
            when=any_of(cluster.cut_off, ledger.down, chain.down),
            do=(
                "Canton: its host, the participant, the NetworkPolicy allow-canton. Ethereum: the RPC URL in its "
                "configuration, allow-ethereum. Reachable from here and not from the pod is the pod's network (with "
                "docker-compose, its container's)."
            ),
        ),
        Resolution(
            "4",
            "Restart the relay",
            when=any_of(cluster.not_ready, http.unhealthy),
            do=(
                "kubectl -n musd rollout restart deployment/musd-relay, or with docker-compose: docker compose -f "
                "relay/docker-compose.yml restart relay"
            ),
            offer=(_RESTART,),
        ),
    ),
    # Not the log: it still holds the errors of before when the relay is well again.
    healthy=all_ok("pods:musd-relay", "relay:health", "ledger:ready", "chain:head"),
    escalation=Escalation(
        after=timedelta(minutes=15),
        unless=all_ok("pods:musd-relay", "relay:health"),
        text="if the relay has not recovered, the emergency pause is offered and the page goes up a level",
        offer=(PAUSE_ALL,),
    ),
    again="Healthy again: the relay runs and answers",
    recovered="Step 5: /health answers 200. Watch it for a few minutes before you call it over.",
)
