"""The source code as syntax trees, for the architecture tests."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
BACKEND: Final = ROOT / "backend"


def modules(folder: Path = BACKEND) -> list[Path]:
    """Return every module under a folder, except caches."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every call with its dotted name, as far as it has one, and its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield every function with its line and its length without the docstring."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, node.lineno, (node.end_lineno or 0) - body[0].lineno + 1


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
