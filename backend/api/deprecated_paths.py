"""Deprecated paths, which still work and name their successors."""

import re
from typing import Final

from flask import Response, request

DEPRECATED: Final = {
    "/jobs/parked": "/jobs/failed",
    "/jobs/parked/<id:job_id>/retry": "/jobs/failed/<id:job_id>/retry",
}
DEPRECATED_SINCE: Final = "@1795737600"  # 27 November 2026, as RFC 9745 writes it


def name_successor(response: Response) -> Response:
    """Add the headers that mark a deprecated path and name its successor (RFC 9745, RFC 5829)."""
    if request.url_rule is not None and (successor := DEPRECATED.get(request.url_rule.rule)):
        path = re.sub(r"<[^:>]+:([^>]+)>", lambda named: str((request.view_args or {})[named[1]]), successor)
        response.headers["Deprecation"] = DEPRECATED_SINCE
        response.headers.add("Link", f'<{path}>; rel="successor-version"')
    return response
