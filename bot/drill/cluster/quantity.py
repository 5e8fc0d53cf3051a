"""Kubernetes quantities, as far as memory goes."""

import re

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(|k|M|G|T|Ki|Mi|Gi|Ti)$")


def parse_bytes(text: str) -> int:
    """Bytes of ``512Mi``. Raises `ValueError` for anything that is no quantity."""
    found = _QUANTITY.match(text)
    if found is None:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    return int(float(found[1]) * _UNITS[found[2]])
