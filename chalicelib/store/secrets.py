"""Secrets Manager: gateways' passwords, written by the administrator's API, read by the bridge, never given back."""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.settings import settings
from chalicelib.store import aws


def gateway_password(gateway: str) -> str:
    """The name under which a gateway's password is kept."""
    return f"gateways/{gateway}"


def put(name: str, value: str) -> None:
    """Keep the secret, over what was kept there."""
    full = f"{settings().prefix}/{name}"
    try:
        _client().create_secret(Name=full, SecretString=value)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        _client().put_secret_value(SecretId=full, SecretString=value)


def put_new(name: str, value: str) -> str | None:
    """Keep the secret, unless one is kept already; the one that is."""
    try:
        _client().create_secret(Name=f"{settings().prefix}/{name}", SecretString=value)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        return get(name)
    return value


def get(name: str) -> str | None:
    """The secret, or None where none was put."""
    try:
        found = _client().get_secret_value(SecretId=f"{settings().prefix}/{name}")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return str(found["SecretString"])


def delete(name: str) -> None:
    """Forget the secret, at once and for good: each that is kept is paid for. Where there is none, it is done."""
    try:
        _client().delete_secret(SecretId=f"{settings().prefix}/{name}", ForceDeleteWithoutRecovery=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _client() -> Any:
    return aws.client("secretsmanager")
