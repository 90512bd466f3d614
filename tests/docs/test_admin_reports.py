"""What docs/admin-reports.md says of reports and warnings, held against the code."""

import re
from typing import get_args

from chalicelib.api.catalogue import CATALOGUE
from chalicelib.domain.gateway_quality import DEFAULTS, WARNINGS
from chalicelib.services.check_charges import Verdict
from tests.docs.test_documents import ROOT, _rows

PAGE = (ROOT / "docs" / "admin-reports.md").read_text()
REPORTS = "/v1/admin/reports/"


def test_every_report_is_told() -> None:
    served = {
        operation.path.removeprefix(REPORTS)
        for endpoints in CATALOGUE
        for operation in endpoints.operations
        if operation.path.startswith(REPORTS) and operation.method == "GET" and not operation.path.endswith("/file")
    }
    assert {row[0] for row in _rows(PAGE, "# Administrators' reports")} == served


def test_every_warning_is_told_with_its_threshold() -> None:
    rows = _rows(PAGE, "## Quality")
    assert [row[0] for row in rows] == [warn.code for warn in WARNINGS]
    told = [float(figure) for row in rows for figure in re.findall(r"([\d.]+) %", row[1])]
    shares = (DEFAULTS.made_up_share, DEFAULTS.uniform_share, DEFAULTS.low_share)
    assert told == [round(100 * share, 1) for share in (*shares, DEFAULTS.no_receipt_share, DEFAULTS.unknown_share)]
    assert {int(figure) for row in rows for figure in re.findall(r"(\d+) or more", row[1])} == {DEFAULTS.enough}


def test_every_verdict_is_told() -> None:
    assert tuple(row[0] for row in _rows(PAGE, "## Verification")) == get_args(Verdict)
