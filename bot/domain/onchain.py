"""Calls that only an admin of a contract may make: unpausing, roles, key rotation. As data, with how to see them done.

The same data is sent by the bot where it has the key for it, and handed over to people where it has not.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

Argument = str | int
"""An address or 32 bytes as 0x-prefixed hex, or a number."""


class Check(BaseModel):
    """A view of the contract, and the answer that proves a call has happened."""

    model_config = ConfigDict(frozen=True)

    signature: str
    arguments: tuple[Argument, ...] = ()
    wanted: int | None
    """The number it answers then (a bool is 0 or 1, an address its number); None where any but zero is proof."""
    at_most: bool = False
    """Whether a smaller number is proof as well."""

    def holds(self, answer: int) -> bool:
        """Whether this answer is the proof."""
        if self.wanted is None:
            return answer != 0
        return answer <= self.wanted if self.at_most else answer == self.wanted


class OnchainStep(BaseModel):
    """One call, worked out: where to, what it changes, and its proof."""

    model_config = ConfigDict(frozen=True)

    contract: str
    """The setting's name, such as ``SMUSD``."""
    name: str
    """The contract's own, for people."""
    signature: str
    """Such as ``unpause()``."""
    arguments: tuple[Argument, ...] = ()
    does: str
    """What changes for users, in words."""
    proof: Check
    named: Mapping[str, str] = {}
    """Names of arguments that say nothing by themselves, such as a role's."""
    behind_timelock: bool = False
    """Whether the protocol's timelock may make this call: a second way to hand it over."""

    @property
    def spelt(self) -> str:
        """The call for people: ``unpause()``, ``updateRelayer(0x12…)``, ``revokeRole(RELAYER_ROLE, 0x12…)``."""
        said = (self.named.get(str(one), str(one)) for one in self.arguments)
        return f"{self.signature.partition('(')[0]}({', '.join(said)})"


def number(address: str) -> int:
    """An address as the number a view answers it with."""
    return int(address, 16)
