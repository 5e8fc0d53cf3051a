"""Supply Cap Breach, resolution step 4, on Ethereum: another cap, or the excess burnt. Always handed over, never sent.

Both change what mUSD is worth, so no key of the bot's is meant to make these calls; the bot plans them, hands them over
once they are approved, and watches the chain until they have happened.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from bot.actions import onchain
from bot.actions.onchain import Words
from bot.domain.action import Action
from bot.domain.onchain import Check, OnchainStep
from bot.domain.policy import SUPPLY, Policy
from bot.ports import ContractViews

_TOKEN = "MUSD"  # noqa: S105 - a contract's name
_ADDRESS = r"^0x[0-9a-fA-F]{40}$"
_WORDS = Words(handed_always="what mUSD is worth hangs on it, so no key of the bot's sends it")


class SetSupplyCap(Action):
    """Allow so much mUSD, on Ethereum and Canton together."""

    kind: ClassVar[str] = "supply-cap"
    policy: ClassVar[Policy] = SUPPLY

    cap: Decimal = Field(gt=0)
    """In mUSD."""

    @property
    def title(self) -> str:
        """``Set the supply cap to 40,000,000 mUSD``."""
        return f"Set the supply cap to {self.cap:,f} mUSD"


class BurnExcess(Action):
    """Burn a holder's mUSD until no more than this exists on Ethereum."""

    kind: ClassVar[str] = "supply-burn"
    policy: ClassVar[Policy] = SUPPLY

    down_to: Decimal = Field(gt=0)
    """The supply on Ethereum afterwards, in mUSD."""
    holder: str = Field(pattern=_ADDRESS)
    """Whose."""

    @property
    def title(self) -> str:
        """``Burn mUSD of 0x12… down to a supply of 39,000,000``."""
        return f"Burn mUSD of {self.holder} down to a supply of {self.down_to:,f} on Ethereum"


async def _cap(action: Action, views: ContractViews) -> Sequence[OnchainStep]:
    if not isinstance(action, SetSupplyCap):
        raise TypeError(f"{type(action).__name__} sets no cap")
    cap = await _units(action.cap, views)
    return [
        OnchainStep(
            contract=_TOKEN,
            name="MUSD",
            signature="setSupplyCap(uint256)",
            arguments=(cap,),
            does=f"at most {action.cap:,f} mUSD may exist, on Ethereum and Canton together",
            proof=Check(signature="supplyCap()", wanted=cap),
        )
    ]


async def _burn(action: Action, views: ContractViews) -> Sequence[OnchainStep]:
    """The amount is what is too much at the moment: where that changes before it runs, nothing runs."""
    if not isinstance(action, BurnExcess):
        raise TypeError(f"{type(action).__name__} burns nothing")
    down_to = await _units(action.down_to, views)
    excess = max(0, await views.number(_TOKEN, "totalSupply()") - down_to)
    return [
        OnchainStep(
            contract=_TOKEN,
            name="MUSD",
            signature="burn(address,uint256)",
            arguments=(action.holder, excess),
            does=f"{action.holder} loses what exists above {action.down_to:,f} mUSD on Ethereum",
            proof=Check(signature="totalSupply()", wanted=down_to, at_most=True),
        )
    ]


async def _units(amount: Decimal, views: ContractViews) -> int:
    return int(amount * 10 ** await views.number(_TOKEN, "decimals()"))


HOWS = (onchain.how(SetSupplyCap, _cap, _WORDS), onchain.how(BurnExcess, _burn, _WORDS))
