"""Key Rotation: the relay's key, the validators' keys in KMS, and Canton's token."""

from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.signal import Severity
from bot.ports import CANTON_TOKEN, RELAY_KEY
from bot.probes import cluster, keys

_VALIDATOR = (
    "Validator KMS Keys: 1. create the new key in KMS (ECC_SECG_P256K1). 2. give the validator its new KMS_KEY_ID. "
    "3. have the bridge know its address: updateValidator(index, address), or VALIDATOR_ROLE granted to the new and, "
    "once that is seen, revoked from the old. 4. restart that one validator, and only that one."
)

RUNBOOK = Runbook(
    key="key-rotation",
    title="Key Rotation",
    section="Key Rotation",
    alerts=(),
    severity=Severity.HIGH,
    impact="A key that leaked, or is too old, can sign for the protocol until the bridge knows another one.",
    probes=(
        keys.validators(),
        keys.rotated(RELAY_KEY, "The relay's key", "relay-private-key"),
        keys.rotated(CANTON_TOKEN, "The Canton token", "canton-token"),
        keys.bridge(),
        cluster.pods("musd-relay", title="Relay pods"),
    ),
    resolutions=(
        Resolution(
            "2",
            "A validator's key can't be used: mend or rotate it",
            when=keys.unusable,
            do=f"Enable it again if somebody disabled it by mistake; else rotate it. {_VALIDATOR}",
        ),
        Resolution(
            "",
            "A rotation stopped half-way",
            when=keys.half_way,
            do=(
                "Its receipt says where. *Go on…* below it does the rest; *Roll back…* puts the old key there again, "
                "where it was not compromised."
            ),
        ),
        Resolution(
            "1",
            "A key is due for rotation",
            when=keys.due,
            do=(
                "/musd rotate proposes it. One validator after another, so that the quorum of two holds all the time. "
                f"{_VALIDATOR}"
            ),
        ),
    ),
    healthy=all_ok("keys:validators", "keys:bridge"),
    recovered=(
        "No key whose age is known is too old, and the validators' can be used. Relay Private Key, where it leaked: "
        "new key on an offline machine, the Secret, updateRelayer on the bridge, restart the relay. Canton Token: new "
        "token, the Secret, restart all. /musd rotate proposes each."
    ),
)
