"""Who is who on the practice chain. The keys are derived from these names and worth nothing anywhere else."""

import json
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from bot.drill.aws import backend as aws

ADMIN = "practice admin"
"""Deployed everything, holds every role, breaks and mends."""
PAUSER = "pausing key"
"""The bot's key: it can pause, and nothing else."""
UNPAUSER = "unpause key"
"""The bot's second signer in the drill: admin of the four contracts of the pause list."""
FEEDER = "price feeder"
USER = "user"
"""Holds most of the mUSD: mints, borrows, stakes."""
STRATEGIST = "strategist"
"""Pays yield into smUSD and takes losses out of it."""
BREACHER = "breacher"
"""Gets what a practised breach of the supply cap mints."""
ATTACKER = "attacker"
RELAYER = "relayer"
VALIDATORS = tuple(plan.name for plan in aws.VALIDATORS)
"""The bridge's validators sign with the keys the practice KMS holds."""
KMS_PAUSER = aws.PAUSER.name
"""May pause as well: the same role for a key that never leaves KMS."""
BORROWERS = tuple(f"borrower {number}" for number in range(1, 51))

IMPERSONATED = (ADMIN, FEEDER, USER, STRATEGIST, BREACHER, ATTACKER, RELAYER)
"""Those the practice side acts as, without their keys."""


_KEPT_IN_KMS = {plan.name: plan.secret for plan in aws.PLANS}


def key(name: str) -> bytes:
    """The private key of the account of that name."""
    if name in _KEPT_IN_KMS:
        return _KEPT_IN_KMS[name].to_bytes(32, "big")
    return keccak(text=f"musd practice chain: {name}")


def account(name: str) -> LocalAccount:
    """The account of that name, able to sign."""
    signer: LocalAccount = Account.from_key(key(name))
    return signer


_addresses: dict[str, str] = {}


def address(name: str) -> str:
    """The address of the account of that name, checksummed."""
    if name not in _addresses:
        _addresses[name] = str(account(name).address)
    return _addresses[name]


def write_keystore(folder: Path, name: str, stem: str) -> tuple[Path, Path]:
    """A Foundry keystore (V3, scrypt, n=8192) and its password file below `folder`, made once."""
    folder.mkdir(parents=True, exist_ok=True)
    keystore, password_file = folder / f"{stem}.json", folder / f"{stem}.password"
    if not keystore.exists() or not password_file.exists():
        password = f"practice {stem}"
        password_file.write_text(password)
        password_file.chmod(0o600)
        keystore.write_text(json.dumps(Account.encrypt(key(name), password, kdf="scrypt", iterations=8192)))
        keystore.chmod(0o600)
    return keystore, password_file
