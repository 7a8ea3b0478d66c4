"""THE ROUTE MATRIX: what every kind of caller gets from every call. A call that is not in it fails the tests.

One letter for each caller, in the order of ``CALLERS``::

    +  may (2xx, or a refusal of what was sent or of the state: 409, 410, 412, 415, 422)
    T  401, needs a token        B  403 account_blocked      P  403 not_active
    R  403 role_not_allowed      N  404, not there or not theirs to see
"""

from dataclasses import dataclass, field
from typing import Any, Final

CALLERS: Final = (
    "nobody",
    "pending professional",
    "active professional, not concerned",
    "customer, not concerned",
    "customer concerned",
    "professional concerned",
    "blocked customer",
    "admin",
)
PROBES: Final = "++++++++"
PUBLIC: Final = "++++++B+"
SIGNED_IN: Final = "T+++++B+"
ACTIVE: Final = "TP++++B+"
ADMINS: Final = "TPRRRRB+"
CUSTOMERS: Final = "TPR++RBR"
REPORTS: Final = "TPR++RB+"
ACTIVE_PROFESSIONALS: Final = "TP+RR+BR"
PROFESSIONALS: Final = "T++RR+BR"
CONCERNED: Final = "TPNN++B+"
ITS_CUSTOMER: Final = "TPRN+RBR"
ITS_PROFESSIONAL: Final = "TPNRR+BR"
ITS_TWO: Final = "TPNN++BR"


@dataclass(frozen=True)
class Row:
    """What each caller gets; what is sent; and path parameters other than the concerned request's."""

    gets: str
    json: Any = None
    path: dict[str, str] = field(default_factory=dict)
    query: str = ""


