"""Prices, costs and reports through the packaged functions: edited, previewed, read page by page, made into files."""

import time
from typing import Final

from tests.packaging import campaigns
from tests.packaging.cloud import Cloud
from tests.packaging.journey import GATEWAY, SMSC_ID, Journey

CUSTOMERS: Final = ("today", "messages", "summary?group_by=operator", "credits")
ADMINISTRATORS: Final = (
    "messages",
    "binds",
    "webhooks",
    "charges",
    "wallets",
    "default-routing",
    "submits?gateway={gateway}",
    "summary?group_by=gateway",
    "gateway-quality",
)


def read_reports(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """All of them of this month, and those that look elsewhere: by number, by gateway, by party, of days long over."""
    campaigns.work_off(journey, cloud)
    _price(journey, admin, key)
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    number = "%2B34600000000"
    journey.call(key, *(("GET", f"/v1/reports/{one}", None) for one in (*CUSTOMERS, f"messages?number={number}")))
    theirs = [one.format(gateway=GATEWAY) for one in ADMINISTRATORS]
    (listed,) = journey.call(admin, ("GET", f"/v1/admin/reports/messages?account={own['id']}", None))
    message = listed["data"][0]["message_id"]
    days = time.strftime("date_from=%Y-%m-01&date_to=%Y-%m-%d", time.gmtime())
    more = (
        f"messages?number={number}",
        f"messages?message_id={message}",
        f"messages?smsc_id={SMSC_ID}",
        f"binds?side=gateway&name={GATEWAY}",
        f"summary?group_by=hour&{days}",
    )
    journey.call(admin, *(("GET", f"/v1/admin/reports/{one}", None) for one in (*theirs, *more)))
    journey.call(admin, ("GET", f"/v1/admin/reports/messages/{message}", None))
    for whose, root, names in ((key, "/v1/reports", CUSTOMERS), (admin, "/v1/admin/reports", (*theirs, *more))):
        for name in names:
            path, _, query = name.partition("?")
            query = query.replace("group_by=gateway", "group_by=country")  # what was summed up for the page is known
            journey.call(whose, ("GET", f"{root}/{path}/file?{query}", None))
        campaigns.work_off(journey, cloud)


def _price(journey: Journey, admin: str, key: str) -> None:
    """A rate plan and a gateway's costs: made, read, changed, previewed, published, and taken out."""
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    plan, costs = "/v1/admin/rate-plans/plain", f"/v1/admin/costs/{GATEWAY}"
    journey.call(
        admin,
        ("POST", "/v1/admin/rate-plans", {"id": "plain", "name": "Plain"}),
        ("POST", f"{plan}/prices", [{"country": "ES", "price": "0.06"}]),
        ("PUT", plan, {"name": "Plainer", "version": 2}),
        ("POST", costs, [{"country": "ES", "cost": "0.01"}]),
        ("GET", plan, None),
        ("GET", costs, None),
        ("GET", "/v1/admin/costs", None),
        ("POST", f"{plan}/preview", {"account": own["id"]}),
        ("POST", "/v1/admin/rules/publish", {"note": "priced"}),
        ("DELETE", plan, None),
        ("DELETE", costs, None),
    )
