"""What the documents say of the code, held against the code: tables, commands, links, and the words of the glossary."""

import re
from pathlib import Path

import pytest

from chalicelib.api.problems import KINDS
from chalicelib.domain.status import FINAL, Status
from infra.local.smsc.outcomes import table

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()


def _rows(text: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table after a heading, without backquotes."""
    after = text[text.index(heading) :]
    lines = re.search(r"\n\|.*\n\|[-| :]+\|\n((?:\|.*\n)+)", after)
    assert lines is not None, f"no table after {heading!r}"
    return [
        tuple(cell.strip().replace("`", "") for cell in line.strip("|").split(" | "))
        for line in lines.group(1).splitlines()
    ]


def test_the_readmes_magic_numbers_are_the_simulators() -> None:
    assert _rows(README, "## Magic numbers") == table()


def test_the_error_codes_of_the_guide_are_the_apis() -> None:
    told = _rows((ROOT / "docs" / "api.md").read_text(), "## Errors")
    known = [
        (code, str(kind.status), kind.title, "yes" if kind.retryable else "no")
        for code, kind in sorted(KINDS.items(), key=lambda item: (item[1].status, item[0]))
    ]
    assert told == known


def test_the_statuses_of_the_guide_are_the_domains() -> None:
    told = {row[0]: row[2] == "yes" for row in _rows((ROOT / "docs" / "api.md").read_text(), "## Following a message")}
    assert told == {status.value: status in FINAL for status in Status if status is not Status.SCHEDULED}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document: Path) -> None:
    named = set(
        re.findall(
            r"`((?:chalicelib|functions|smpp_bridge|infra|tests|docs|\.chalice|\.ci)/[\w./-]*)`", document.read_text()
        )
    )
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_of_make_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`|=\w+ )make ([a-z]+)", document.read_text(), re.MULTILINE))
    assert named - targets == set()


def test_ci_runs_what_the_readme_names() -> None:
    lines = re.findall(r"^make \w+$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert lines
    assert all(line in README for line in lines)


def test_decisions_are_numbered_without_gap_or_repetition() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
