"""Commands to Canton's ledger: in the name of the bot's one guardian party, and of the operator where configured."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bot.adapters.ledger import CantonLedger
from bot.adapters.ledger_api import LedgerApi
from bot.domain.canton import SERVICES, Answer, Command, Party
from bot.errors import RefusedError, UnavailableError

_SUBMIT = "/v2/commands/submit-and-wait-for-transaction"
_OK, _SERVER_ERROR = 200, 500
_CONTENTION, _TRANSIENT, _DEADLINE = 2, 1, 4
"""Canton's error categories: lost a race; the server's own trouble; no answer in its time."""
_PATIENCE = 15.0
"""Seconds for one command: a transaction passes several systems before it is answered."""


class CantonWrites(CantonLedger):
    """Fulfils `ports.LedgerWrites`. Reads with the guardian's own user, so that it sees what it votes on."""

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        guardian_token: SecretStr,
        operator_token: SecretStr,
        package: str,
        services: Sequence[str] = SERVICES,
    ) -> None:
        """Speak to one participant.

        Args:
            url: its base.
            token: the user that reads.
            guardian_token: the user that may act as the bot's guardian party; empty: it has none.
            operator_token: the user that may act as the operator; empty: those commands are handed over.
            package: the package's name in template ids.
            services: the templates whose `paused` counts, as Module:Template.
        """
        super().__init__(url, token, package=package, services=services)
        made = {Party.GUARDIAN: guardian_token, Party.OPERATOR: operator_token}
        self._acting = {
            party: LedgerApi(url, one, package=package, timeout=_PATIENCE)
            for party, one in made.items()
            if one.get_secret_value()
        }

    @property
    def acts_as_operator(self) -> bool:
        """Whether there is a token for it."""
        return Party.OPERATOR in self._acting

    async def guardian(self) -> str:
        """The party among the governors that the guardian's user may act as."""
        api = self._acting.get(Party.GUARDIAN)
        if api is None:
            raise RefusedError(
                "The bot holds no guardian party on Canton.",
                means="It can't propose or vote there.",
                next_step="Set MUSD_LEDGER_GUARDIAN_TOKEN, or submit the proposal as one of the guardians.",
            )
        governors = set((await self.governance()).governors)
        mine = sorted(governors & set(await api.parties("CanActAs")))
        if len(mine) == 1:
            return mine[0]
        count = "none" if not mine else f"{len(mine)}"
        raise RefusedError(
            f"The bot's Canton user may act as {count} of the guardian parties; it has to be exactly one.",
            means="Nothing is sent in any guardian's name.",
            next_step="Correct the rights of the user behind MUSD_LEDGER_GUARDIAN_TOKEN.",
        )

    async def submit(self, command: Command, command_id: str) -> Answer:
        """Send a command once, and say what became of it."""
        api = self._acting.get(command.by)
        if api is None:
            raise RefusedError(f"The bot may not act as Canton's {command.by}.")
        party = await self.guardian() if command.by is Party.GUARDIAN else (await self.governance()).operator
        body = {"commands": {"commandId": command_id, "actAs": [party], "commands": [_json(command, api)]}}
        try:
            status, said = await api.ask("POST", _SUBMIT, body)
        except UnavailableError:
            return Answer.LOST
        if status == _OK:
            return Answer.DONE
        return _answer(status, said) or _raise(api.trouble(status, said))

    async def close(self) -> None:
        """Close the connections."""
        await super().close()
        for api in self._acting.values():
            await api.close()


def _json(command: Command, api: LedgerApi) -> Mapping[str, Any]:
    template = api.template_id(command.template)
    if not command.contract_id:
        return {"CreateCommand": {"templateId": template, "createArguments": dict(command.argument)}}
    return {
        "ExerciseCommand": {
            "templateId": template,
            "contractId": command.contract_id,
            "choice": command.choice,
            "choiceArgument": dict(command.argument),
        }
    }


def _answer(status: int, said: Any) -> Answer | None:
    """What a refusal means for the caller; None where it is a refusal for good, or of the person asking."""
    code = said.get("code") if isinstance(said, Mapping) else None
    category = said.get("errorCategory") if isinstance(said, Mapping) else None
    if code == "DUPLICATE_COMMAND":
        return Answer.DUPLICATE
    # The contract's id changes with every vote: one that is gone was used by somebody who was faster.
    if category == _CONTENTION or code == "CONTRACT_NOT_FOUND":
        return Answer.CONTENDED
    return Answer.LOST if category in {_TRANSIENT, _DEADLINE} or status >= _SERVER_ERROR else None


def _raise(error: Exception) -> Answer:
    raise error
