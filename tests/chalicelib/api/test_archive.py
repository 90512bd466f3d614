"""Records by the file and erasures, over the API: begun, asked for, another's not there, nonsense refused."""

import gzip
from datetime import date
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.services import export_cdrs, forget_number
from chalicelib.services.charge import charge
from chalicelib.services.route import route
from chalicelib.store import aws, queues
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World
from tests.chalicelib.services.world import waiting

TODAY = ids.day_at(World.now_ms())


@pytest.fixture
def world(aws: object) -> World:
    return World()


def go_on(now_ms: int) -> None:
    """What the archive's function does with what is on its queue."""
    for work in waiting(queues.ARCHIVES):
        assert isinstance(work, wire.ArchiveWork)
        steps: dict[str, Any] = {"export": export_cdrs.export, "erase": forget_number.go_on}
        assert steps[work.what](work, now_ms) is None


def charged(world: World) -> None:
    """One message, routed and charged."""
    assert world.send().status_code == 202
    route([one for one in waiting(queues.ACCEPTED) if isinstance(one, wire.AcceptedBundle)], world.now_ms())
    charge([one for one in waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], world.now_ms())


def test_records_are_exported_to_a_file_that_only_its_account_and_administrators_get(world: World) -> None:
    charged(world)
    asked = {"date_from": TODAY, "date_to": TODAY, "time_zone": "America/Lima", "format": "jsonl"}
    asked["date_from"] = str(date.fromordinal(date.fromisoformat(TODAY).toordinal() - 1))
    begun = world.call("POST", "/v1/cdr-exports", asked)
    assert begun.status_code == 202
    path = f"/v1/cdr-exports/{begun.json_body['id']}"
    assert world.call("GET", path).status_code == 202
    go_on(world.now_ms())
    told = world.call("GET", path)
    assert (told.status_code, told.json_body["rows"]) == (200, 1)
    key = told.json_body["url"].split(".com/")[1].split("?")[0]
    bucket = aws_bucket(told.json_body["url"])
    line = gzip.decompress(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert NUMBER.encode() in line
    assert b'"gateway":' not in line
    assert world.as_admin("GET", f"/v1/admin{path[3:]}").status_code == 404  # it is the customer's own
    all_of_them = world.as_admin("POST", "/v1/admin/cdr-exports", asked).json_body["id"]
    go_on(world.now_ms())
    assert world.as_admin("GET", f"/v1/admin/cdr-exports/{all_of_them}").json_body["rows"] == 1
    assert world.call("GET", f"/v1/cdr-exports/{all_of_them}").status_code == 404


def aws_bucket(url: str) -> str:
    return url.removeprefix("https://").split(".")[0]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"date_from": "2026-02-30"}, "/date_from"),
        ({"date_from": "2010-01-01"}, "/date_from"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"format": "xlsx"}, "/format"),
        ({"date_to": "2019-01-01"}, "/date_from"),
    ],
)
def test_an_export_of_days_that_make_no_sense_is_refused(world: World, changed: dict[str, str], field: str) -> None:
    told = world.call("POST", "/v1/cdr-exports", {"date_from": TODAY, "date_to": TODAY, **changed})
    assert told.status_code == 422
    assert [one["pointer"] for one in told.json_body["errors"]] == [field]


def test_an_erasure_is_begun_once_and_tells_what_it_did(world: World) -> None:
    charged(world)
    begun = world.as_admin("POST", "/v1/admin/erasures", {"number": NUMBER})
    assert begun.status_code == 202
    assert (begun.json_body["state"], begun.json_body["number"]) == ("running", "+34•••••••01")
    again = world.as_admin("POST", "/v1/admin/erasures", {"number": NUMBER, "account": None})
    assert again.json_body == begun.json_body
    go_on(world.now_ms())
    told = world.as_admin("GET", f"/v1/admin/erasures/{begun.json_body['id']}").json_body
    assert (told["state"], told["on_their_way"]) == ("waiting", 1)
    assert told["asked_by"].startswith("key:")
    listed = world.as_admin("GET", "/v1/admin/erasures").json_body
    assert listed == {"data": [told], "next_cursor": None}
    assert NUMBER not in str(listed)
    assert world.as_admin("POST", "/v1/admin/erasures", {"number": NUMBER, "account": "acc_none"}).status_code == 404
    assert world.as_admin("POST", "/v1/admin/erasures", {"number": "12"}).status_code == 422
    assert world.as_admin("GET", f"/v1/admin/erasures/era_{'0' * 26}").status_code == 404
    assert world.call("POST", "/v1/admin/erasures", {"number": NUMBER}).status_code == 403
    assert ACCOUNT.id in world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}").body.decode()
