"""Who relays and who validates, on the bridge contract: the calls that put one address in another's place.

A deployment has `updateRelayer` and `updateValidator`, as the runbook says, or it has roles alone: then the new address
is granted one, and the old one's is revoked.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from bot.actions.bridge import BRIDGE
from bot.actions.pause import contract_name
from bot.domain.onchain import Check, OnchainStep, number
from bot.errors import RefusedError, RevertedError
from bot.ports import ContractViews

RELAYER, VALIDATOR = "RELAYER_ROLE()", "VALIDATOR_ROLE()"
_VALIDATORS_AT_MOST = 16


class Replacement(BaseModel):
    """The calls of one change of address."""

    model_config = ConfigDict(frozen=True)

    grant: OnchainStep
    revoke: OnchainStep


async def relayer(views: ContractViews) -> str:
    """The present relayer's address; empty where the contract does not tell."""
    try:
        return f"0x{await views.number(BRIDGE, 'relayer()'):040x}"
    except RevertedError:
        return ""


async def of_relayer(views: ContractViews, old: str, new: str) -> Replacement:
    """The relayer's."""
    if await relayer(views):
        proof = Check(signature="relayer()", wanted=number(new))
        grant = _call("updateRelayer(address)", (new,), f"{new} relays, {old} no longer does", proof)
    else:
        grant = await _granted(views, RELAYER, new)
    return Replacement(grant=grant, revoke=await _revoked(views, RELAYER, old))


async def of_validator(views: ContractViews, old: str, new: str) -> Replacement:
    """A validator's.

    Raises:
        RefusedError: neither address is one of the bridge's validators.
    """
    index = await _index(views, old, new)
    if index is None:
        grant = await _granted(views, VALIDATOR, new)
    else:
        proof = Check(signature="validators(uint256)", arguments=(index,), wanted=number(new))
        does = f"{new} attests as validator {index}, {old} no longer does"
        grant = _call("updateValidator(uint256,address)", (index, new), does, proof)
    return Replacement(grant=grant, revoke=await _revoked(views, VALIDATOR, old))


async def _index(views: ContractViews, old: str, new: str) -> int | None:
    """The validator's place; None where the contract keeps no list."""
    for index in range(_VALIDATORS_AT_MOST):
        try:
            there = await views.number(BRIDGE, "validators(uint256)", index)
        except RevertedError:
            break
        if there in {number(old), number(new)}:
            return index
    else:
        index = _VALIDATORS_AT_MOST
    if index == 0:
        return None
    raise RefusedError(
        f"{old} is none of the bridge's {index} validators.",
        means="Nothing was changed.",
        next_step="Check VALIDATOR_KMS_KEY_IDS: it has to name the key that the validator signs with now.",
    )


async def _granted(views: ContractViews, role: str, new: str) -> OnchainStep:
    identity = await _role(views, role)
    proof = Check(signature="hasRole(bytes32,address)", arguments=(identity, new), wanted=1)
    name = role.removesuffix("()")
    return _call("grantRole(bytes32,address)", (identity, new), f"{new} gets {name}", proof, {identity: name})


async def _revoked(views: ContractViews, role: str, old: str) -> OnchainStep:
    identity = await _role(views, role)
    proof = Check(signature="hasRole(bytes32,address)", arguments=(identity, old), wanted=0)
    name = role.removesuffix("()")
    return _call("revokeRole(bytes32,address)", (identity, old), f"{old} loses {name}", proof, {identity: name})


async def _role(views: ContractViews, role: str) -> str:
    return f"0x{await views.number(BRIDGE, role):064x}"


def _call(
    signature: str, arguments: tuple[str | int, ...], does: str, proof: Check, named: Mapping[str, str] | None = None
) -> OnchainStep:
    return OnchainStep(
        contract=BRIDGE,
        name=contract_name(BRIDGE),
        signature=signature,
        arguments=arguments,
        does=does,
        proof=proof,
        named=named or {},
    )