WHY: Final = {"reason": "Something came up"}
TABLE: Final[dict[str, Row]] = {
    "GET /": Row(PROBES),
    "GET /app": Row(PROBES),
    "GET /app/": Row(PROBES),
    "GET /app/<path:path>": Row(PROBES, path={"path": "tasks"}),
    "GET /app/market.json": Row(PROBES),
    "GET /healthz": Row(PROBES),
    "GET /readyz": Row(PROBES),
    "GET /metrics": Row(PROBES),
    "GET /openapi.json": Row(PROBES),
    "GET /.well-known/security.txt": Row("NNNNNNNN"),  # where no contact is set
    "GET /docs": Row(PROBES),
    "GET /docs/<string:name>": Row(PROBES, path={"name": "page.js"}),
    "POST /add_customer": Row(PUBLIC, {}),
    "POST /add_professional": Row(PUBLIC, {}),
    "POST /check": Row(PUBLIC, {}),
    "POST /token/refresh": Row("TTTTTTBT"),
    "POST /logout": Row(SIGNED_IN),
    "POST /logout/everywhere": Row(SIGNED_IN),
    "POST /password/forgot": Row(PUBLIC, {"email": "nobody@example.org"}),
    "POST /password/reset": Row(PUBLIC, {}),
    "POST /email/confirm": Row(PUBLIC, {}),
    "POST /email/undo": Row(PUBLIC, {}),
    "GET /me": Row(SIGNED_IN),
    "PATCH /me": Row(SIGNED_IN, {"firstname": "Asha"}),
    "GET /me/sessions": Row(SIGNED_IN),
    "DELETE /me/sessions/<string:session_id>": Row("TNNNNNBN", path={"session_id": "none"}),
    "POST /me/password": Row(SIGNED_IN, {}),
    "POST /me/confirm-password": Row(SIGNED_IN, {}),
    "POST /me/email/confirmation": Row(SIGNED_IN),
    "POST /me/phone/code": Row(SIGNED_IN),
    "POST /me/phone/confirm": Row(SIGNED_IN, {}),
    "GET /me/preferences": Row(SIGNED_IN),
    "PUT /me/preferences": Row(SIGNED_IN, {"channels": ["mail"]}),
    "GET /me/document": Row("TN+RR+BR"),
    "PUT /me/document": Row(PROFESSIONALS, {}),
    "GET /me/inbox": Row(ACTIVE_PROFESSIONALS),
    "POST /me/inbox": Row(ACTIVE_PROFESSIONALS),
    "GET /notifications": Row(SIGNED_IN),
    "POST /notifications/read": Row(SIGNED_IN, {"all": True}),
    "GET /unsubscribe/<string:token>": Row("NNNNNNBN", path={"token": "none"}),
    "POST /unsubscribe/<string:token>": Row("NNNNNNBN", path={"token": "none"}),
    "GET /places": Row(PUBLIC, query="q=5600"),
    "GET /search": Row(PUBLIC),
    "GET /tasks": Row(PUBLIC),
    "GET /tasks/<id:task_id>": Row(PUBLIC),
    "POST /tasks": Row(ADMINS, {}),
    "PATCH /tasks/<id:task_id>": Row(ADMINS, {"description": "Still the same"}),
    "DELETE /tasks/<id:task_id>": Row(ADMINS),
    "GET /tasks/<id:task_id>/professionals": Row(REPORTS),
    "POST /requests": Row(CUSTOMERS, {}),
    "GET /requests": Row(ACTIVE),
    "GET /requests/<id:request_id>": Row(CONCERNED),
    "PATCH /requests/<id:request_id>": Row(ITS_CUSTOMER, {"remarks": "Ring twice"}),
    "POST /requests/<id:request_id>/accept": Row(ACTIVE_PROFESSIONALS),  # who comes too late gets a clear 409
    "POST /requests/<id:request_id>/reject": Row(ACTIVE_PROFESSIONALS, WHY),
    "POST /requests/<id:request_id>/release": Row(ITS_PROFESSIONAL, WHY),
    "POST /requests/<id:request_id>/complete": Row(ITS_TWO),
    "POST /requests/<id:request_id>/close": Row(ITS_TWO, {}),
    "POST /requests/<id:request_id>/cancel": Row(ITS_CUSTOMER, WHY),
    "POST /requests/<id:request_id>/review": Row(ITS_CUSTOMER, {"rating": 5}),
    "POST /requests/<id:request_id>/review/reply": Row("TPNRR+BR", {"reply": "Thank you"}),
    "POST /requests/<id:request_id>/review/report": Row("TPNRR+BR", WHY),
    "GET /reviews": Row(ADMINS),
    "POST /reviews/<id:request_id>/hide": Row("TPRRRRBN", WHY),
    "POST /reviews/<id:request_id>/show": Row("TPRRRRBN"),
    "GET /me/reviews": Row(ACTIVE_PROFESSIONALS),
    "GET /me/hours": Row(ACTIVE_PROFESSIONALS),
    "PUT /me/hours": Row(ACTIVE_PROFESSIONALS, {}),
    "GET /me/agenda": Row(ACTIVE_PROFESSIONALS),
    "GET /tasks/<id:task_id>/times": Row(PUBLIC),
    "GET /tasks/<id:task_id>/policy": Row(ACTIVE),
    "PUT /tasks/<id:task_id>/policy": Row(ADMINS, {}),
    "GET /reliability": Row(ADMINS),
    "GET /synonyms": Row(ADMINS),
    "POST /synonyms": Row(ADMINS, {}),
    "GET /synonyms/<id:synonym_id>": Row("TPRRRRBN"),
    "PUT /synonyms/<id:synonym_id>": Row(ADMINS, {}),
    "DELETE /synonyms/<id:synonym_id>": Row("TPRRRRBN"),
    "GET /reports": Row(REPORTS),
    "GET /reports/<string:month>": Row("TPR++RB+", path={"month": "2026-01"}),
    "GET /professionals": Row(ADMINS),
    "GET /professionals/<id:professional_id>": Row(ADMINS),
    "PATCH /professionals/<id:professional_id>": Row(ADMINS, {}),
    "GET /professionals/<id:professional_id>/document": Row(ADMINS),
    "POST /professionals/<id:professional_id>/approve": Row(ADMINS, {}),
    "POST /professionals/<id:professional_id>/reject": Row(ADMINS, WHY),
    "GET /customers": Row(ADMINS),
    "GET /customers/<id:customer_id>": Row(ADMINS),
    "POST /users/<id:account_id>/block": Row(ADMINS, {"reason": "other"}),
    "POST /users/<id:account_id>/unblock": Row(ADMINS),
    "POST /users/<id:account_id>/end_sessions": Row(ADMINS),
    "POST /admins": Row(ADMINS, {}),
    "GET /settings": Row(ADMINS),
    "PATCH /settings": Row(ADMINS, {}),
    "GET /stats": Row(ADMINS),
    "GET /audit": Row(ADMINS),
    "GET /exports": Row(ADMINS),
    "POST /exports": Row(ADMINS, {}),
    "GET /exports/<id:export_id>": Row("TPRRRRBN"),
    "POST /exports/<id:export_id>/cancel": Row("TPRRRRBN"),
    "GET /exports/<id:export_id>/download": Row("TPRRRRBN"),
    "GET /deliveries": Row(ADMINS),
    "GET /deliveries/<id:delivery_id>": Row("TPRRRRBN"),
    "POST /deliveries/<id:delivery_id>/resend": Row("TPRRRRBN"),
    "GET /jobs": Row(ADMINS),
    "POST /jobs/<string:name>/run": Row(ADMINS, {}, path={"name": "housekeeping"}),
    "GET /jobs/runs": Row(ADMINS),
    "GET /jobs/runs/<id:run_id>": Row("TPRRRRBN"),
    "GET /jobs/failed": Row(ADMINS),
    "POST /jobs/failed/<id:job_id>/retry": Row("TPRRRRBN"),
    "GET /jobs/parked": Row(ADMINS),
    "POST /jobs/parked/<id:job_id>/retry": Row("TPRRRRBN"),
}
