"""The mails in English."""

from typing import Final

from chalicelib.domain.mail import Kind
from chalicelib.mails.wording import Tongue, Wording

_HELLO: Final = "Hello $reader,\n\n"
_SUMMARY: Final = (
    _HELLO
    + """This is what $account sent: $period.

Messages: $messages
Message parts: $parts
Credit: $credits

$ends_lines

By country, messages and credit:
$countries_lines

The balance is $balance."""
)

ENGLISH: Final = Tongue(
    wordings={
        Kind.USER_CREATED: Wording(
            "Your login to Chasqui",
            _HELLO
            + """There is a login to Chasqui for you, with this e-mail address.

It belongs to $account.

Choose your password here:
$link

Choose your password with this token:
$token

It works once, until $until.""",
        ),
        Kind.EMAIL_CHANGED: Wording(
            "The e-mail address of your login was changed",
            _HELLO
            + """Your login to Chasqui has another e-mail address by now. It is no longer this one.

When: $changed

If it was not you who asked for it, tell us at once.""",
        ),
        Kind.PASSWORD_CHANGED: Wording(
            "Your password was changed",
            _HELLO
            + """The password of your login to Chasqui was changed. All your other sessions were ended.

When: $changed

From: $from_address

If it was not you, ask for a new password at once, and tell us.""",
        ),
        Kind.PASSWORD_RESET: Wording(
            "A new password for Chasqui",
            _HELLO
            + """Somebody, we hope you, asked for a new password of your login to Chasqui.

It was asked for from $from_address.

Choose it here:
$link

Choose it with this token:
$token

It works once, until $until.

If it was not you, do nothing: your password stays as it is.""",
        ),
        Kind.PRICE_CHANGED: Wording(
            "Prices of $account change",
            _HELLO
            + """Prices of $account change.

Rate plan: $plan

From: $starts

$changes_lines""",
        ),
        Kind.CREDIT_GRANTED: Wording(
            "Credit for $account: $amount",
            _HELLO
            + """$account was granted $amount credits.

What for: $why

When: $granted

The balance is $balance.""",
        ),
        Kind.LOW_CREDIT: Wording(
            "$account is running out of credit: $balance",
            _HELLO
            + """The balance of $account is $balance, below the threshold of $threshold.

It has been so since $since.

Messages that the credit does not cover are refused. We tell you again once a day until it is topped up.""",
        ),
        Kind.JOB_FINISHED: Wording(
            "Sending job $job_name: $status",
            _HELLO
            + """The sending job "$job_name" of $account is over: $status.

Messages: $messages

Started: $started

Ended: $ended

What became of each is told by its results: job $job.""",
        ),
        Kind.WEBHOOK_FAILING: Wording(
            "A webhook of $account takes nothing",
            _HELLO
            + """A webhook of $account takes nothing any more:
$url

Since: $since

The last answer: $reason

Each event is tried ten times in three days; what was not taken by then can be replayed.
One that answers 410 is told nothing until you set it to active again. Webhook: $webhook.""",
        ),
        Kind.GATEWAY_DOWN: Wording(
            "Gateway down: $gateway",
            _HELLO
            + """The gateway $gateway ($gateway_name) has no session with its SMSC.

Since: $since

The last error: $reason

What is to go by it waits. We tell you again every six hours until it is bound.""",
        ),
        Kind.SUMMARY_DAILY: Wording("Summary of $account: $period", _SUMMARY),
        Kind.SUMMARY_WEEKLY: Wording("Weekly summary of $account: $period", _SUMMARY),
        Kind.FORWARD_CONFIRM: Wording(
            "Do you want notifications of $account?",
            """Hello,

$account wants notifications of Chasqui to be sent to this address as well, about: $modules.

Confirm it here:
$link

Confirm it with this token:
$token

It works until $until. If you do nothing, nothing will be sent.""",
        ),
    },
    words={},
)
FOOTER: Final = "You get this because $account has its notifications forwarded to you. To stop them:\n$stop"
