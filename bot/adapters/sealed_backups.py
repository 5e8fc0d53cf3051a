"""Backups encrypted before they leave the bot, in the age format (age-encryption.org): `age -d` opens them without it.

age authenticates what it encrypts: a file that was changed or cut off does not open. Both ways stream through a thread,
as the library reads and writes files.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from bot.adapters.backup_places import BackupPlace, Writer
from bot.errors import ConfigurationError, RefusedError

_PIECE = 256 * 1024
_SUFFIX = ".age"


class Sealed:
    """Fulfils `BackupPlace`: another place, whose dumps are encrypted. Descriptions are not: they hold no rows."""

    def __init__(self, place: BackupPlace, identity: Path) -> None:
        """Encrypt to this identity, which is needed for reading back and restoring.

        Raises:
            ConfigurationError: the file holds no age identity.
        """
        self._place = place
        try:
            lines = [line for line in identity.read_text().splitlines() if line and not line.startswith("#")]
            self._identity = pyrage.x25519.Identity.from_str(lines[0])
        except (OSError, IndexError, pyrage.IdentityError):
            raise ConfigurationError(
                f"{identity} holds no age identity.", next_step="Make one: age-keygen -o FILE; keep a copy elsewhere."
            ) from None
        self.encrypted = f"age, {self._identity.to_public()}"
        self.words = f"{place.words}, encrypted"

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        """Encrypted on its way."""
        async with self._place.writing(name + _SUFFIX) as stored:
            source, plain = _pipe()
            to = _Stored(stored, asyncio.get_running_loop())
            sealing = asyncio.create_task(asyncio.to_thread(self._seal, source, to))
            try:
                yield _Plain(plain)
            except BrokenPipeError:
                await sealing  # which broke it, and says why
                raise
            finally:
                plain.close()
                await asyncio.gather(sealing, return_exceptions=True)
            await sealing

    async def reading(self, name: str) -> AsyncIterator[bytes]:
        """Decrypted on its way."""
        plain, sink = _pipe()
        found = _Found(self._place.reading(name + _SUFFIX), asyncio.get_running_loop())
        opening = asyncio.create_task(asyncio.to_thread(self._open, found, sink))
        try:
            while piece := await asyncio.to_thread(plain.read, _PIECE):
                yield piece
        finally:
            plain.close()
            await asyncio.gather(opening, return_exceptions=True)
        try:
            await opening
        except (OSError, pyrage.DecryptError):  # what is wrong with the place is an error of ours
            raise RefusedError(
                f"The backup {name} can't be decrypted: it was changed, cut off, or is of another identity.",
                means="It is not used.",
                next_step="Check MUSD_BACKUP_AGE_IDENTITY, or take another backup.",
            ) from None

    async def describe(self, name: str, text: str) -> None:
        """As it is."""
        await self._place.describe(name, text)

    async def descriptions(self) -> Sequence[str]:
        """As they are."""
        return await self._place.descriptions()

    def _seal(self, source: BinaryIO, to: "_Stored") -> None:
        with source:
            try:
                pyrage.encrypt_io(source, to, [self._identity.to_public()])
            except Exception:
                if to.trouble is not None:
                    raise to.trouble from None
                raise

    def _open(self, found: "_Found", sink: BinaryIO) -> None:
        with sink:
            try:
                pyrage.decrypt_io(found, sink, [self._identity])
            except Exception:
                if found.trouble is not None:
                    raise found.trouble from None
                raise


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    read, write = os.pipe()
    return os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb", buffering=0)


class _Plain:
    """What is to be encrypted, on its way to the thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    async def write(self, piece: bytes) -> None:
        await asyncio.to_thread(self._all, piece)

    def _all(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[self._pipe.write(left) :]


class _Stored:
    """The place's writer, as a file of the thread's."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self.trouble: Exception | None = None

    def write(self, piece: bytes) -> int:
        try:
            asyncio.run_coroutine_threadsafe(self._writer.write(bytes(piece)), self._loop).result()
        except Exception as error:
            self.trouble = error
            raise
        return len(piece)

    def flush(self) -> None:
        """The place flushes by itself."""


class _Found:
    """The place's bytes, as a file of the thread's."""

    def __init__(self, pieces: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = pieces
        self._loop = loop
        self._held = b""
        self.trouble: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._held and (piece := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()):
                self._held += piece
        except Exception as error:
            self.trouble = error
            raise
        cut = len(self._held) if size < 0 else size
        given, self._held = self._held[:cut], self._held[cut:]
        return given

    async def _next(self) -> Any:
        with suppress(StopAsyncIteration):
            return await anext(self._pieces)
        return b""
