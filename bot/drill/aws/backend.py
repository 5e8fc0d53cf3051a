"""moto behind the practice AWS: its keys and its bucket, and what KMS does that moto doesn't.

moto hashes a digest once more before it signs and signs with disabled keys, so signing is done here, as KMS does it.
moto's state belongs to the process: one practice AWS at a time in each.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from bot.drill.listening import Json

ACCOUNT = "123456789012"
REGION = "eu-central-1"
BUCKET = "musd-backups"
DIGEST_LENGTH = 32
BACKUP = "nightly/canton_ledger.sql.gz"
"""The backup that every practice world begins with: what takes them at night is not part of it."""
BACKUP_AGE = 5.0
"""Hours."""


@dataclass(frozen=True)
class KeyPlan:
    """A key every practice world begins with; its secret follows from its name, so its address never changes."""

    name: str
    description: str

    @property
    def id(self) -> str:
        """A key id, the same in every practice world."""
        digest = hashlib.sha256(f"musd practice key id {self.name}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    @property
    def secret(self) -> int:
        """The private key, a number below the curve's order; worth nothing outside the practice world."""
        return int.from_bytes(hashlib.sha256(f"musd practice key {self.name}".encode()).digest()) >> 1


VALIDATORS = tuple(KeyPlan(f"validator-{n}", f"bridge validator {n}, signs attestations") for n in (1, 2, 3))
PAUSER = KeyPlan("pauser", "the bot's pausing key, can only pause")
PLANS = (*VALIDATORS, PAUSER)


@dataclass
class Refusal(Exception):  # noqa: N818 - an answer of AWS, not a failure of ours
    """An error as KMS words it: its type and message, always with status 400."""

    kind: str
    message: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)


class Backend:
    """moto's server in a thread. Made in a thread itself: the import alone takes a second."""

    def __init__(self, saved: Json | None) -> None:
        # Imported when first needed: a drill is up before this is.
        from moto.kms.models import kms_backends  # noqa: PLC0415
        from moto.s3.models import s3_backends  # noqa: PLC0415
        from moto.server import ThreadedMotoServer  # noqa: PLC0415

        self._everything = (kms_backends, s3_backends)
        for backends in self._everything:
            backends.reset()
        self._kms = kms_backends[ACCOUNT][REGION]
        self._s3 = s3_backends[ACCOUNT]["aws"]
        self._s3.create_bucket(BUCKET, REGION)
        self._restore(saved or {"keys": [_planned(plan) for plan in PLANS], "objects": {}})
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    def stop(self) -> None:
        """End the server and forget everything."""
        self._server.stop()
        for backends in self._everything:
            backends.reset()

    def state(self) -> Json:
        """The keys and the bucket's objects as JSON."""
        keys = []
        for key in list(self._kms.keys.values()):
            secret = _secret_of(key)
            if secret is None:
                continue  # an RSA or symmetric key is nothing the protocol uses
            number = secret.private_numbers().private_value
            kept = {"id": key.id, "secret": hex(number), "state": key.key_state, "aliases": list(key.aliases)}
            keys.append({**kept, "description": key.description, "spec": key.key_spec})
        stored = list(self._s3.buckets[BUCKET].keys.items())
        objects = {name: base64.b64encode(one.value).decode() for name, one in stored}
        return {"keys": keys, "objects": objects}

    def disable(self, key_id: str) -> None:
        """Put a key out of use, as an administrator would."""
        self._kms.disable_key(key_id)

    def schedule_deletion(self, key_id: str) -> None:
        """Have a key deleted in seven days."""
        self._kms.schedule_key_deletion(key_id, 7)

    def enable(self, key_id: str) -> None:
        """Bring a key back from either."""
        self._kms.cancel_key_deletion(key_id)
        self._kms.enable_key(key_id)

    def age_key(self, key_id: str, days: float) -> None:
        """Have it made that long ago."""
        self._kms.keys[key_id].creation_date = (datetime.now(UTC) - timedelta(days=days)).timestamp()

    def age_backups(self, hours: float | None) -> None:
        """Make the nightly backup that old; None takes it away."""
        if hours is None:
            self._s3.delete_object(BUCKET, BACKUP)
            return
        self._s3.put_object(BUCKET, BACKUP, b"-- PostgreSQL database dump, as good as any\n" * 200)
        # moto keeps times without a zone.
        at = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=hours)
        for name, one in list(self._s3.buckets[BUCKET].keys.items()):
            if name == BACKUP:
                one.last_modified = at

    def newest_backup(self) -> datetime | None:
        """When the newest thing in the bucket was put there."""
        times = [one.last_modified for one in self._s3.buckets[BUCKET].keys.values()]
        return max(times).replace(tzinfo=UTC) if times else None  # moto keeps times without a zone

    def sign(self, asked: Json) -> Json | None:
        """KMS's ``Sign`` of an elliptic key; None for what moto should answer. Raises `Refusal` as KMS refuses."""
        try:
            key = self._kms.describe_key(asked.get("KeyId", ""))
        except Exception:  # noqa: BLE001 - moto's own error, which moto words best
            return None
        secret = _secret_of(key)
        if secret is None or asked.get("SigningAlgorithm") != "ECDSA_SHA_256":
            return None
        if key.key_state == "Disabled":
            raise Refusal("DisabledException", f"{key.arn} is disabled.")
        if key.key_state != "Enabled":
            raise Refusal("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        message = base64.b64decode(asked.get("Message", ""))
        algorithm: Any = SHA256()
        if asked.get("MessageType") == "DIGEST":
            if len(message) != DIGEST_LENGTH:
                raise Refusal("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256.")
            algorithm = Prehashed(SHA256())
        signature = secret.sign(message, ec.ECDSA(algorithm))
        said = {"KeyId": key.arn, "Signature": base64.b64encode(signature).decode()}
        return {**said, "SigningAlgorithm": "ECDSA_SHA_256"}

    def _restore(self, saved: Json) -> None:
        for kept in saved["keys"]:
            key: Any = self._kms.create_key(None, "SIGN_VERIFY", kept["spec"], kept["description"], None)
            del self._kms.keys[key.id]
            key.arn = key.arn.replace(key.id, kept["id"])
            key.id = kept["id"]
            key.private_key.private_key = ec.derive_private_key(int(kept["secret"], 16), _secret_of(key).curve)
            self._kms.keys[key.id] = key
            for alias in kept["aliases"]:
                self._kms.create_alias(key.id, alias)
            if kept["state"] == "Disabled":
                self.disable(key.id)
            elif kept["state"] == "PendingDeletion":
                self.schedule_deletion(key.id)
        for name, body in saved["objects"].items():
            self._s3.put_object(BUCKET, name, base64.b64decode(body))
        self.age_backups(BACKUP_AGE)


def _secret_of(key: Any) -> Any:
    secret = getattr(key.private_key, "private_key", None)
    return secret if isinstance(secret, ec.EllipticCurvePrivateKey) and secret.curve.name == "secp256k1" else None


def _planned(plan: KeyPlan) -> Json:
    kept = {"id": plan.id, "secret": hex(plan.secret), "state": "Enabled", "aliases": [f"alias/musd-{plan.name}"]}
    return {**kept, "description": plan.description, "spec": "ECC_SECG_P256K1"}
