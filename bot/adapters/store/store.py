"""The Store port over SQLite or PostgreSQL: `bot.ports.Store`, put together from its parts."""

from bot.adapters.store.database import open_engine
from bot.adapters.store.duties import DutyRows
from bot.adapters.store.factors import FactorRows
from bot.adapters.store.incidents import IncidentRows
from bot.adapters.store.proposals import ProposalRows
from bot.adapters.store.record import RecordRows
from bot.adapters.store.requests import RequestRows
from bot.adapters.store.samples import SampleRows
from bot.adapters.store.signals import SignalRows


class SqlStore(SignalRows, IncidentRows, DutyRows, ProposalRows, FactorRows, RequestRows, RecordRows, SampleRows):
    """The state of record. Each method is one transaction, and may raise `UnavailableError`; `close` it at the end."""

    def __init__(self, url: str) -> None:
        """For a database that `migrate` has brought up to date; connects when first used.

        Args:
            url: ``postgresql://…`` or ``sqlite:///path``, as operators write it.
        """
        super().__init__(open_engine(url))
