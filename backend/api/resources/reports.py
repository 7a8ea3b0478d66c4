"""Monthly reports: as JSON or as the emailed page, and the list of those sent."""

from dataclasses import asdict

from flask import Response, render_template, request
from werkzeug.exceptions import NotAcceptable

from backend.api import language
from backend.api.auth import CUSTOMERS_AND_ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import NO_STORE, JsonObject
from backend.api.schemas import reports as schemas
from backend.core.config import current_settings
from backend.core.db.pagination import Page, Window
from backend.core.errors import Invalid, NotFound
from backend.core.security.authz import Actor
from backend.domain.notifications.messages import render, template_values
from backend.domain.reports import actions, queries, wording
from backend.domain.reports.queries import Report, Sent
from backend.domain.reports.statistics import COUNTED

JSON, HTML = "application/json", "text/html"
INLINE_STYLES_ONLY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"


def present(report: Report) -> JsonObject:
    """Return a report as a response body."""
    figures = report.figures
    return {
        "customer_id": report.customer.id,
        "month": str(report.month),
        "unfinished": report.unfinished,
        "sent_at": report.sent_at,
        "generated_at": figures.generated_at,
        **{name: getattr(figures, name) for name in COUNTED},
        "spent": figures.spent,
        "currency": figures.currency,
        "upcoming": [asdict(request) for request in figures.upcoming],
    }


def present_sent(sent: Sent) -> JsonObject:
    """Return an item of the list of reports."""
    figures = sent.figures
    return {
        "month": str(sent.month),
        "sent_at": sent.sent_at,
        "requested": figures.requested,
        "closed": figures.closed,
        "spent": figures.spent,
        "currency": figures.currency,
    }


class OneReport(Resource):
    @endpoint(
        summary="Get a monthly report",
        who=CUSTOMERS_AND_ADMINS,
        query=schemas.Whose(),
        response=schemas.Report(),
        errors=(NotFound, Invalid),
    )
    def get(self, actor: Actor, *, month: str, query: schemas.WhoseData) -> JsonObject | Response:
        """JSON or HTML, depending on Accept. The current month is marked unfinished; future months are 404."""
        report = queries.get(actor, written=month, customer_id=query["customer_id"])
        accepted = request.accept_mimetypes
        wanted = accepted.best_match([JSON, HTML]) if accepted else JSON
        if wanted is None:
            raise NotAcceptable("Reports are available as application/json and text/html.")
        return present(report) if wanted == JSON else _page(report, language.of_reader(actor))


class Reports(Resource):
    @endpoint(
        summary="List monthly reports",
        who=CUSTOMERS_AND_ADMINS,
        query=schemas.Reports(),
        response=schemas.SentReport(),
        paged=True,
        errors=(NotFound, Invalid),
    )
    def get(self, actor: Actor, *, query: schemas.ReportsData) -> Page[JsonObject]:
        """Reports that were sent, latest first. Months that are not listed can still be requested."""
        page = queries.sent(actor, Window(query["limit"], query["cursor"]), customer_id=query["customer_id"])
        return Page([present_sent(report) for report in page.items], page.next_cursor)


def _page(report: Report, reader: str) -> Response:
    params = wording.params(report.month, report.figures, unfinished=report.unfinished)
    html = render_template(
        "mail/report.html",
        **params,
        **template_values(reader),
        words=render(actions.KIND, params, language=reader),
        firstname=report.customer.firstname,
        market=current_settings().market_name,
        home=current_settings().public_url,
    )
    response = Response(html, mimetype=HTML)
    response.headers["Content-Security-Policy"] = INLINE_STYLES_ONLY
    response.headers["Cache-Control"] = NO_STORE
    response.headers["Content-Language"] = reader
    response.vary.add("Accept-Language")
    return response
