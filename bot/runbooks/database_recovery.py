"""Database Recovery: the PostgreSQL that holds the Canton ledger."""

from bot.actions.backup import BackUp
from bot.actions.restart import Restart
from bot.domain.oncall import OnCallRole
from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.signal import Severity
from bot.probes import cluster, database

RUNBOOK = Runbook(
    key="database-recovery",
    title="Database Recovery",
    section="Database Recovery",
    alerts=(),
    near=("PostgresDown", "PVCNearlyFull"),
    severity=Severity.CRITICAL,
    role=OnCallRole.INFRASTRUCTURE,
    impact="The Canton ledger's data is at risk, or can't be reached: everything on Canton stands still without it.",
    probes=(
        cluster.pods(database.APP, title="PostgreSQL pods"),
        database.ready(),
        database.claims(),
        database.disk(),
        database.connections(),
        database.backup(),
        database.replication(),
        cluster.recent_errors(database.APP, tail=100),
    ),
    resolutions=(
        Resolution(
            "",
            "Space: the disk is nearly full",
            when=database.full,
            do="Take a backup first, while there is room for it elsewhere. Then enlarge the volume claim.",
            offer=(BackUp(),),
        ),
        Resolution(
            "",
            "Restore: the database does not answer",
            when=database.down,
            do=(
                "See whether its pod comes back by itself. If its data is damaged: stop the participant, back up what "
                "is there, restore the newest backup, start the participant, verify. /musd database lists what there "
                "is and proposes exactly that."
            ),
        ),
        Resolution(
            "",
            "Connections are used up",
            when=database.crowded,
            do="Find out who holds them (pg_stat_activity); restarting the participant lets go of its own.",
            offer=(Restart(deployment="canton-participant"),),
        ),
        Resolution(
            "",
            "A backup is overdue: take one now",
            when=database.overdue,
            do="Take a backup now, then mend whatever takes them every day.",
            offer=(BackUp(),),
        ),
        Resolution(
            "",
            "A replica is behind",
            when=database.behind,
            do=(
                "Don't fail over to it: what it lacks would be lost. See whether its pod runs, whether its disk is "
                "full, and what its log says of the primary; then watch the lag shrink."
            ),
        ),
    ),
    # Not the log: it still holds the errors of before. A replica that nobody has is OK.
    healthy=all_ok(
        f"pods:{database.APP}",
        "database:ready",
        "database:disk",
        "database:connections",
        "database:backup",
        "database:replication",
    ),
    recovered="The database answers, has room and connections left, and a fresh backup.",
)
