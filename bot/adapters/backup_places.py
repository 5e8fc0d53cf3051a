"""Where backups are kept: an S3 bucket or a directory, from configuration alone. Written and read piece by piece.

A backup is two things: the dump, and beside it its description, which is written last. What has no description is not
there: a dump cut off by a crash is never taken for one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.errors import RefusedError, UnavailableError

_PART = 8 * 1024 * 1024
"""Bytes of one part of an upload: what is held in memory of a dump."""
_PIECE = 256 * 1024
_DESCRIPTION = ".json"
_TIMEOUT = 30.0
_NAME_AT_MOST = 200


class Writer(Protocol):
    """A dump that is being written."""

    async def write(self, piece: bytes) -> None:
        """The next bytes."""


class BackupPlace(Protocol):
    """What a place can do."""

    words: str
    """For people."""
    encrypted: str
    """By which key what is written is encrypted; empty where it is not."""

    def writing(self, name: str) -> Any:
        """A block in which a dump is written; leaving it by an error leaves nothing behind."""

    def reading(self, name: str) -> AsyncIterator[bytes]:
        """A dump's bytes."""

    async def describe(self, name: str, text: str) -> None:
        """Put the description down: from now on this backup exists."""

    async def descriptions(self) -> Sequence[str]:
        """Every description."""


class Folder:
    """A directory."""

    encrypted = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.words = f"the directory {folder}"

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        """Into a file that gets its name when it is whole."""
        part = self._path(name).with_suffix(".part")
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            with part.open("wb") as file:
                yield _FileWriter(file)
                await asyncio.to_thread(_settle, file)
            await asyncio.to_thread(part.replace, self._path(name))
        except OSError as error:
            raise self._trouble("written", error) from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def reading(self, name: str) -> AsyncIterator[bytes]:
        """Piece by piece."""
        try:
            with self._path(name).open("rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    yield piece
        except OSError as error:
            raise self._trouble("read", error) from None

    async def describe(self, name: str, text: str) -> None:
        """In one step: it is there whole, or not at all."""
        path = self._path(name + _DESCRIPTION)
        try:
            fresh = path.with_suffix(".part")
            await asyncio.to_thread(fresh.write_text, text)
            await asyncio.to_thread(fresh.replace, path)
        except OSError as error:
            raise self._trouble("written", error) from None

    async def descriptions(self) -> Sequence[str]:
        """Every description there is."""
        try:
            return [path.read_text() for path in sorted(self._folder.glob(f"*{_DESCRIPTION}"))]
        except OSError as error:
            raise self._trouble("read", error) from None

    def _path(self, name: str) -> Path:
        if len(name) > _NAME_AT_MOST or Path(name).name != name or name.startswith("."):
            raise RefusedError(f"{name[:80]!r} is no backup's name.", means="Nothing was read or written.")
        return self._folder / name

    def _trouble(self, what: str, error: OSError) -> UnavailableError:
        free = ""
        with suppress(OSError):
            free = f" ({shutil.disk_usage(self._folder).free // 2**20} MiB free)"
        return UnavailableError(f"Backups in {self._folder} can't be {what}: {error.strerror or error}{free}.")


class _FileWriter:
    def __init__(self, file: Any) -> None:
        self._file = file

    async def write(self, piece: bytes) -> None:
        await asyncio.to_thread(self._file.write, piece)


def _settle(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


class Bucket:
    """An S3 bucket; its server encrypts where a KMS key is configured."""

    def __init__(
        self, bucket: str, *, region: str, prefix: str = "", kms_key: str = "", endpoint_url: str = ""
    ) -> None:
        """Keep backups there.

        Args:
            bucket: its name.
            region: such as ``eu-central-1``.
            prefix: of every name in it, such as ``ledger/``.
            kms_key: encrypts what is written (SSE-KMS); the bucket's own default when empty.
            endpoint_url: another address, in the drill alone.
        """
        self._bucket = bucket
        self._prefix = prefix
        self.encrypted = kms_key
        self.words = f"s3://{bucket}/{prefix}"
        self._region = region
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint_url or None,
            "config": Config(
                connect_timeout=_TIMEOUT,
                read_timeout=_TIMEOUT,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        }

    @cached_property
    def _session(self) -> Any:
        # Made when it is first asked: making one takes longer than most answers.
        return aioboto3.Session(region_name=self._region or None)

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        """As a multipart upload, which exists only once it is completed."""
        async with self._s3("written") as s3:
            where = {"Bucket": self._bucket, "Key": self._key(name)}
            upload = {
                **where,
                "UploadId": (await s3.create_multipart_upload(**where, **self._encryption()))["UploadId"],
            }
            writer = _PartWriter(s3, upload)
            try:
                yield writer
                parts = await writer.finish()
                await s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
            except BaseException:
                with suppress(BotoCoreError, ClientError):
                    await s3.abort_multipart_upload(**upload)
                raise

    async def reading(self, name: str) -> AsyncIterator[bytes]:
        """Piece by piece."""
        async with self._s3("read") as s3:
            found = await s3.get_object(Bucket=self._bucket, Key=self._key(name))
            async with found["Body"] as body:
                async for piece in body.content.iter_chunked(_PIECE):
                    yield piece

    async def describe(self, name: str, text: str) -> None:
        """One small object."""
        async with self._s3("written") as s3:
            key = self._key(name + _DESCRIPTION)
            await s3.put_object(Bucket=self._bucket, Key=key, Body=text.encode(), **self._encryption())

    async def descriptions(self) -> Sequence[str]:
        """Every description there is."""
        found: list[str] = []
        async with self._s3("read") as s3:
            async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
                for one in page.get("Contents", ()):
                    if one["Key"].endswith(_DESCRIPTION):
                        answer = await s3.get_object(Bucket=self._bucket, Key=one["Key"])
                        async with answer["Body"] as body:
                            found.append((await body.read()).decode(errors="replace"))
        return found

    @asynccontextmanager
    async def _s3(self, what: str) -> AsyncIterator[Any]:
        try:
            async with self._session.client("s3", **self._options) as s3:
                yield s3
        except ClientError as error:
            said = error.response.get("Error", {})
            why = f"{said.get('Code', '')}: {said.get('Message', '')}"
            raise UnavailableError(f"Backups in {self.words} can't be {what}: {why}.") from None
        except BotoCoreError as error:
            raise UnavailableError(f"Backups in {self.words} can't be {what}: {type(error).__name__}.") from None

    def _encryption(self) -> dict[str, str]:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.encrypted} if self.encrypted else {}

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"


class _PartWriter:
    """Parts of one size, of which one at a time is in memory."""

    def __init__(self, s3: Any, upload: dict[str, Any]) -> None:
        self._s3 = s3
        self._upload = upload
        self._held = bytearray()
        self._parts: list[dict[str, Any]] = []

    async def write(self, piece: bytes) -> None:
        self._held += piece
        if len(self._held) >= _PART:
            await self._send()

    async def finish(self) -> list[dict[str, Any]]:
        if self._held or not self._parts:
            await self._send()
        return self._parts

    async def _send(self) -> None:
        number = len(self._parts) + 1
        sent = await self._s3.upload_part(**self._upload, PartNumber=number, Body=bytes(self._held))
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._held.clear()
