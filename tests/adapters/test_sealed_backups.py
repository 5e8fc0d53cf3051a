"""Backups encrypted in the age format, in a directory: what is stored, what comes back, and what was tampered with."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyrage
import pytest

from bot.adapters.backup_places import Folder, Writer
from bot.adapters.sealed_backups import Sealed
from bot.errors import ConfigurationError, RefusedError, UnavailableError

NAME = "canton_ledger-20261126.dump"
DUMP = os.urandom(700_000) + b"PLANTED-ROW" + os.urandom(700_000)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """As `age-keygen` writes it."""
    path = tmp_path / "identity"
    path.write_text(f"# created: today\n# public key: …\n{pyrage.x25519.Identity.generate()}\n")
    return path


@pytest.fixture
def sealed(tmp_path: Path, identity: Path) -> Sealed:
    return Sealed(Folder(tmp_path / "backups"), identity)


async def kept(sealed: Sealed, then: Exception | None = None) -> None:
    async with sealed.writing(NAME) as writer:
        for begin in range(0, len(DUMP), 100_000):
            await writer.write(DUMP[begin : begin + 100_000])
        if then:
            raise then


async def read(sealed: Sealed) -> bytes:
    return b"".join([piece async for piece in sealed.reading(NAME)])


async def test_what_is_stored_is_encrypted_and_comes_back_as_it_was(
    sealed: Sealed, identity: Path, tmp_path: Path
) -> None:
    await kept(sealed)
    stored = (tmp_path / "backups" / f"{NAME}.age").read_bytes()
    assert stored.startswith(b"age-encryption.org/v1\n")
    assert b"PLANTED-ROW" not in stored
    assert await read(sealed) == DUMP
    own = pyrage.x25519.Identity.from_str((await asyncio.to_thread(identity.read_text)).splitlines()[2])
    assert pyrage.decrypt(stored, [own]) == DUMP


@pytest.mark.parametrize("harm", ["cut off", "changed"])
async def test_what_was_cut_off_or_changed_does_not_open(sealed: Sealed, tmp_path: Path, harm: str) -> None:
    await kept(sealed)
    path = tmp_path / "backups" / f"{NAME}.age"
    stored = path.read_bytes()
    changed = stored[:-5] + bytes([stored[-5] ^ 1]) + stored[-4:]
    path.write_bytes(stored[:1_000_000] if harm == "cut off" else changed)
    with pytest.raises(RefusedError, match="can't be decrypted: it was changed, cut off, or is of another identity"):
        await read(sealed)


async def test_a_backup_that_is_not_there_says_so(sealed: Sealed) -> None:
    with pytest.raises(UnavailableError, match="can't be read: No such file"):
        await read(sealed)


async def test_a_dump_that_breaks_off_leaves_nothing_behind(sealed: Sealed, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="pg_dump died"):
        await kept(sealed, then=UnavailableError("pg_dump died"))
    assert list((tmp_path / "backups").iterdir()) == []


class Full(Folder):
    """A disk with no room left."""

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        async with super().writing(name):
            yield self

    async def write(self, _: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_full_disk_is_what_it_says(tmp_path: Path, identity: Path) -> None:
    with pytest.raises(UnavailableError, match="can't be written: No space left on device"):
        await kept(Sealed(Full(tmp_path / "backups"), identity))
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_file_without_an_identity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text("hunter2\n")
    with pytest.raises(ConfigurationError, match="holds no age identity"):
        Sealed(Folder(tmp_path), tmp_path / "identity")
