"""The page's calls, made from top to bottom against the API as somebody who follows it would make them."""

import json
import re
import shlex
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chalice.test import Client

from app import app
from chalicelib.services.issue_key import issue_admin_key
from chalicelib.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()
# What a reader copies out of an answer: the variable, and the field it stands in.
COPIED = {"ACCOUNT": "id", "KEY": "key", "KEY_ID": "id", "MESSAGE": "id"}


class Curl(NamedTuple):
    """A call as curl would make it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _commands(text: str) -> list[list[str]]:
    """The shell commands of a page that matter here: curl, export, and the file that is written."""
    found: list[list[str]] = []
    for block in _blocks(text):
        for line in _logical_lines(block):
            if line.startswith(("curl ", "export ", "cat ")):
                found.append(shlex.split(line.partition("\n")[0]) if line.startswith("cat ") else shlex.split(line))
                if line.startswith("cat "):
                    found[-1].append(line)
    return found


def _logical_lines(block: str) -> list[str]:
    """Lines, with those joined that a backslash, an open quote or a here-document holds together."""
    lines: list[str] = []
    held = ""
    for line in block.splitlines():
        held += line + "\n"
        here = re.search(r"<<'(\w+)'", held)
        if (here and line != here[1]) or line.endswith("\\") or (not here and held.count("'") % 2):
            continue
        lines.append(held.replace("\\\n", "").strip())
        held = ""
    return lines


def _curl(words: list[str], variables: dict[str, str], files: dict[str, bytes]) -> Curl:
    def told(word: str) -> str:
        return re.sub(r"\$(\w+)", lambda match: variables[match[1]], word)

    method, body, headers, url = "", b"", {}, ""
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-sS":
                pass
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = told(next(rest)).partition(": ")
                headers[name] = value
            case "-d":
                body = told(next(rest)).encode()
            case "--data-binary":
                body = files[next(rest).removeprefix("@")]
            case _:
                url = told(word)
    path = url.removeprefix(variables["BASE"])
    assert path.startswith("/"), url
    return Curl(method or ("POST" if body else "GET"), path, headers, body)


def _follow(text: str, variables: dict[str, str]) -> list[tuple[Curl, Any]]:
    """Make the page's calls; what each was answered."""
    answers: list[tuple[Curl, Any]] = []
    files: dict[str, bytes] = {}
    with Client(app) as client:
        for words in _commands(text):
            match words[0]:
                case "export":
                    for word in words[1:]:
                        name, _, value = word.partition("=")
                        if "…" in value and name in COPIED:
                            variables[name] = str(answers[-1][1][COPIED[name]])
                            assert variables[name].startswith(value.partition("…")[0])
                case "cat":
                    name = words[words.index(">") + 1]
                    files[name] = "\n".join(words[-1].splitlines()[1:-1]).encode() + b"\n"
                case _:
                    call = _curl(words, variables, files)
                    answer = client.http.request(call.method, call.path, headers=call.headers, body=call.body)
                    assert answer.status_code < 300, (call, answer.body)
                    answers.append((call, json.loads(answer.body)))
                    if call.path.endswith("/keys") and call.method == "GET":
                        variables["KEY_ID"] = answers[-1][1]["data"][0]["id"]
    return answers


def _first_cells(text: str) -> str:
    """The first cells of all tables' rows that name settings: not the alarms, variables and figures."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return "\n".join(cell for cell in cells if not re.search(r"…|CHASQUI_|chasqui_", cell))


def test_who_follows_the_page_sends_a_message_through_a_gateway_of_their_own(aws: Settings) -> None:
    admin = issue_admin_key("Ana, operations", time.time_ns() // 1_000_000).text
    answers = _follow(PAGE, {"BASE": "https://api.example", "ADMIN": admin})
    sent = next(answer for call, answer in answers if (call.method, call.path) == ("POST", "/v1/messages"))
    assert (sent["operator"], sent["price"], sent["parts"]) == ("Movistar ES", "0.045", 1)
    operations = {(call.method, re.sub(r"(acc_|msg_)\w+|/keys/\w+", "…", call.path)) for call, _ in answers}
    assert len(operations) >= 13


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"`([a-z0-9_]+)`", _first_cells(PAGE)))))
def test_every_setting_in_the_tables_is_one_that_there_is(setting: str) -> None:
    with Client(app) as client:
        assert f'"{setting}"' in client.http.get("/openapi.json").body.decode()


@pytest.mark.parametrize("figure", sorted(set(re.findall(r"`(chasqui_bridge_\w+)`", PAGE))))
def test_every_figure_that_is_named_is_one_that_the_bridge_has(figure: str) -> None:
    of_customers = figure.startswith("chasqui_bridge_customers_")
    metrics = (ROOT / "smpp_bridge" / ("customers" if of_customers else "") / "metrics.py").read_text()
    name = figure.removeprefix("chasqui_bridge_").removeprefix("customers_").removesuffix("_total")
    assert f'"{name}"' in metrics or f"}}{name}" in metrics


def test_the_readmes_message_is_one_that_is_accepted(aws: Settings) -> None:
    (block,) = [block for block in _blocks(README) if "-d '" in block]
    words = next(shlex.split(line) for line in _logical_lines(block) if line.startswith("curl"))
    assert json.loads(words[words.index("-d") + 1]).keys() == {"to", "from", "text"}
