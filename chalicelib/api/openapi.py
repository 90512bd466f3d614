"""The OpenAPI 3.1 document, made from the operations and from the types that validate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from chalicelib.api import problems
from chalicelib.api.amounts import schema_hook
from chalicelib.api.endpoints import CSV, IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_PATTERN, JSON, CsvText
from chalicelib.api.operation import Operation

VERSION: Final = "1"  # the /v1 of the paths
Schema = dict[str, Any]
_REFERENCE: Final = "#/components/schemas/{name}"
_SECURITY: Final = "api_key"


def document(operations: Iterable[Operation]) -> Schema:
    """The document of these operations."""
    known = tuple(operations)
    types = _types(known)
    schemas, components = msgspec.json.schema_components(types, schema_hook=schema_hook, ref_template=_REFERENCE)
    schema_of = {_key(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    queries = {operation.query.__name__ for operation in known if operation.query is not None}
    paths: dict[str, Schema] = defaultdict(dict)
    for operation in known:
        paths[operation.path][operation.method.lower()] = _operation(operation, schema_of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chasqui",
            "version": VERSION,
            "description": "Send SMS, and follow each message to its end. Errors are problem details (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in known)],
        "paths": dict(paths),
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
            "securitySchemes": {
                _SECURITY: {"type": "http", "scheme": "bearer", "description": "An API key: `chq_live_…`"}
            },
        },
    }


def _types(operations: tuple[Operation, ...]) -> list[Any]:
    """Every type that the document speaks of, once."""
    found: dict[str, Any] = {_key(problems.Problem): problems.Problem}
    for operation in operations:
        named = (operation.body, operation.query, *operation.answers.values(), *operation.path_types.values())
        for kind in named:
            if kind is not None and not _is_text(kind):
                found.setdefault(_key(kind), kind)
    return list(found.values())


def _key(kind: Any) -> str:
    """Types as keys: annotated ones do not all hash."""
    return repr(kind)


def _operation(operation: Operation, schema_of: Mapping[str, Schema], components: Mapping[str, Schema]) -> Schema:
    summary, _, description = (operation.handler.__doc__ or "").strip().partition("\n")
    described: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": "\n".join(line.strip() for line in description.strip().splitlines()),
        "security": [{_SECURITY: []}] if operation.role else [],
        "parameters": _parameters(operation, schema_of, components),
        "responses": _responses(operation, schema_of),
    }
    if operation.body is not None:
        media: Schema = {JSON: {"schema": schema_of[_key(operation.body)]}}
        if operation.csv:
            media[CSV] = {"schema": {"type": "string"}}
        described["requestBody"] = {"required": True, "content": media}
    if operation.role:
        described["x-role"] = operation.role
        described["x-scope"] = operation.scope
        described["x-right"] = operation.right
    return described


def _parameters(
    operation: Operation, schema_of: Mapping[str, Schema], components: Mapping[str, Schema]
) -> list[Schema]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema_of[_key(kind)]}
        for name, kind in operation.path_types.items()
    ]
    if operation.query is not None:
        query = components[operation.query.__name__]
        required = query.get("required", [])
        for name, schema in query["properties"].items():
            parameters.append({"name": name, "in": "query", "required": name in required, "schema": _given(schema)})
    if operation.idempotent:
        key = {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN}
        described = "Kept for 24 hours: the same key with the same request gives the same answer, done once."
        parameters.append({"name": IDEMPOTENCY_KEY, "in": "header", "schema": key, "description": described})
    return parameters


def _given(schema: Schema) -> Schema:
    """A parameter that is optional is left out, never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    return {**kept, **choices[0]} if len(choices) == 1 else schema


def _is_text(kind: Any) -> bool:
    """Whether an answer is no JSON."""
    return kind is str or kind is CsvText


def _responses(operation: Operation, schema_of: Mapping[str, Schema]) -> Schema:
    responses: Schema = {}
    for status, kind in operation.answers.items():
        media = CSV if kind is CsvText else "text/html" if _is_text(kind) else JSON
        schema = {"type": "string"} if _is_text(kind) else schema_of[_key(kind)]
        responses[str(status)] = {"description": "As asked", "content": {media: {"schema": schema}}}
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in operation.codes:
        by_status[problems.KINDS[code].status].append(code)
    for status, codes in by_status.items():
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {problems.CONTENT_TYPE: {"schema": schema_of[_key(problems.Problem)]}},
        }
    return dict(sorted(responses.items()))
