"""The size budget: functions 95 of 100 within 40 lines, none over 60; files 95 of 100 within 350, none over 500."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("src", "tests", "bench", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if "versions" not in path.parts
)


def _functions() -> list[tuple[str, int]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _lines() -> list[tuple[str, int]]:
    return [(str(path.relative_to(ROOT)), len(path.read_text().splitlines())) for path in FILES]


@pytest.mark.parametrize(("sizes", "usual", "most"), [(_functions(), 40, 60), (_lines(), 350, 500)])
def test_sizes_stay_within_the_budget(sizes: list[tuple[str, int]], usual: int, most: int) -> None:
    too_large = [entry for entry in sizes if entry[1] > most]
    large = [entry for entry in sizes if entry[1] > usual]

    assert len(FILES) > 100
    assert not too_large
    assert len(large) <= len(sizes) * 0.05, large


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    forbidden = ("/work/", "/tmp/", "files.pythonhosted", "registry.npmjs", "pypi.org")  # noqa: S108 - looked for
    texts = {
        path: path.read_text()
        for path in [*FILES, *ROOT.glob("*.lock"), *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    }

    found = [(str(path.relative_to(ROOT)), word) for path, text in texts.items() for word in forbidden if word in text]

    assert [entry for entry in found if entry[0] != "tests/unit/test_house.py"] == []
