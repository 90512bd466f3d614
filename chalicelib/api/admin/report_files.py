"""Administrators' reports as CSV files: all their lines, whatever `limit` says."""

from typing import Final

from chalicelib.api.admin.report_checks import ChargeQuery, WalletQuery
from chalicelib.api.admin.report_logs import BindQuery, WebhookQuery, binds_by, deliveries_by
from chalicelib.api.admin.report_messages import FindQuery, wanted_by
from chalicelib.api.admin.report_routing import DefaultRoutingQuery
from chalicelib.api.admin.report_traffic import (
    QualityQuery,
    SubmitQuery,
    TrafficQuery,
    quality_question,
    traffic_question,
)
from chalicelib.api.admin.report_types import span
from chalicelib.api.endpoints import AdminCall, Endpoints, Reply
from chalicelib.api.made_files import FileView, file_view
from chalicelib.services import export_admin_report as files
from chalicelib.services.faults import not_found
from chalicelib.services.walk_messages import Ground
from chalicelib.store import accounts

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")
_ALSO: Final = {202: FileView}


@endpoints.get("/v1/admin/reports/messages/file", also=_ALSO, faults=("not_found",))
def file_of_messages_of_all(call: AdminCall, query: FindQuery) -> FileView | Reply[FileView]:
    """Get the messages that are found as a CSV file.

    It is made when you ask for it: 202 until it is there; and anew where it is older than ten minutes.
    """
    return _file(call, files.OfMessages(wanted=wanted_by(query), days=span(query, call.now_ms)), query.account)


@endpoints.get("/v1/admin/reports/binds/file", also=_ALSO, faults=("not_found",))
def file_of_binds(call: AdminCall, query: BindQuery) -> FileView | Reply[FileView]:
    """Get the bind log as a CSV file; 202 until it is there."""
    return _file(call, files.OfBinds(wanted=binds_by(query), days=span(query, call.now_ms)))


@endpoints.get("/v1/admin/reports/webhooks/file", also=_ALSO, faults=("not_found",))
def file_of_webhooks(call: AdminCall, query: WebhookQuery) -> FileView | Reply[FileView]:
    """Get the webhook log as a CSV file; 202 until it is there."""
    return _file(call, files.OfWebhooks(wanted=deliveries_by(query)), query.account)


@endpoints.get("/v1/admin/reports/charges/file", also=_ALSO, faults=("not_found",))
def file_of_charges(call: AdminCall, query: ChargeQuery) -> FileView | Reply[FileView]:
    """Get charges held against prices as a CSV file; 202 until it is there."""
    ground = Ground(days=span(query, call.now_ms), account=query.account)
    return _file(call, files.OfCharges(ground=ground, all_of_them=query.show == "all"), query.account)


@endpoints.get("/v1/admin/reports/wallets/file", also=_ALSO, faults=("not_found",))
def file_of_wallets(call: AdminCall, query: WalletQuery) -> FileView | Reply[FileView]:
    """Get wallets held against ledgers as a CSV file; 202 until it is there."""
    return _file(call, files.OfWallets(account=query.account), query.account)


@endpoints.get("/v1/admin/reports/default-routing/file", also=_ALSO, faults=("not_found",))
def file_of_default_routing(call: AdminCall, query: DefaultRoutingQuery) -> FileView | Reply[FileView]:
    """Get the default routing report as a CSV file; 202 until it is there."""
    report = files.OfDefaultRouting(days=span(query, call.now_ms), account=query.account)
    return _file(call, report, query.account)


@endpoints.get("/v1/admin/reports/submits/file", also=_ALSO, faults=("not_found",))
def file_of_submits(call: AdminCall, query: SubmitQuery) -> FileView | Reply[FileView]:
    """Get submits held against charges as a CSV file; 202 until it is there."""
    return _file(call, files.OfSubmits(days=span(query, call.now_ms), gateway=query.gateway))


@endpoints.get("/v1/admin/reports/summary/file", also=_ALSO, faults=("not_found",))
def file_of_traffic(call: AdminCall, query: TrafficQuery) -> FileView | Reply[FileView]:
    """Get a summary of traffic as a CSV file, a line a group; 202 until it is there."""
    return _file(call, files.OfTraffic(question=traffic_question(query, span(query, call.now_ms))))


@endpoints.get("/v1/admin/reports/gateway-quality/file", also=_ALSO, faults=("not_found",))
def file_of_gateway_quality(call: AdminCall, query: QualityQuery) -> FileView | Reply[FileView]:
    """Get gateways' quality as a CSV file; 202 until it is there."""
    return _file(call, files.OfQuality(question=quality_question(query, span(query, call.now_ms))))


def _file(call: AdminCall, report: files.Report, account: str | None = None) -> FileView | Reply[FileView]:
    """The report's file. Who asks for an account that there is not is told so now, and not the function later."""
    if account is not None and accounts.get(account) is None:
        raise not_found("account")
    return file_view(*files.ask(report, call.now_ms), call.now_ms)
