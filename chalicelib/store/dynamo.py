"""PynamoDB on one shared client: table names from the settings at first use, one connection for all models."""

from functools import cache
from typing import Any, cast

from pynamodb.connection import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.models import Model

from chalicelib.settings import settings
from chalicelib.store import aws


@cache
def connection() -> Connection:
    """The process's one DynamoDB connection (also for TransactWrite and TransactGet)."""
    shared = Connection()
    shared._client = cast(Any, aws.client("dynamodb"))
    return shared


class Table(Model):
    """Base of all models. A subclass's Meta gives `suffix`, the table's name after the stage's prefix."""

    class Meta:
        suffix = ""
        table_name = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """One botocore client for every table: PynamoDB would make one each, at some 50 ms of a cold start."""
        meta = cast(Any, cls).Meta
        meta.table_name = f"{settings().prefix}-{meta.suffix}"
        fresh = cls._connection is None or cls._connection.table_name != meta.table_name
        table = super()._get_connection()
        if fresh or table.connection is not connection():
            meta_table = table.connection.get_meta_table(meta.table_name)
            table.connection = connection()
            table.connection.add_meta_table(meta_table)
        return table
