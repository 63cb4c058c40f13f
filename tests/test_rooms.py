"""The rooms of docs/design.md: imports go one way."""

import ast
from pathlib import Path

import pytest

ROOMS = (
    ("errors", "files", "bench", "figures", "page"),
    ("rotation",),
    ("body",),
    ("sim",),
    ("render",),
    ("motion",),
    ("learning",),
    ("text",),
    ("vision_language",),
    ("controller",),
    ("skill",),
    ("evaluate",),
    ("cli",),
)
"""From the top down: a room may import from those before it and from itself."""

LEVEL = {name: level for level, names in enumerate(ROOMS) for name in names}
SOURCE = Path(__file__).parents[1] / "src" / "anyskill"


def imported_rooms(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # ``from anyskill import rotation`` names the room only in what is imported.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("anyskill.") and name.split(".")[1] in LEVEL}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} is a room that docs/design.md and this test do not know"
    below = {other for other in imported_rooms(path) if LEVEL[other] > LEVEL[room]}
    assert not below, f"{room} imports from {', '.join(sorted(below))}"
