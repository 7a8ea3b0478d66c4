"""Documents."""

from backend.api.schemas.common import Strict, Upload, Whole


class Document(Strict):
    """The file: PDF, PNG or JPEG, 5 MiB at most."""

    document = Upload(required=True)


class Page(Strict):
    """Which page to draw; the whole file without it."""

    page = Whole(min=1, max=1000, load_default=None)
