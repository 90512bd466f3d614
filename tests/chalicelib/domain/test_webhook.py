"""Signing by Standard Webhooks 1.0, which URLs may be called, and when an event is tried again."""

import pytest

from chalicelib.domain import webhook_event, webhook_signature
from chalicelib.domain.content import Content
from chalicelib.domain.facts import ErrorInfo, Final, Receipt, Submitted
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.webhook import WAITS_SECONDS, Answer, BadUrl, EventType, check_url, rest_ms, wait_ms
from chalicelib.domain.webhook_signature import BadSignature, headers, new_secret, verify

NOW_MS = 1_760_000_000_000
HOUR_MS = 3_600_000
# The vector that implementations of the specification share.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
CONTENT = Content(
    to="+34600000001",
    country="ES",
    sender="ACME",
    encoding=Encoding.GSM7,
    parts=1,
    valid_until_ms=0,
    text="hi",
    client_ref="order-1",
)


def test_a_signature_is_the_specifications() -> None:
    assert headers([SECRET], ID, AT, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNATURE,
    }
    verify(SECRET, headers([SECRET], ID, AT, BODY), BODY, AT)


def test_while_a_secret_is_rotated_both_sign_and_either_verifies() -> None:
    old, new = new_secret(), new_secret()
    sent = headers([new, old], ID, AT, BODY)
    assert len(sent["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        verify(secret, sent, BODY, AT)
    with pytest.raises(BadSignature):
        verify(new_secret(), sent, BODY, AT)


@pytest.mark.parametrize(
    ("change", "body", "now"),
    [
        ({}, BODY + " ", AT),
        ({"webhook-id": "another"}, BODY, AT),
        ({"webhook-timestamp": str(AT + 1)}, BODY, AT),
        ({"webhook-timestamp": "soon"}, BODY, AT),
        ({}, BODY, AT + 301),
        ({}, BODY, AT - 301),
        ({"webhook-signature": SIGNATURE.replace("v1", "v2")}, BODY, AT),
        ({"webhook-signature": ""}, BODY, AT),
        ({"webhook-signature": "v1,é"}, BODY, AT),
    ],
    ids=["body", "id", "timestamp", "no number", "too old", "too early", "version", "none", "not ASCII"],
)
def test_what_was_changed_or_is_old_does_not_verify(change: dict[str, str], body: str, now: int) -> None:
    with pytest.raises(BadSignature):
        verify(SECRET, headers([SECRET], ID, AT, BODY) | change, body, now)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "//example.com",
        "example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: inside",
        "https://example.com\\@inside/",
        "https://español.example/",
        "https://localhost/",
        "https://api.localhost/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://10.0.0.1:8080/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[broken/",
        "https://example.com/" + "x" * 2_000,
    ],
)
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        check_url(url)


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a?b=c", "https://1.1.1.1/"])
def test_a_public_https_url_may_be_called(url: str) -> None:
    assert check_url(url) == url


def test_a_local_run_may_call_http_and_its_own_machine() -> None:
    assert check_url("http://127.0.0.1:2782/hook", local=True)
    with pytest.raises(BadUrl):
        check_url("http://10.0.0.1/", local=True)


def test_ten_attempts_are_made_over_three_days() -> None:
    waits = [wait_ms(attempts, Answer(status=500), NOW_MS, 0) for attempts in range(1, 11)]
    assert waits[-1] is None
    assert [wait // 1000 for wait in waits if wait is not None] == list(WAITS_SECONDS[1:])
    assert 75 * HOUR_MS < sum(wait for wait in waits if wait is not None) < 76 * HOUR_MS


def test_jitter_only_lengthens_a_wait_and_by_a_tenth_at_most() -> None:
    assert wait_ms(2, Answer(status=500), NOW_MS, 0) == 300_000
    assert wait_ms(2, Answer(status=500), NOW_MS, 1) == 330_000


def test_what_is_gone_is_not_tried_again() -> None:
    assert wait_ms(1, Answer(status=410), NOW_MS, 0) is None


@pytest.mark.parametrize(
    ("status", "given", "expected"),
    [
        (429, "120", 120_000),
        (503, "120", 120_000),
        (429, "Thu, 09 Oct 2025 08:55:20 GMT", 120_000),
        (429, "", 0),
        (429, "soon", 0),
        (429, "-5", 0),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (429, "9" * 12, 0),
        (429, "999999999", 24 * HOUR_MS),
        (500, "120", 0),
        (200, "120", 0),
    ],
)
def test_retry_after_is_honoured_with_429_and_503_up_to_a_day(status: int, given: str, expected: int) -> None:
    assert rest_ms(Answer(status=status, retry_after=given), NOW_MS) == expected


def test_an_endpoint_that_asks_for_longer_than_planned_is_given_it() -> None:
    assert wait_ms(1, Answer(status=429, retry_after="60"), NOW_MS, 0) == 60_000
    assert wait_ms(4, Answer(status=429, retry_after="60"), NOW_MS, 0) == 7_200_000


def test_an_event_is_named_after_its_fact_and_always_the_same() -> None:
    fact = Final(at_ms=NOW_MS, status=Status.UNDELIVERED, error=ErrorInfo(code="undelivered", title="No."))
    event = webhook_event.of_message("msg_1", fact, CONTENT)
    assert event == webhook_event.of_message("msg_1", fact, CONTENT)
    assert event is not None
    assert (event.id, event.kind) == ("evt_msg_1_final-undelivered", EventType.UNDELIVERED)
    assert '"from":"ACME"' in event.body
    assert '"client_ref":"order-1"' in event.body
    assert '"code":"undelivered"' in event.body


def test_a_message_is_told_as_submitted_once_whatever_its_parts() -> None:
    def of_part(part: int) -> webhook_event.Event | None:
        fact = Submitted(at_ms=NOW_MS, part=part, parts=2, gateway="g", smsc_message_id="1", session="s")
        return webhook_event.of_message("msg_1", fact, CONTENT)

    told = [of_part(part) for part in (1, 2)]
    assert [event.kind if event else None for event in told] == [EventType.SUBMITTED, None]


def test_a_receipt_of_a_part_is_no_event() -> None:
    receipt = Receipt(
        at_ms=NOW_MS,
        part=1,
        parts=2,
        gateway="g",
        smsc_message_id="1",
        status=Status.DELIVERED,
        state="DELIVRD",
    )
    assert webhook_event.of_message("msg_1", receipt, CONTENT) is None


def test_every_end_has_its_event() -> None:
    from chalicelib.domain.status import FINAL

    assert set(webhook_event.TYPE_OF) == FINAL
    assert webhook_signature.SECRET_PREFIX == "whsec_"
