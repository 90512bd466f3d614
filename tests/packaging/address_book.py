"""Groups and contacts through the packaged functions: kept, imported, exported, and sent to."""

from chalicelib import wire
from tests.packaging.campaigns import work_off
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import Journey

FILE = b"phone;name\n+34600000002;Eva\n+34600000000;Ana C\nnobody;x\n"


def keep_contacts(journey: Journey, cloud: Cloud, key: str) -> None:
    """Two groups, contacts in and out of them, a file in and a file out, and a job to a group."""
    first, second, upload, own = journey.call(
        key,
        ("POST", "/v1/groups", {"name": "Friends"}),
        ("POST", "/v1/groups", {"name": "Others"}),
        ("POST", "/v1/uploads", None),
        ("GET", "/v1/account", None),
    )
    group, other = f"/v1/groups/{first['id']}", f"/v1/groups/{second['id']}"
    ana = "/v1/contacts/+34600000000"
    (made,) = journey.call(
        key, ("POST", "/v1/contacts", {"number": "+34600000000", "name": "Ana", "group_ids": [first["id"]]})
    )
    journey.call(
        key,
        ("GET", "/v1/groups", None),
        ("GET", group, None),
        ("PUT", group, {"name": "Best friends"}),
        ("GET", f"{group}/contacts", None),
        ("GET", "/v1/contacts", None),
        ("GET", "/v1/contacts?name=An", None),
        ("GET", ana, None),
        ("PUT", ana, {"name": "Ana B", "version": made["version"]}),
        ("PUT", f"{other}/contacts/+34600000000", None),
        ("DELETE", f"{other}/contacts/+34600000000", None),
        ("POST", f"{ana}/move", {"from": first["id"], "to": second["id"]}),
        ("POST", f"{ana}/move", {"from": second["id"], "to": first["id"]}),
    )
    path = f"uploads/{own['id']}/{upload['id']}"
    cloud.client("s3").put_object(Bucket=f"{PREFIX}-jobs", Key=path, Body=FILE)
    body = {"upload_id": upload["id"], "group_ids": [first["id"]], "number_column": "phone"}
    imported, exported = journey.call(key, ("POST", "/v1/contact-imports", body), ("POST", "/v1/contact-exports", {}))
    (job,) = journey.call(
        key,
        ("POST", "/v1/jobs", {"group_ids": [first["id"]], "text": "Hello {name}", "from": "Acme", "dry_run": True}),
    )
    work_off(journey, cloud)
    told, *_, ready = journey.call(
        key,
        ("GET", f"/v1/contact-imports/{imported['id']}", None),
        ("GET", f"/v1/contact-imports/{imported['id']}/invalid-rows", None),
        ("GET", f"/v1/contact-exports/{exported['id']}", None),
        ("GET", f"/v1/jobs/{job['id']}", None),
    )
    assert (told["status"], told["imported"], told["invalid"]) == ("completed", 2, 1)
    assert ready["preview"]["valid"] >= 1
    journey.call(key, ("DELETE", ana, None), ("DELETE", group, None))
    # What a deletion sends comes some seconds later; here it comes at once.
    forget = wire.JobWork(id=first["id"], account=own["id"], job=first["id"], stage="forget")
    cloud.send("jobs", wire.encode(forget))
    work_off(journey, cloud)
    cloud.take_all("jobs")
