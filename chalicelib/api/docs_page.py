"""The OpenAPI document as a page to read: made here, with nothing to fetch from anywhere."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

from chalicelib.api.problems import KINDS

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
code,pre{font:13px/1.5 ui-monospace,monospace}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);padding:.3rem .6rem .3rem 0}
section{border-top:1px solid var(--line);padding-top:.5rem;margin-top:1.5rem}
.method{background:var(--soft);border-radius:.3rem;padding:.1rem .4rem;margin-right:.5rem}
nav ul{columns:2;padding-left:1rem}
"""
Document = dict[str, Any]


def page(document: Document) -> str:
    """The document as HTML."""
    operations = [
        (method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    return "\n".join(
        (
            "<!doctype html><html lang=en><head><meta charset=utf-8>",
            "<meta name=viewport content='width=device-width'>",
            f"<title>{escape(document['info']['title'])} API</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(document['info']['title'])} API</h1><p>{_prose(document['info']['description'])}</p>",
            "<p>The same as a document for programs: <a href='/openapi.json'>/openapi.json</a>. ",
            "Keys are sent as <code>Authorization: Bearer chq_…</code>.</p>",
            "<nav><ul>",
            *(f"<li><a href='#{op['operationId']}'>{escape(op['summary'])}</a></li>" for _, _, op in operations),
            "<li><a href='#problems'>Errors</a></li></ul></nav>",
            *(_operation(method, path, described) for method, path, described in operations),
            "<h2>Types</h2>",
            *(_type(name, schema) for name, schema in document["components"]["schemas"].items()),
            *_problems(),
            "</body></html>",
        )
    )


def _operation(method: str, path: str, described: Document) -> str:
    role = f" ({described['x-role']} key)" if "x-role" in described else ""
    rows = [
        (f"<code>{escape(parameter['name'])}</code>", parameter["in"], *_schema_cells(parameter["schema"]))
        for parameter in described["parameters"]
    ]
    body = described.get("requestBody", {}).get("content", {})
    return "\n".join(
        (
            f"<section id='{described['operationId']}'><h3><code class=method>{method}</code>",
            f"<code>{escape(path)}</code></h3><p><b>{_prose(described['summary'])}</b>{role}</p>",
            f"<p>{_prose(described['description'])}</p>",
            _table(("parameter", "in", "type", "meaning"), rows),
            *(f"<p>Body, {media}: {_kind(held['schema'])}</p>" for media, held in body.items()),
            _table(("answer", "body", ""), list(_answers(described["responses"]))),
            "</section>",
        )
    )


def _answers(responses: Document) -> Iterator[tuple[str, str, str]]:
    for status, answer in responses.items():
        for held in answer["content"].values():
            yield status, _kind(held["schema"]), _prose(answer["description"])


def _type(name: str, schema: Document) -> str:
    required = set(schema.get("required", []))
    rows = [
        (f"<code>{escape(field)}</code>{'' if field in required else ' <i>optional</i>'}", *_schema_cells(held))
        for field, held in schema.get("properties", {}).items()
    ]
    described = f"<p>{_prose(schema.get('description', ''))}</p>"
    shown = _table(("field", "type", "meaning"), rows) if rows else f"<p>{_kind(schema)}</p>"
    return f"<section id='type-{escape(name)}'><h3>{escape(name)}</h3>{described}{shown}</section>"


def _problems() -> Iterator[str]:
    yield "<section id=problems><h2>Errors</h2>"
    rows = [
        (f"<code id='problem-{code}'>{code}</code>", str(kind.status), kind.title, "yes" if kind.retryable else "no")
        for code, kind in KINDS.items()
    ]
    yield _table(("code", "status", "meaning", "worth trying again as it is"), rows)
    yield "</section>"


def _schema_cells(schema: Document) -> tuple[str, str]:
    bounds = ", ".join(
        f"{name} <code>{escape(str(schema[key]))}</code>"
        for key, name in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("minLength", "length at least"),
            ("maxLength", "length at most"),
            ("pattern", "pattern"),
            ("default", "default"),
        )
        if schema.get(key) is not None
    )
    return _kind(schema), " ".join(filter(None, (_prose(schema.get("description", "")), bounds)))


def _kind(schema: Document) -> str:
    if reference := schema.get("$ref"):
        name = escape(str(reference).rpartition("/")[2])
        return f"<a href='#type-{name}'>{name}</a>"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(choice) for choice in choices)
    if values := schema.get("enum"):
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return f"list of {_kind(items)}" if isinstance(items, dict) else "list"
    return escape(str(schema.get("format") or schema.get("type") or "any"))


def _prose(text: str) -> str:
    """`code` in backticks is shown as such."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if at % 2 else piece for at, piece in enumerate(pieces))


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"
