"""File stores through fsspec: a folder, or S3. Files become visible complete and durable, or not at all."""

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

import fsspec
import structlog
from flask import Flask, current_app
from fsspec import AbstractFileSystem

from backend.core.errors import Gone, PeerLost
from backend.settings import Settings

log = structlog.get_logger(__name__)
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MARK: Final = ".store"  # the file that tells folders of the same name apart
S3_LIMITS: Final = {"connect_timeout": 3, "read_timeout": 8, "retries": {"max_attempts": 1}}


class StoreFailed(PeerLost):
    """The store is full or unavailable. Nothing was stored, and the caller may retry."""

    code = "storage_unavailable"


class FileMissing(Gone):
    """A row refers to a file that is missing from the store. A retry does not help."""

    code = "file_missing"


class Store:
    """A store of files under keys such as ``2026/11/3f2a.pdf``."""

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme or "file"
        self._root = unquote(parts.path) if self._scheme == "file" else (parts.netloc + parts.path).rstrip("/")
        self._options = dict(options or {})

    @cached_property
    def _files(self) -> AbstractFileSystem:
        options = {"use_listings_cache": False, **self._options}
        if self._scheme == "s3":
            given = self._options.get("config_kwargs")
            options["config_kwargs"] = {**S3_LIMITS, **(given if isinstance(given, Mapping) else {})}
        files = fsspec.filesystem(self._scheme, **options)
        if self._scheme == "s3":
            files.retries = 2
        return files

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """Write a file, which becomes visible under its key only if the block succeeds."""
        with _faults("write", key):
            write = self._write_local if self._scheme == "file" else self._write_remote
            with write(self._path(key)) as file:
                yield file

    def put(self, key: str, data: bytes) -> None:
        """Store these bytes. Raises StoreFailed if the store is full or unavailable."""
        with self.writing(key) as file:
            file.write(data)

    @contextmanager
    def reading(self, key: str) -> Iterator[IO[bytes]]:
        """Open a file for reading. Raises FileMissing, or StoreFailed if the store does not respond."""
        with _faults("read", key), self._missing(key):
            file = self._files.open(self._path(key), "rb")
        with _faults("read", key), file:
            yield file

    def get(self, key: str) -> bytes:
        """Return the bytes of a file. Raises the same errors as :meth:`reading`."""
        with self.reading(key) as file:
            return file.read()

    def size(self, key: str) -> int:
        """Return the size of a file in bytes. Raises the same errors as :meth:`reading`."""
        with _faults("read", key), self._missing(key):
            return int(self._files.size(self._path(key)))

    def drop(self, key: str) -> None:
        """Delete a file. A missing file is not an error."""
        with _faults("drop", key), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(key))

    def drop_all(self, prefix: str) -> None:
        """Delete all files with this key prefix, including unfinished ones of a killed process."""
        folder, _, start = self._path(prefix).rpartition("/")
        with _faults("drop", prefix), contextlib.suppress(FileNotFoundError):
            for path in self._files.ls(folder, detail=False):
                if path.rpartition("/")[2].startswith((start, f".{start}")):
                    self._files.rm_file(path)

    def keys_from_before(self, time: datetime) -> Iterator[str]:
        """Yield the keys of files last written before a time, including unfinished ones, folder by folder."""
        root = str(self._files._strip_protocol(self._root))  # noqa: SLF001 (fsspec has no public way)
        with _faults("list", ""), contextlib.suppress(FileNotFoundError):
            for folder, _, files in self._files.walk(root, detail=True):
                for name, info in files.items():
                    if _written_at(info) < time:
                        yield f"{folder}/{name}".removeprefix(root).lstrip("/")

    def identity(self) -> str:
        """Return what is equal on all machines that use the same files: the bucket, or a mark in the folder.

        Machines may have folders of the same name and no file in common. Raises OSError if the folder is not there.
        """
        if self._scheme != "file":
            return f"{self._scheme}://{self._root} {json.dumps(self._options.get('client_kwargs'), sort_keys=True)}"
        folder = Path(self._root)
        mark = folder / MARK
        if not mark.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = folder / f"{MARK}.{uuid.uuid4().hex}.part"
            unfinished.write_text(uuid.uuid4().hex, encoding="ascii")
            with contextlib.suppress(FileExistsError):  # another process was first
                mark.hardlink_to(unfinished)
            unfinished.unlink()
        return mark.read_text(encoding="ascii")

    @contextmanager
    def _missing(self, key: str) -> Iterator[None]:
        """Distinguish a missing file from a missing store, such as an unmounted disk."""
        try:
            yield
        except FileNotFoundError as error:
            if self._scheme == "file" and not Path(self._root).is_dir():
                raise
            log.error("store.file_missing", key=key)  # noqa: TRY400  # the traceback adds nothing to the key
            raise FileMissing("This file is missing from the file storage.") from error

    def _path(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return f"{self._root}/{key}"

    @contextmanager
    def _write_local(self, path: str) -> Iterator[IO[bytes]]:
        """Write to a temporary name, fsync, rename and fsync the folder, so that no partial file becomes visible."""
        target = Path(path)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            with self._files.open(str(unfinished), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o600)
            unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _write_remote(self, path: str) -> Iterator[IO[bytes]]:
        file = self._files.open(path, "wb", autocommit=False)
        try:
            yield file
            file.close()
            file.commit()
        except BaseException:
            with contextlib.suppress(Exception):  # report the first error
                file.discard()
                if self._scheme == "memory":  # this store shows a file from its first byte on
                    self._files.rm_file(path)
            raise


def _written_at(info: Mapping[str, datetime | float]) -> datetime:
    """Return when a file was last written; the field depends on the store."""
    written = info.get("mtime") or info.get("LastModified") or info["created"]
    return written if isinstance(written, datetime) else datetime.fromtimestamp(written, UTC)


@contextmanager
def _faults(what: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.exception("store.failed", what=what, key=key, error=repr(error))
        if error.errno in FULL:
            raise StoreFailed("The file storage is full. The site operator must free some space.") from error
        raise StoreFailed(
            "The file storage is temporarily unavailable. No changes were saved. Try again later."
        ) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("botocore", "aiobotocore", "aiohttp", "s3fs", "fsspec"):
            raise
        log.exception("store.failed", what=what, key=key, error=repr(error))
        raise StoreFailed(
            "The file storage is temporarily unavailable. No changes were saved. Try again later."
        ) from error


def stores(settings: Settings) -> dict[str, Store]:
    """Return the configured stores by name. Nothing is opened before the first use."""
    options = json.loads(settings.document_store_options or "{}")
    urls = {"documents": settings.document_store_url, "exports": settings.export_store_url}
    return {name: Store(url, {} if url.startswith("file:") else options) for name, url in urls.items()}


def identities(settings: Settings) -> dict[str, str]:
    """Return the identity of each store under its setting's name, without those that cannot be reached."""
    found = {}
    for name, store in stores(settings).items():
        with contextlib.suppress(OSError):
            found[f"{name[:-1].upper()}_STORE_URL"] = store.identity()
    return found


def init_app(app: Flask, settings: Settings) -> None:
    """Register the stores with the application."""
    found = stores(settings)
    app.extensions["document_store"], app.extensions["export_store"] = found["documents"], found["exports"]


def documents() -> Store:
    """Return the store of documents."""
    store: Store = current_app.extensions["document_store"]
    return store


def exports() -> Store:
    """Return the store of exports."""
    store: Store = current_app.extensions["export_store"]
    return store
