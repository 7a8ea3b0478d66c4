"""Former paths of calls, which still answer and name the path that replaces them."""

import re
from typing import Final

from flask import Response, request

DEPRECATED: Final = {
    "/jobs/parked": "/jobs/failed",
    "/jobs/parked/<id:job_id>/retry": "/jobs/failed/<id:job_id>/retry",
}
DEPRECATED_SINCE: Final = "@1795737600"  # 27 November 2026, as RFC 9745 writes it


def name_successor(response: Response) -> Response:
    """Tell callers of a former path which one replaces it (RFC 9745 and RFC 5829, successor-version)."""
    if request.url_rule is not None and (successor := DEPRECATED.get(request.url_rule.rule)):
        path = re.sub(r"<[^:>]+:([^>]+)>", lambda named: str((request.view_args or {})[named[1]]), successor)
        response.headers["Deprecation"] = DEPRECATED_SINCE
        response.headers.add("Link", f'<{path}>; rel="successor-version"')
    return response
