"""The route matrix: for every call, who may make it and a call that succeeds. A call without a row fails the tests.

``gets`` has one letter for each caller, in the order of ``CALLERS``::

    +  may: the call of this row gets its ``status``
    T  401, needs a token        B  403 account_blocked      P  403 not_active
    R  403 role_not_allowed      N  404, not there or not theirs to see

The rest of the row is the call. ``"$accepted"`` is a value of the market in ``tests/api/scene.py``, here the id of an
accepted request; path parameters that the row leaves out are the values of the same name.
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
CUSTOMERS_AND_ADMINS: Final = "TPR++RB+"
CUSTOMERS_AND_PROFESSIONALS: Final = "TP++++BR"
ACTIVE_PROFESSIONALS: Final = "TP+RR+BR"
PROFESSIONALS: Final = "T++RR+BR"
CONCERNED: Final = "TPNN++B+"
OPEN: Final = "TP+N++B+"
ITS_CUSTOMER: Final = "TPRN+RBR"
ITS_PROFESSIONAL: Final = "TPNRR+BR"
ITS_TWO: Final = "TPNN++BR"


@dataclass(frozen=True)
class Row:
    """Who gets what, and the call: body (JSON, or a form with a file), query, path, and what it answers.

    ``form``: the name of the field with the file; ``json`` then has the other fields. ``bearer``: the caller's value
    that is sent in place of the access token. ``repeatable``: the call removes the caller's own choice, and succeeds
    where there is none.
    """

    gets: str
    json: Any = None
    path: dict[str, str] = field(default_factory=dict)
    query: str = ""
    status: int = 200
    form: str = ""
    bearer: str = ""
    repeatable: bool = False


WHY: Final = {"reason": "Something came up"}
SIGN_UP: Final = {
    "username": "newcomer",
    "email": "newcomer@example.org",
    "password": "a password nobody has 7",
    "firstname": "Asha",
    "lastname": "Rao",
    "address": "12 MG Road",
    "pincode": "560001",
}
TRADE: Final = {"exp": 5, "compname": "Rao and Sons", "task_ids": ["$task_id"]}
NEW_TASK: Final = {
    "name": "Painting",
    "description": "Walls and ceilings",
    "category": "Home",
    "base_price": "999.00",
    "time_required": 120,
}
NEW_REQUEST: Final = {"task_id": "$task_id", "date_of_request": "$next_week"}
NEW_LINE: Final = {"kind": "material", "title": "Washers", "quantity": "2.5", "unit_amount": "12.50"}
NEW_DEVICE: Final = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/abc",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
NEW_PASSWORD: Final = "another good password 77"
HOURS: Final = {"weekly": [{"weekday": 0, "from": "09:00", "to": "17:00"}]}


def _request(name: str) -> dict[str, str]:
    return {"request_id": f"${name}"}


TABLE: Final[dict[str, Row]] = {
    # Pages, probes and documents
    "GET /": Row(PROBES, status=302),
    "GET /app": Row(PROBES, status=308),
    "GET /app/": Row(PROBES),
    "GET /app/<path:path>": Row(PROBES, path={"path": "tasks"}),
    "GET /app/manifest.webmanifest": Row(PROBES),
    "GET /app/market.json": Row(PROBES),
    "GET /app/professionals/<id:professional_id>": Row(PROBES),
    "GET /app/tasks/<id:task_id>": Row(PROBES),
    "GET /robots.txt": Row(PROBES),
    "GET /sitemap.xml": Row(PROBES),
    "GET /sitemaps/pages.xml": Row(PROBES),
    "GET /sitemaps/tasks-<id:task_id>.xml": Row(PROBES),
    "GET /sitemaps/professionals-<int:part>.xml": Row(PROBES, path={"part": "0"}),
    "GET /healthz": Row(PROBES),
    "GET /readyz": Row(PROBES),
    "GET /metrics": Row(PROBES),
    "GET /openapi.json": Row(PROBES),
    "GET /.well-known/security.txt": Row(PROBES),
    "GET /docs": Row(PROBES),
    "GET /docs/<string:name>": Row(PROBES, path={"name": "page.js"}),
    # Sign-up and sign-in
    "POST /add_customer": Row(PUBLIC, SIGN_UP, status=201),
    "POST /add_professional": Row(PUBLIC, {**SIGN_UP, **TRADE}, status=201),
    "POST /check": Row(PUBLIC, {"username": "$username", "password": "$password", "client": "api"}),
    "POST /token/refresh": Row(SIGNED_IN, bearer="refresh_token"),
    "POST /logout": Row(SIGNED_IN, status=204),
    "POST /logout/everywhere": Row(SIGNED_IN, status=204),
    "POST /password/forgot": Row(PUBLIC, {"email": "nobody@example.org"}, status=202),
    "POST /password/reset": Row(PUBLIC, {"token": "$password_reset_token", "password": NEW_PASSWORD}, status=204),
    "POST /email/confirm": Row(PUBLIC, {"token": "$email_confirmation_token"}, status=204),
    "POST /email/undo": Row(PUBLIC, {"token": "$email_undo_token"}, status=204),
    # The caller's own account
    "GET /me": Row(SIGNED_IN),
    "PATCH /me": Row(SIGNED_IN, {"firstname": "Asha"}),
    "GET /me/sessions": Row(SIGNED_IN),
    "DELETE /me/sessions/<string:session_id>": Row(SIGNED_IN, path={"session_id": "$other_session"}, status=204),
    "POST /me/password": Row(SIGNED_IN, {"current_password": "$password", "password": NEW_PASSWORD}, status=204),
    "POST /me/confirm-password": Row(SIGNED_IN, {"password": "$password"}, status=204),
    "POST /me/email/confirmation": Row(SIGNED_IN, status=202),
    "POST /me/phone/code": Row(SIGNED_IN, status=202),
    "POST /me/phone/confirm": Row(SIGNED_IN, {"code": "$phone_code"}),
    "GET /me/preferences": Row(SIGNED_IN),
    "PUT /me/preferences": Row(SIGNED_IN, {"channels": ["mail"]}),
    "GET /me/push_key": Row(SIGNED_IN),
    "GET /me/push_subscriptions": Row(SIGNED_IN),
    "POST /me/push_subscriptions": Row(SIGNED_IN, NEW_DEVICE, status=201),
    "DELETE /me/push_subscriptions/<id:subscription_id>": Row(SIGNED_IN, status=204),
    "GET /me/document": Row(PROFESSIONALS),
    "PUT /me/document": Row(PROFESSIONALS, form="document"),
    "GET /me/profile": Row(PROFESSIONALS),
    "PATCH /me/profile": Row(PROFESSIONALS, {"about": "Twenty years of pipes"}),
    "GET /me/profile/photo": Row(PROFESSIONALS),
    "PUT /me/profile/photo": Row(PROFESSIONALS, form="photo"),
    "DELETE /me/profile/photo": Row(PROFESSIONALS, status=204),
    "GET /me/favourites": Row(CUSTOMERS),
    "PUT /me/favourites/<id:professional_id>": Row(CUSTOMERS, status=204),
    "DELETE /me/favourites/<id:professional_id>": Row(CUSTOMERS, status=204, repeatable=True),
    "GET /me/exclusions": Row(CUSTOMERS_AND_PROFESSIONALS),
    "PUT /me/exclusions/<id:account_id>": Row("TPNN++BR", path={"account_id": "$met"}, status=204),
    "DELETE /me/exclusions/<id:account_id>": Row(CUSTOMERS_AND_PROFESSIONALS, status=204, repeatable=True),
    "GET /me/inbox": Row(ACTIVE_PROFESSIONALS),
    "POST /me/inbox": Row(ACTIVE_PROFESSIONALS),
    "GET /me/reviews": Row(ACTIVE_PROFESSIONALS),
    "GET /me/hours": Row(ACTIVE_PROFESSIONALS),
    "PUT /me/hours": Row(ACTIVE_PROFESSIONALS, HOURS),
    "GET /me/agenda": Row(ACTIVE_PROFESSIONALS),
    "GET /events": Row(SIGNED_IN, status=503),  # these tests run no process that holds streams
    "GET /events/access": Row(SIGNED_IN),
    "GET /notifications": Row(SIGNED_IN),
    "POST /notifications/read": Row(SIGNED_IN, {"all": True}),
    "GET /unsubscribe/<string:token>": Row(PUBLIC, path={"token": "$unsubscribe_token"}),
    "POST /unsubscribe/<string:token>": Row(PUBLIC, path={"token": "$unsubscribe_token"}),
    # Tasks and search
    "GET /places": Row(PUBLIC, query="q=5600"),
    "GET /search": Row(PUBLIC, query="q=plumbing&pincode=560001"),
    "GET /tasks": Row(PUBLIC),
    "GET /tasks/<id:task_id>": Row(PUBLIC),
    "POST /tasks": Row(ADMINS, NEW_TASK, status=201),
    "PATCH /tasks/<id:task_id>": Row(ADMINS, {"description": "Still the same"}),
    "DELETE /tasks/<id:task_id>": Row(ADMINS, path={"task_id": "$unused_task"}, status=204),
    "GET /tasks/<id:task_id>/professionals": Row(CUSTOMERS_AND_ADMINS),
    "GET /tasks/<id:task_id>/times": Row(PUBLIC, query="pincode=560001&date=$tomorrow"),
    "GET /tasks/<id:task_id>/policy": Row(ACTIVE),
    "PUT /tasks/<id:task_id>/policy": Row(ADMINS, {"min_notice_minutes": 60}),
    "GET /synonyms": Row(ADMINS),
    "POST /synonyms": Row(ADMINS, {"phrases": ["fridge", "refrigerator"]}, status=201),
    "GET /synonyms/<id:synonym_id>": Row(ADMINS),
    "PUT /synonyms/<id:synonym_id>": Row(ADMINS, {"phrases": ["tap", "faucet", "spigot"]}),
    "DELETE /synonyms/<id:synonym_id>": Row(ADMINS, status=204),
    # Public profiles
    "GET /profiles/<id:professional_id>": Row(PUBLIC),
    "GET /profiles/<id:professional_id>/reviews": Row(PUBLIC),
    "GET /profiles/<id:professional_id>/photo/<string:digest>": Row(PUBLIC),
    # Requests and reviews
    "POST /requests": Row(CUSTOMERS, NEW_REQUEST, status=201),
    "GET /requests": Row(ACTIVE),
    "GET /requests/<id:request_id>": Row(CONCERNED, path=_request("accepted")),
    "PATCH /requests/<id:request_id>": Row(ITS_CUSTOMER, {"remarks": "Ring twice"}, path=_request("accepted")),
    "POST /requests/<id:request_id>/accept": Row(ACTIVE_PROFESSIONALS, path=_request("requested")),
    "POST /requests/<id:request_id>/reject": Row(ACTIVE_PROFESSIONALS, WHY, path=_request("requested")),
    "POST /requests/<id:request_id>/release": Row(ITS_PROFESSIONAL, WHY, path=_request("accepted")),
    "POST /requests/<id:request_id>/complete": Row(ITS_TWO, path=_request("accepted")),
    "POST /requests/<id:request_id>/on_time": Row(ITS_PROFESSIONAL, path=_request("accepted")),
    "POST /requests/<id:request_id>/on_the_way": Row(ITS_PROFESSIONAL, {"eta_minutes": 20}, path=_request("accepted")),
    "POST /requests/<id:request_id>/running_late": Row(
        ITS_PROFESSIONAL, {"eta_minutes": 40}, path=_request("accepted")
    ),
    "POST /requests/<id:request_id>/arrive": Row(ITS_PROFESSIONAL, path=_request("accepted")),
    "POST /requests/<id:request_id>/start": Row(ITS_TWO, path=_request("accepted")),
    "POST /requests/<id:request_id>/undo_step": Row(ITS_TWO, path=_request("undoable")),
    "GET /requests/<id:request_id>/visit_link": Row(ITS_CUSTOMER, path=_request("accepted")),
    "POST /requests/<id:request_id>/visit_link": Row(ITS_CUSTOMER, path=_request("accepted"), status=201),
    "DELETE /requests/<id:request_id>/visit_link": Row(ITS_CUSTOMER, path=_request("accepted"), status=204),
    "GET /visits/<string:token>": Row(PUBLIC, path={"token": "$visit_token"}),
    "GET /requests/<id:request_id>/offers": Row(OPEN, path=_request("quoted")),
    "POST /requests/<id:request_id>/offers": Row(
        ACTIVE_PROFESSIONALS, {"amount": "900.00"}, path=_request("quoted"), status=201
    ),
    "POST /requests/<id:request_id>/offers/<id:offer_id>/withdraw": Row(ITS_PROFESSIONAL, path=_request("quoted")),
    "POST /requests/<id:request_id>/offers/<id:offer_id>/accept": Row(ITS_CUSTOMER, path=_request("quoted")),
    "GET /requests/<id:request_id>/price_lines": Row(CONCERNED, path=_request("extended")),
    "POST /requests/<id:request_id>/price_lines": Row(
        ITS_PROFESSIONAL, NEW_LINE, path=_request("accepted"), status=201
    ),
    "POST /requests/<id:request_id>/price_lines/<id:line_id>/approve": Row(
        ITS_TWO, {"code": "$approval_code"}, path=_request("extended")
    ),
    "POST /requests/<id:request_id>/price_lines/<id:line_id>/decline": Row(ITS_CUSTOMER, path=_request("extended")),
    "POST /requests/<id:request_id>/price_lines/<id:line_id>/withdraw": Row(
        ITS_PROFESSIONAL, path=_request("extended")
    ),
    "POST /requests/<id:request_id>/close": Row(ITS_TWO, {"remarks": "Well done"}, path=_request("completed")),
    "POST /requests/<id:request_id>/cancel": Row(ITS_CUSTOMER, WHY, path=_request("accepted")),
    "POST /requests/<id:request_id>/review": Row(ITS_CUSTOMER, {"rating": 5}, path=_request("closed"), status=201),
    "POST /requests/<id:request_id>/review/reply": Row(
        ITS_PROFESSIONAL, {"reply": "Thank you"}, path=_request("reviewed")
    ),
    "POST /requests/<id:request_id>/review/report": Row(ITS_PROFESSIONAL, WHY, path=_request("reviewed")),
    # Conversations: the one about the accepted request is reported
    "GET /requests/<id:request_id>/activity": Row(ADMINS, path=_request("accepted")),
    "GET /requests/<id:request_id>/again": Row(ITS_CUSTOMER, path=_request("completed")),
    "GET /requests/<id:request_id>/messages": Row(CONCERNED, path=_request("accepted")),
    "POST /requests/<id:request_id>/messages": Row(
        ITS_TWO, {"body": "The gate is green"}, path=_request("accepted"), status=201
    ),
    "POST /requests/<id:request_id>/messages/read": Row(ITS_TWO, {"up_to": "$message_id"}, path=_request("accepted")),
    "POST /requests/<id:request_id>/messages/report": Row(ITS_TWO, WHY, path=_request("completed"), status=204),
    "GET /tasks/<id:task_id>/checklist": Row(ACTIVE),
    "PUT /tasks/<id:task_id>/checklist": Row(ADMINS, {"points": [{"text": "Water is off"}]}),
    "GET /requests/<id:request_id>/checklist": Row(CONCERNED, path=_request("accepted")),
    "PUT /requests/<id:request_id>/checklist/<id:number>": Row(
        ITS_PROFESSIONAL, {"done": True}, path={**_request("accepted"), "number": "1"}
    ),
    "GET /requests/<id:request_id>/photos": Row(CONCERNED, path=_request("accepted")),
    "POST /requests/<id:request_id>/photos": Row(
        ITS_TWO, {"phase": "$photo_phase"}, path=_request("accepted"), status=201, form="photo"
    ),
    "GET /photos/<id:photo_id>": Row(CONCERNED, path={"photo_id": "$request_photo"}),
    "DELETE /photos/<id:photo_id>": Row(ITS_TWO, path={"photo_id": "$request_photo"}, status=204),
    "GET /requests/<id:request_id>/conversations": Row(CONCERNED, path=_request("accepted")),
    "GET /me/conversations": Row("TP++++BR"),
    "GET /conversation_reports": Row(ADMINS),
    "POST /conversation_reports/<id:report_id>/settle": Row(ADMINS, {"note": "Warned"}, status=204),
    "GET /reviews": Row(ADMINS),
    "POST /reviews/<id:request_id>/hide": Row(ADMINS, WHY, path=_request("reviewed")),
    "POST /reviews/<id:request_id>/show": Row(ADMINS, path=_request("hidden")),
    "GET /reports": Row(CUSTOMERS_AND_ADMINS, query="customer_id=$reported_customer"),
    "GET /reports/<string:month>": Row(
        CUSTOMERS_AND_ADMINS, path={"month": "$month"}, query="customer_id=$reported_customer"
    ),
    # Administration
    "GET /professionals": Row(ADMINS),
    "GET /professionals/<id:professional_id>": Row(ADMINS),
    "PATCH /professionals/<id:professional_id>": Row(ADMINS, {"approval_expires_at": "$next_week"}),
    "GET /professionals/<id:professional_id>/document": Row(ADMINS),
    "POST /professionals/<id:professional_id>/approve": Row(
        ADMINS, {}, path={"professional_id": "$pending_professional"}
    ),
    "POST /professionals/<id:professional_id>/reject": Row(
        ADMINS, WHY, path={"professional_id": "$pending_professional"}
    ),
    "GET /profile_photos": Row(ADMINS),
    "GET /profile_photos/<id:photo_id>": Row(ADMINS),
    "POST /profile_photos/<id:photo_id>/approve": Row(ADMINS),
    "POST /profile_photos/<id:photo_id>/reject": Row(ADMINS, WHY),
    "GET /customers": Row(ADMINS),
    "GET /customers/<id:customer_id>": Row(ADMINS),
    "POST /users/<id:account_id>/block": Row(ADMINS, {"reason": "other"}),
    "POST /users/<id:account_id>/unblock": Row(ADMINS, path={"account_id": "$blocked_account"}),
    "POST /users/<id:account_id>/end_sessions": Row(ADMINS, status=204),
    "POST /admins": Row(ADMINS, SIGN_UP, status=201),
    "GET /settings": Row(ADMINS),
    "PATCH /settings": Row(ADMINS, {"free_cancel_minutes": 60}),
    "GET /reliability": Row(ADMINS),
    "GET /stats": Row(ADMINS),
    "GET /audit": Row(ADMINS),
    "GET /exports": Row(ADMINS),
    "POST /exports": Row(ADMINS, {"from": "2026-01-01"}, status=202),
    "GET /exports/<id:export_id>": Row(ADMINS),
    "POST /exports/<id:export_id>/cancel": Row(ADMINS, path={"export_id": "$queued_export"}),
    "GET /exports/<id:export_id>/download": Row(ADMINS, path={"export_id": "$finished_export"}),
    "GET /deliveries": Row(ADMINS),
    "GET /deliveries/<id:delivery_id>": Row(ADMINS),
    "POST /deliveries/<id:delivery_id>/resend": Row(ADMINS, status=202),
    "GET /processes": Row(ADMINS),
    "GET /jobs": Row(ADMINS),
    "POST /jobs/<string:name>/run": Row(ADMINS, path={"name": "housekeeping"}, status=202),
    "GET /jobs/runs": Row(ADMINS),
    "GET /jobs/runs/<id:run_id>": Row(ADMINS),
    "GET /jobs/failed": Row(ADMINS),
    "POST /jobs/failed/<id:job_id>/retry": Row(ADMINS, status=202),
    "GET /jobs/parked": Row(ADMINS),
    "POST /jobs/parked/<id:job_id>/retry": Row(ADMINS, status=202),
}
