"""What each function may do, as a table. From it infra/policies.py writes the IAM policies."""

from typing import Final, NamedTuple


class Grant(NamedTuple):
    """Actions of one service on resources of the stage; both are written after the service's own prefix."""

    service: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def _table(*names: str, actions: tuple[str, ...]) -> Grant:
    return Grant("dynamodb", actions, names)


def _consume(queue: str) -> Grant:
    """What Lambda's poller does in the function's name, and the function itself with what succeeded."""
    return Grant("sqs", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl"), (queue,))


def _send(*queues: str) -> Grant:
    return Grant("sqs", ("SendMessage", "GetQueueUrl"), queues)


LOGS: Final = Grant("logs", ("CreateLogStream", "PutLogEvents"), ("",))
# Who tells of messages looks where to, and in which lane.
TELL_WEBHOOKS: Final = (
    _table("webhooks", "webhook_health", actions=("GetItem",)),
    _send("webhooks", "webhooks-slow"),
)
# Either lane: endpoints that are gone are disabled, how each fares is noted, and what became of each event.
DELIVER_WEBHOOKS: Final = (
    _send("mails"),  # an endpoint that fails for long
    _table("webhooks", "webhook_health", actions=("GetItem", "UpdateItem")),
    _table("webhook_deliveries", actions=("UpdateItem", "BatchWriteItem")),
    Grant("secretsmanager", ("GetSecretValue",), ("webhooks/*",)),
)
# What a job's recipients are read from and kept in. Without ListBucket, what is not there would be told as forbidden.
JOB_FILES: Final = (
    Grant("s3", ("ListBucket",), ("jobs",)),
    Grant("s3", ("GetObject", "PutObject"), ("jobs/*",)),
)
# Where an account wants its texts kept as hashes only, who notes them needs its key. It is made where that is set, or
# by the first day that is closed.
HASH_TEXTS: Final = (Grant("secretsmanager", ("GetSecretValue",), ("keys/*",)),)
MAKE_HASH_KEY: Final = (Grant("secretsmanager", ("CreateSecret",), ("keys/*",)),)
# Administrators' reports go over all accounts; they are read by the API, and made into files by the jobs' function.
ADMIN_REPORTS: Final = (
    _table("accounts", actions=("GetItem", "Scan")),
    _table("gateways", actions=("Scan",)),
    _table("messages", "receipts", actions=("BatchGetItem",)),
    _table("messages/index/by_recipient", "usage/index/by_day", "ledger/index/by_time", actions=("Query",)),
    _table("messages", "usage", "day_summaries", "webhook_deliveries", actions=("Query",)),
    _table("binds", "binds/index/by_party", actions=("Query",)),
    _table("wallets", "webhooks", actions=("GetItem",)),
    *HASH_TEXTS,
)
READ_RULES: Final = (
    Grant("s3", ("ListBucket",), ("rules",)),
    Grant("s3", ("GetObject",), ("rules/rules/*",)),
)

GRANTS: Final[dict[str, tuple[Grant, ...]]] = {
    "api": (
        LOGS,
        *READ_RULES,
        Grant("s3", ("PutObject",), ("rules/rules/*",)),
        _table("accounts", actions=("GetItem", "PutItem", "UpdateItem", "Scan")),
        _table("api_keys", actions=("GetItem", "PutItem", "UpdateItem", "Scan")),
        _table("api_keys/index/by_account", actions=("Query",)),
        _table("users", actions=("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("user_emails", actions=("GetItem", "PutItem", "DeleteItem")),
        _table("users/index/by_account", "sessions/index/by_holder", actions=("Query",)),
        _table("sessions", actions=("GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")),
        _table("login_guards", actions=("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")),
        _table("password_resets", actions=("GetItem", "DeleteItem")),  # the mails' function makes them
        Grant("secretsmanager", ("CreateSecret", "PutSecretValue", "GetSecretValue", "DeleteSecret"), ("totp/*",)),
        _table("wallets", actions=("GetItem", "BatchGetItem", "PutItem", "UpdateItem")),
        _table("usage", actions=("UpdateItem",)),  # a grant is counted
        _table("ledger", actions=("GetItem", "PutItem")),
        _table("ledger/index/by_time", actions=("Query",)),
        _table("messages", actions=("Query", "BatchWriteItem")),
        _table("messages/index/by_recipient", "messages/index/by_decision", "usage", actions=("Query",)),
        _table("idempotency", actions=("GetItem", "PutItem")),
        _table("dispatches", actions=("GetItem", "PutItem")),
        _table("waiting_orders", actions=("GetItem", "UpdateItem")),
        _table("waiting_orders/index/by_gateway", actions=("Query",)),
        _table("gateway_beats", actions=("Query", "Scan")),
        Grant("sqs", ("GetQueueUrl", "GetQueueAttributes"), ("*",)),  # how each queue stands
        Grant("cloudwatch", ("GetMetricData",), ("",)),  # and for how long what waits there has
        _table("gateways", "routes", actions=("GetItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("numbering", actions=("GetItem", "BatchWriteItem", "DeleteItem", "Scan")),
        _table("smpp_logins", actions=("GetItem", "PutItem", "UpdateItem", "Scan")),
        _table("smpp_logins/index/by_account", actions=("Query",)),
        _table("esme_sessions", actions=("Query", "UpdateItem", "Scan")),  # an end is asked for
        _table("spam_rules", "sender_rules", actions=("GetItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("country_rules", actions=("GetItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("rate_plans", "costs", actions=("GetItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("rule_hits", actions=("BatchGetItem",)),
        _table("rates", actions=("UpdateItem",)),
        _table("dnd", actions=("GetItem", "UpdateItem", "DeleteItem", "BatchWriteItem")),
        _table("dnd/index/by_country", actions=("Query",)),
        _table("opt_outs", actions=("GetItem", "UpdateItem", "Query", "BatchWriteItem")),
        _table("held", actions=("GetItem", "UpdateItem")),
        _table("held/index/by_state", actions=("Query",)),
        _table("dead_letters", actions=("GetItem", "UpdateItem")),
        _table("dead_letters/index/by_state", actions=("Query",)),
        # A canceled message is settled like any other; a dead letter goes again to the queue it failed on.
        _send("accepted", "billing", "outcomes", "visits", "audits", "gateway-*", "esme-*"),
        Grant("sqs", ("CreateQueue",), ("gateway-*", "esme-*")),
        Grant("sqs", ("GetQueueUrl", "GetQueueAttributes"), ("dead",)),
        Grant("secretsmanager", ("CreateSecret", "PutSecretValue"), ("gateways/*",)),  # written, never read
        _table("webhooks", actions=("GetItem", "UpdateItem")),
        _table("webhook_health", actions=("GetItem", "DeleteItem")),
        _table("webhook_deliveries", actions=("GetItem", "Query", "BatchWriteItem")),
        Grant("secretsmanager", ("CreateSecret", "PutSecretValue", "GetSecretValue", "DeleteSecret"), ("webhooks/*",)),
        _send("webhooks", "webhooks-slow", "inbound"),  # a dead letter goes to the last of them too
        _table("numbers", actions=("GetItem", "UpdateItem", "DeleteItem", "Scan")),
        _table("inbound", actions=("GetItem", "Query")),
        _table("audit", actions=("PutItem", "Query")),  # what is in it stays: nobody may change or delete
        _table("audit/index/by_account", "audit/index/by_who", "audit/index/by_subject", actions=("Query",)),
        *JOB_FILES,
        Grant("s3", ("DeleteObject",), ("jobs/jobs/*",)),
        _table("jobs", actions=("GetItem", "UpdateItem", "DeleteItem", "Query", "Scan")),
        _table("scheduled", actions=("PutItem", "DeleteItem")),
        _table("job_tallies", actions=("Query",)),
        _table("job_controls", actions=("PutItem",)),
        _table("dnd", "opt_outs", actions=("BatchGetItem",)),  # for a preview
        _table("groups", actions=("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")),
        _table("contacts", actions=("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")),
        _table("memberships", actions=("PutItem", "DeleteItem", "BatchWriteItem", "Query")),
        _table("contacts/index/by_name", "memberships/index/by_contact", actions=("Query",)),
        _send("jobs"),
        _table("mails", actions=("GetItem", "PutItem")),  # one is sent again
        _table("mails/index/by_time", "mails/index/by_account", "mails/index/by_address", actions=("Query",)),
        _table("bad_addresses", actions=("GetItem", "DeleteItem", "Scan")),
        _table("mail_forwards", actions=("GetItem", "UpdateItem")),
        _send("mails"),
        *ADMIN_REPORTS,
        _table("webhook_deliveries", actions=("BatchGetItem",)),  # of one message
        *HASH_TEXTS,
        *MAKE_HASH_KEY,
        _table("erasures", actions=("GetItem", "UpdateItem", "Scan")),
        _table("day_summaries", actions=("Query",)),
        _send("archives"),
    ),
    "routing": (
        LOGS,
        *READ_RULES,
        _table("accounts", actions=("GetItem",)),
        _table("dnd", actions=("GetItem", "BatchGetItem")),
        _table("opt_outs", actions=("BatchGetItem",)),
        _table("rule_hits", actions=("UpdateItem",)),
        _consume("accepted"),
        _send("billing", "dead"),
    ),
    "billing": (
        LOGS,
        *HASH_TEXTS,
        _table("accounts", actions=("GetItem",)),
        _table("wallets", "usage", actions=("UpdateItem",)),
        _table("ledger", actions=("PutItem",)),
        _table("messages", actions=("BatchGetItem", "BatchWriteItem")),
        _table("held", actions=("PutItem",)),
        _table("job_tallies", actions=("BatchWriteItem",)),
        _consume("billing"),
        _send("gateway-*", "esme-*", "dead"),  # an SMPP customer is told of what is refused here
        *TELL_WEBHOOKS,
    ),
    "delivery": (
        LOGS,
        _table("accounts", actions=("GetItem",)),
        _table("wallets", "usage", actions=("UpdateItem",)),
        _table("ledger", actions=("PutItem",)),
        _table("ends", actions=("GetItem", "PutItem")),
        _table("messages", actions=("Query", "BatchGetItem", "BatchWriteItem")),
        _table("receipts", actions=("BatchGetItem", "BatchWriteItem")),
        _table("job_tallies", actions=("BatchWriteItem",)),
        _consume("outcomes"),
        _send("outcomes", "dead"),  # a receipt that comes first is parked, and given up at last
        _send("esme-*"),
        *TELL_WEBHOOKS,
        _send("inbound"),
    ),
    "inbound": (  # what people write is kept, told, and answered with messages like any other
        LOGS,
        *HASH_TEXTS,
        *READ_RULES,
        *TELL_WEBHOOKS,
        _table("numbers", actions=("GetItem",)),
        _table("inbound", actions=("GetItem", "PutItem", "UpdateItem")),
        _table("inbound_parts", actions=("GetItem", "PutItem", "Query", "BatchWriteItem")),
        _table("accounts", actions=("GetItem", "UpdateItem")),  # the first opt-out of an account
        _table("opt_outs", actions=("UpdateItem",)),
        _table("wallets", actions=("GetItem",)),
        _table("rates", actions=("UpdateItem",)),
        _table("messages", actions=("BatchWriteItem",)),
        _table("idempotency", actions=("GetItem", "PutItem")),
        _consume("inbound"),
        _send("accepted", "esme-*", "inbound", "dead"),
    ),
    "webhooks": (
        LOGS,
        *DELIVER_WEBHOOKS,
        _consume("webhooks"),
        _send("webhooks", "webhooks-slow", "dead"),
    ),
    "webhooks_slow": (
        LOGS,
        *DELIVER_WEBHOOKS,
        _consume("webhooks-slow"),
        _send("webhooks-slow", "dead"),
    ),
    "webhooks_due": (
        LOGS,
        _table("webhook_health", actions=("GetItem",)),
        _table("webhook_deliveries", actions=("UpdateItem",)),
        _table("webhook_deliveries/index/by_due", actions=("Query",)),
        _send("webhooks", "webhooks-slow"),
    ),
    "job": (  # it routes what it feeds, as routing does
        LOGS,
        *READ_RULES,
        *JOB_FILES,
        _table("accounts", "wallets", actions=("GetItem",)),
        _table("jobs", actions=("GetItem", "UpdateItem")),
        _table("job_tallies", actions=("Query",)),
        _table("messages", "usage", actions=("Query",)),  # for a file of results, or of a report
        _table("messages/index/by_recipient", "messages/index/by_decision", actions=("Query",)),
        _table("groups", actions=("GetItem", "BatchGetItem", "UpdateItem")),  # contacts come, and are counted
        _table("contacts", actions=("BatchGetItem", "PutItem", "BatchWriteItem", "Query")),
        _table("memberships", actions=("BatchWriteItem", "Query")),
        _table("dnd", actions=("GetItem", "BatchGetItem")),
        _table("opt_outs", actions=("BatchGetItem",)),
        _table("rule_hits", actions=("UpdateItem",)),
        *ADMIN_REPORTS,
        _consume("jobs"),
        _send("jobs", "billing", "mails", "dead"),
    ),
    "sweep": (  # it does with what waits at gateways what bridges do, where none is there
        LOGS,
        *READ_RULES,
        _table("waiting_orders", actions=("GetItem", "UpdateItem")),
        _table("waiting_orders/index/by_open", "gateway_beats", actions=("Query",)),
        _table("leases", actions=("Scan",)),
        _table("dispatches", actions=("GetItem", "PutItem")),
        Grant("sqs", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"), ("gateway-*",)),
        _send("gateway-*", "outcomes"),
    ),
    "tick": (
        LOGS,
        *HASH_TEXTS,
        _table("jobs", actions=("GetItem", "UpdateItem")),
        _table("jobs/index/by_due", actions=("Query",)),
        _table("scheduled", actions=("UpdateItem", "BatchWriteItem")),
        _table("scheduled/index/by_due", actions=("Query",)),
        _table("accounts", actions=("GetItem",)),
        _table("messages", actions=("BatchWriteItem",)),
        _send("jobs", "accepted"),
    ),
    "mails": (
        LOGS,
        _table("accounts", "wallets", "users", "mail_forwards", "bad_addresses", actions=("GetItem",)),
        _table("users/index/by_account", "usage", actions=("Query",)),
        _table("mails", actions=("PutItem", "UpdateItem")),
        _table("mail_forwards", actions=("UpdateItem",)),  # a link that confirms one is made as its mail is sent
        _table("password_resets", actions=("PutItem",)),  # the same
        Grant("ses", ("SendEmail", "SendRawEmail"), ("identity/*", "configuration-set/*")),
        _consume("mails"),
        _send("mails", "dead"),
    ),
    "mail_events": (
        LOGS,
        _table("mails", actions=("GetItem", "UpdateItem")),
        _table("bad_addresses", actions=("UpdateItem",)),
        Grant("sqs", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"), ("mail-events",)),  # Lambda's poller
        _send("dead"),
    ),
    "alerts": (
        LOGS,
        *READ_RULES,
        _table("accounts", "gateway_beats", actions=("Scan",)),
        _table("wallets", "alerts", actions=("BatchGetItem",)),
        _table("alerts", actions=("UpdateItem",)),
        _table("mails/index/by_waiting", actions=("Query",)),
        _send("mails"),
    ),
    "dead_letters": (
        LOGS,
        _table("dead_letters", actions=("UpdateItem",)),
        Grant("sqs", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"), ("dead",)),  # Lambda's poller
    ),
    "rounds": (
        LOGS,
        _table("accounts", actions=("Scan",)),
        _table("segments", actions=("GetItem", "UpdateItem")),  # what bridges that died left of messages in parts
        _table("segments/index/by_due", actions=("Query",)),
        _send("visits", "accepted"),
    ),
    "visit": (
        LOGS,
        _table("accounts", actions=("GetItem",)),
        _table("messages", actions=("Query",)),
        _table("dispatches", actions=("BatchGetItem", "GetItem", "PutItem")),  # what waited too long is claimed
        *READ_RULES,
        _consume("visits"),
        Grant("sqs", ("GetQueueAttributes",), ("accepted", "billing")),
        Grant("sqs", ("GetQueueUrl",), ("billing",)),
        _send("visits", "accepted", "outcomes", "dead"),
    ),
    "nightly": (
        LOGS,
        _table("accounts", actions=("Scan",)),
        _send("audits"),
    ),
    "archive_nightly": (
        LOGS,
        _table("accounts", actions=("Scan",)),
        _table("erasures", actions=("Scan", "UpdateItem")),
        _send("archives"),
    ),
    "archive": (  # it closes days, makes files, and takes out texts and numbers wherever they are
        LOGS,
        *READ_RULES,  # what it cost where a message failed over
        *JOB_FILES,
        *HASH_TEXTS,
        *MAKE_HASH_KEY,
        Grant("s3", ("DeleteObject",), ("jobs/jobs/*",)),
        Grant("s3", ("ListBucket",), ("cdr",)),
        Grant("s3", ("GetObject", "PutObject", "DeleteObject"), ("cdr/*",)),
        _table("accounts", actions=("GetItem", "Scan")),
        _table("messages", actions=("Query", "BatchWriteItem")),
        _table("messages/index/by_recipient", "messages/index/by_decision", actions=("Query",)),
        _table("usage", actions=("Query",)),
        _table("day_summaries", actions=("PutItem",)),
        _table("erasures", actions=("GetItem", "UpdateItem")),
        _table("held", actions=("GetItem", "UpdateItem")),
        _table("inbound", actions=("Query", "UpdateItem")),
        _table("webhooks", "dnd", actions=("GetItem",)),
        _table("webhook_deliveries", actions=("GetItem", "UpdateItem")),
        _table("dead_letters", actions=("Scan", "UpdateItem")),
        _table("opt_outs", actions=("UpdateItem",)),
        _table("jobs", actions=("GetItem", "Query", "UpdateItem")),
        _table("contacts", actions=("GetItem", "DeleteItem")),
        _table("groups", actions=("BatchGetItem", "UpdateItem")),
        _table("memberships", actions=("BatchWriteItem",)),
        _table("memberships/index/by_contact", actions=("Query",)),
        _table("dispatches", actions=("GetItem", "PutItem")),  # what waits for its time is canceled
        _table("scheduled", actions=("DeleteItem",)),
        _consume("archives"),
        _send("archives", "outcomes", "dead"),
    ),
    "audit": (  # it can change nothing
        LOGS,
        _table("accounts", "wallets", actions=("GetItem",)),
        _table("ledger", "messages", "messages/index/by_decision", "usage", actions=("Query",)),
        _consume("audits"),
        _send("audits", "dead"),
    ),
}
