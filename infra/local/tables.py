"""The tables' indexes, read from infra/data.yaml: a write to a table is a write to each of its indexes too."""

from typing import Any

import yaml  # type: ignore[import-untyped] # it ships no types

from infra.local.capacity import Index, Indexes
from infra.local.stack import TEMPLATE


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # untyped
    """YAML with CloudFormation's short tags, each read as the plain value behind it."""


def _untagged(loader: Any, _suffix: str, node: Any) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case _:
            return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _untagged)


def indexes(prefix: str) -> Indexes:
    """Global secondary indexes by table name, for a stage's prefix."""
    template = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader by descent
    tables = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
    return {
        table["TableName"].replace("${Prefix}", prefix): tuple(
            _index(table, index) for index in table.get("GlobalSecondaryIndexes", ())
        )
        for table in tables
    }


def _index(table: dict[str, Any], index: dict[str, Any]) -> Index:
    keys = tuple(key["AttributeName"] for key in index["KeySchema"])
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(keys=keys, carries=None)
    own = {key["AttributeName"] for key in table["KeySchema"]}
    return Index(keys=keys, carries=frozenset(own | {*keys} | {*projection.get("NonKeyAttributes", ())}))
