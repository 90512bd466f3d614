"""The deployment's settings: read from the environment once, on first use, never at import."""

import os
from functools import cache

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between stages. `prefix` stands before every table, queue, bucket and secret name."""

    prefix: str
    rules_bucket: str
    jobs_bucket: str
    cdr_bucket: str
    cursor_secret: str
    rules_poll_seconds: float
    account_cache_seconds: float
    esme_retention_days: int
    webhooks_local: bool = False  # http and loopback for webhooks: the local run and tests only
    second_factor: bool = True  # administrators who log in need an authenticator; the local run and tests do without
    mail_from: str = ""  # the From of mails, 'Chasqui <no-reply@example.com>'; none: no mail is sent
    mail_configuration_set: str = ""  # SES's, which tells of bounces and complaints (infra/mail.yaml)
    public_url: str = ""  # where the API is reached from outside: what links in mails begin with
    panel_url: str = ""  # where the web panel is; none: mails give the token that a link would carry


@cache
def settings() -> Settings:
    """The process's settings. Tests that change the environment call `settings.cache_clear()`."""
    prefix = os.environ.get("CHASQUI_PREFIX", "chasqui-dev")
    return Settings(
        prefix=prefix,
        rules_bucket=os.environ.get("CHASQUI_RULES_BUCKET", f"{prefix}-rules"),
        jobs_bucket=os.environ.get("CHASQUI_JOBS_BUCKET", f"{prefix}-jobs"),
        cdr_bucket=os.environ.get("CHASQUI_CDR_BUCKET", f"{prefix}-cdr"),
        cursor_secret=os.environ.get("CHASQUI_CURSOR_SECRET", ""),
        rules_poll_seconds=float(os.environ.get("CHASQUI_RULES_POLL_SECONDS", "5")),
        account_cache_seconds=float(os.environ.get("CHASQUI_ACCOUNT_CACHE_SECONDS", "5")),
        esme_retention_days=int(os.environ.get("CHASQUI_ESME_RETENTION_DAYS", "14")),
        webhooks_local=os.environ.get("CHASQUI_WEBHOOKS_LOCAL", "") == "1",
        second_factor=os.environ.get("CHASQUI_SECOND_FACTOR", "1") != "0",
        mail_from=os.environ.get("CHASQUI_MAIL_FROM", ""),
        mail_configuration_set=os.environ.get("CHASQUI_MAIL_CONFIGURATION_SET", ""),
        public_url=os.environ.get("CHASQUI_PUBLIC_URL", "").rstrip("/"),
        panel_url=os.environ.get("CHASQUI_PANEL_URL", "").rstrip("/"),
    )
