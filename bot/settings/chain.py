"""Ethereum: the RPCs, the contracts, what is read of them, and the keys that pause."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field, model_validator

from bot.settings.kinds import Keystore, Names, Seconds, Secrets, address_of, pair, runbook_name


class ChainSettings(BaseModel):
    """Ethereum: the RPCs, the contracts, what is read of them, and the keys that pause."""

    rpc_urls: Secrets = Field(description="Ethereum RPC URLs, separated by commas; the first is asked first.")
    chain_id: int = Field(gt=0, description="The chain every RPC and every signature is held to, such as 1.")
    borrow_module: str = address_of("BORROW_MODULE", "BorrowModule's address.")
    smusd: str = address_of("SMUSD", "SMUSD's address.")
    direct_mint: str = address_of("DIRECT_MINT", "DirectMintV2's address.")
    ble_bridge: str = address_of("BLE_BRIDGE", "BLEBridgeV9's address.")
    musd: str = address_of("MUSD", "MUSD's address.")
    treasury: str = address_of("TREASURY", "The Treasury's address.")
    price_oracle: str = address_of("PRICE_ORACLE", "The price oracle's address.")
    collateral_token: str = address_of("COLLATERAL_TOKEN", "The collateral whose price the oracle is asked for.")
    timelock: str = address_of("TIMELOCK", "The timelock controller's, where one may unpause or set the cap.")
    price_reads: Names = Field(
        default=("getLatestPrice(address)", "getPrice(address)"),
        description="Views of PRICE_ORACLE that answer the collateral's price, 18 decimals; the first there is counts.",
    )
    reserve_reads: Names = Field(
        default=("totalAssets()", "totalValueNet()", "totalValue()"),
        description="Views of TREASURY that answer the reserves, in their token's decimals; the first there is counts.",
    )
    cap_reads: Names = Field(
        default=("DIRECT_MINT.supplyCap()", "MUSD.supplyCap()"),
        description="Contracts and views that answer the supply cap, in mUSD's decimals; the first there is counts.",
    )
    price_max_age: Seconds = Field(
        default=timedelta(hours=1),
        description="Seconds after which an oracle price is stale (Oracle Price Feed Stale).",
    )
    block_max_age: Seconds = Field(
        default=timedelta(seconds=60), description="Seconds after which the chain's head counts as stuck."
    )
    keystore: Keystore = Field(default=None, description="Foundry keystore of the pausing key; none: hand over only.")
    keystore_password_file: Keystore = Field(default=None, description="A file that holds the keystore's password.")
    kms_key_id: str = Field(
        default="", description="Instead of a keystore: the pausing key in AWS KMS, by id, alias/… or ARN."
    )
    kms_endpoint: str = Field(default="", description="Another KMS, only in the drill.")
    aws_region: str = Field(
        default="", validation_alias=runbook_name("AWS_REGION"), description="Where the KMS keys and buckets are."
    )
    unpause_keystore: Keystore = Field(
        default=None, description="A second key, for unpausing and roles; none, the default: those are handed over."
    )
    unpause_keystore_password_file: Keystore = Field(default=None, description="A file that holds its password.")
    pause_contracts: Names = Field(
        default=("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE"),
        description="The contracts of the emergency pause, in this order; the runbook's four when unset.",
    )
    other_contracts: Names = Field(
        default=(),
        description="More contracts that have a pause of their own, by name and address; name them in "
        "MUSD_PAUSE_CONTRACTS too.",
        examples=["LIQUIDATION_ENGINE=0x" + "12" * 20],
    )
    pause_calls: Names = Field(
        default=(),
        description="Where a contract's pause isn't called pause(): its name and the call, without arguments.",
        examples=["LIQUIDATION_ENGINE=emergencyStop()"],
    )
    pause_sets: Names = Field(
        default=("mints=DIRECT_MINT", "staking=SMUSD", "borrowing=BORROW_MODULE", "bridge=BLE_BRIDGE"),
        description="Parts of the pause that have a name (`/musd pause mints`): contracts joined by +; `all` is "
        "always everything.",
    )
    readiness_every: Seconds = Field(
        default=timedelta(seconds=12),
        gt=timedelta(0),
        description="Seconds between two looks at whether a pause could be sent now; a block's length.",
    )
    max_fee_gwei: int = Field(default=500, gt=0, description="Never offer more than this per gas, in gwei.")

    @model_validator(mode="after")
    def _keys_are_whole(self) -> Self:
        for name in ("keystore", "unpause_keystore"):
            if getattr(self, name) and not getattr(self, f"{name}_password_file"):
                raise ValueError(f"MUSD_{name.upper()} is set, so MUSD_{name.upper()}_PASSWORD_FILE must be too")
        if self.keystore and self.kms_key_id:
            raise ValueError("MUSD_KEYSTORE and MUSD_KMS_KEY_ID are both set; the pausing key is one of them")
        return self

    @model_validator(mode="after")
    def _pauses_are_of_known_contracts(self) -> Self:
        for name, address in map(pair, self.other_contracts):
            if not re.fullmatch("0x[0-9a-fA-F]{40}", address):
                raise ValueError(f"MUSD_OTHER_CONTRACTS: {name} has no address")
        for name, call in map(pair, self.pause_calls):
            if not re.fullmatch(r"\w+\(\)", call) or name not in self.pause_contracts:
                raise ValueError(f"MUSD_PAUSE_CALLS: {name}={call} is no call without arguments of a paused contract")
        for name, members in map(pair, self.pause_sets):
            if unknown := set(members.split("+")) - set(self.pause_contracts):
                raise ValueError(f"MUSD_PAUSE_SETS: {name} names {', '.join(sorted(unknown))}, not in the pause")
        return self

    @property
    def contracts(self) -> Mapping[str, str]:
        """Address by setting name, of every contract that is configured."""
        names = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE", "MUSD", "TREASURY", "PRICE_ORACLE", "TIMELOCK")
        known = {name: address for name in names if (address := getattr(self, name.lower()))}
        return known | dict(pair(one) for one in self.other_contracts)

    @property
    def pausable(self) -> tuple[str, ...]:
        """The contracts of the emergency pause that have an address, in order."""
        return tuple(name for name in self.pause_contracts if name in self.contracts)

    @property
    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """The named parts of the emergency pause, and ``all``: contracts that have an address, in order."""
        named = {name: set(members.split("+")) for name, members in map(pair, self.pause_sets)}
        parts = {name: tuple(one for one in self.pausable if one in members) for name, members in named.items()}
        return parts | {"all": self.pausable}

    @property
    def calls(self) -> Mapping[str, str]:
        """By contract: its pause call, where it isn't ``pause()``."""
        return dict(map(pair, self.pause_calls))
