"""Limits on document processing: per process, and one document at a time per account."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Final, cast

from flask import Flask, current_app

from backend.core import cache
from backend.core.concurrency import FairSemaphore
from backend.core.errors import TooMany, Unavailable
from backend.settings import Settings

AT_ONCE: Final = 2  # a child takes a whole core and up to 1 GiB; browsing needs the rest
DRAWINGS_QUEUED_PER_ACCOUNT: Final = 3
CLAIM_SECONDS: Final = 5  # renewed during the upload: what a web process that is killed leaves behind
RETRY_SECONDS: Final = CLAIM_SECONDS
BUSY: Final = "Too many documents are being processed. Try again in a moment."


class InspectionRunning(TooMany):
    """Another document of the same account is being processed."""

    code = "inspection_running"


class Capacity:
    """The limits of this process."""

    def __init__(self, *, most: int) -> None:
        self.places = FairSemaphore(AT_ONCE, most=most)
        self._lock = Lock()
        self._uploading: set[int] = set()
        self._drawing: dict[int, tuple[FairSemaphore, int]] = {}

    @contextmanager
    def upload_of(self, account_id: int) -> Iterator[None]:
        """Hold the account's only place for an upload. Raises InspectionRunning when it is taken.

        The claim in the shared cache holds for the other web processes; without the cache each process counts alone.
        It ends with the upload, whether or not its client waits for the response.
        """
        with self._lock:
            if account_id in self._uploading:
                raise _running()
            self._uploading.add(account_id)
        try:
            with _claimed(f"document-upload:{account_id}"):
                yield
        finally:
            with self._lock:
                self._uploading.discard(account_id)

    @contextmanager
    def drawing_for(self, account_id: int) -> Iterator[None]:
        """Draw one page at a time for an account; a few may wait. Raises InspectionRunning when too many do."""
        with self._lock:
            semaphore, users = self._drawing.get(account_id, (FairSemaphore(1, most=DRAWINGS_QUEUED_PER_ACCOUNT), 0))
            self._drawing[account_id] = (semaphore, users + 1)
        try:
            with _as_running(semaphore):
                yield
        finally:
            with self._lock:
                semaphore, users = self._drawing.pop(account_id)
                if users > 1:
                    self._drawing[account_id] = (semaphore, users - 1)


@contextmanager
def _as_running(semaphore: FairSemaphore) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(semaphore.acquire(error=BUSY))
        except Unavailable as error:
            raise _running() from error
        yield


@contextmanager
def _claimed(name: str) -> Iterator[None]:
    with cache.shared().claimed(name, seconds=CLAIM_SECONDS, is_renewed=True) as is_held:
        if is_held is False:
            raise _running()
        yield


def _running() -> InspectionRunning:
    return InspectionRunning(
        "Your previous upload is still being processed. Try again when it has finished.",
        retry_after=RETRY_SECONDS,
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Create the limits of this process: at most half of its threads may process documents or wait to."""
    app.extensions["document_capacity"] = Capacity(most=max(AT_ONCE + 1, settings.web_threads // 2))


def current() -> Capacity:
    """Return the limits of the running application."""
    return cast("Capacity", current_app.extensions["document_capacity"])
