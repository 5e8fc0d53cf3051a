"""Canton Participant Down: everything on Canton stands still."""

from bot.actions.restart import Restart
from bot.domain.oncall import OnCallRole
from bot.domain.runbook import Resolution, Runbook, all_ok, any_of
from bot.domain.signal import Severity
from bot.probes import cluster, database, ledger

APP = "canton-participant"

RUNBOOK = Runbook(
    key="canton-participant-down",
    title="Canton Participant Down",
    section="Canton Participant Down",
    alerts=("CantonParticipantDown",),
    severity=Severity.CRITICAL,
    role=OnCallRole.INFRASTRUCTURE,
    impact="All operations on Canton are halted.",
    probes=(
        cluster.pods(APP, title="Participant"),
        cluster.recent_errors(APP, tail=200),
        cluster.warnings(APP),
        ledger.live(),
        ledger.reachable(),
        database.ready(),
        database.disk(),
        cluster.policies(),
    ),
    resolutions=(
        # A participant that dies of its database dies again after a restart, so what it stands on comes first.
        Resolution(
            "",
            "The database's disk is full: make room before any restart",
            when=database.full,
            do="Enlarge the volume claim, or clear what may go; take a backup first. /musd diagnose database-recovery",
        ),
        Resolution(
            "",
            "The database does not answer: bring PostgreSQL back first",
            when=database.down,
            do="The participant can't live without it. /musd diagnose database-recovery; then restart the participant.",
        ),
        Resolution(
            "",
            "A network policy is gone: put it back",
            when=cluster.policy_missing,
            do="Apply the missing NetworkPolicy again; the participant and its clients find each other by themselves.",
        ),
        Resolution(
            "",
            "Restart the participant, and read its log",
            when=any_of(cluster.crash_looping, cluster.not_ready, ledger.unready),
            do="Restart it. If it dies again, it is its database, its disk or the network.",
            offer=(Restart(deployment=APP),),
        ),
        Resolution(
            "",
            "Network: the pod runs, and nobody reaches it",
            when=ledger.down,
            do="Check the way between the bot and the participant: its address, NetworkPolicies, the load balancer.",
        ),
    ),
    # Not the log: it still holds the errors of before.
    healthy=all_ok(f"pods:{APP}", "ledger:live", "ledger:ready", "database:ready"),
    recovered="The participant serves again. See that the relay and the validators are back too.",
)
