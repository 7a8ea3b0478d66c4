"""The documentation site: links out of docs/, diagrams, and resources that its pages load."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from backend.settings import ROOT


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site_build", ROOT / "docs" / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KNOWN = {
    "how-to/upgrade.md": "docs/how-to/upgrade.md",
    "operations.md": "docs/operations.md",
    "changelog.md": "CHANGELOG.md",
}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[the log](../../CHANGELOG.md)", "[the log](../changelog.md)"),
        ("[Operations](../operations.md#upgrade)", "[Operations](../operations.md#upgrade)"),
        ("[the application](../../frontend/README.md)", "the application (`frontend/README.md`)"),
        ("[all decisions](../adr/)", "[all decisions](../adr/index.md)"),
        ("[missing](../nowhere.md)", "[missing](../nowhere.md)"),
        ("![a picture](../images/landing.webp)", "![a picture](../images/landing.webp)"),
        ("[elsewhere](https://example.org/a)", "[elsewhere](https://example.org/a)"),
    ],
)
def test_rewritten_links_point_to_page_of_file(site: ModuleType, written: str, shown: str) -> None:
    assert site.rewritten(written, "how-to/upgrade.md", "docs/how-to/upgrade.md", KNOWN) == shown


def test_rewritten_links_of_root_page_point_into_docs(site: ModuleType) -> None:
    written = "[Operations](docs/operations.md) and [how](docs/how-to/upgrade.md)"
    assert site.rewritten(written, "changelog.md", "CHANGELOG.md", KNOWN) == (
        "[Operations](operations.md) and [how](how-to/upgrade.md)"
    )


def test_rewritten_state_diagram_is_a_table(site: ModuleType) -> None:
    drawing = "```mermaid\nstateDiagram-v2\n    [*] --> open: create\n    open --> done: close\n    done --> [*]\n```"
    assert site.rewritten(drawing, "operations.md", "docs/operations.md", KNOWN).splitlines()[2:] == [
        "| start | create → **open** |",
        "| open | close → **done** |",
        "| done | end |",
    ]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ["https://cdn.example/a.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ('<link rel="preconnect" href="https://fonts.example">', ["https://fonts.example"]),
        ('<img src="a.png" srcset="https://cdn.example/b.png 2x">', ["https://cdn.example/b.png"]),
        ("<style>@import 'https://fonts.example/c.css'; a { b: url(https://cdn.example/d.png) }</style>",
         ["https://fonts.example/c.css", "https://cdn.example/d.png"]),
        ('<p style="background: url(https://cdn.example/e.png)">', ["https://cdn.example/e.png"]),
        ('<pre class="mermaid">x</pre>', ["a diagram that is drawn by a script of another host"]),
        ('<link rel="canonical" href="https://a.example"><a href="https://example.org">x</a><img src="a.png">', []),
    ],
)  # fmt: skip
def test_remote_loads_of_page_are_found(site: ModuleType, tmp_path: Path, page: str, found: list[str]) -> None:
    (tmp_path / "page.html").write_text(page)
    assert list(site.remote_loads(tmp_path)) == [f"page.html: {address}" for address in found]


def test_remote_loads_of_stylesheet_are_found(site: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/f.woff2') }")
    assert list(site.remote_loads(tmp_path)) == ["a.css: https://fonts.example/f.woff2"]


def names(entries: list[Any]) -> set[str]:
    """Return the pages that a part of the navigation names."""
    found: set[str] = set()
    for entry in entries:
        (value,) = entry.values()
        found |= {value} if isinstance(value, str) else names(value)
    return found


def test_navigation_lists_every_page(site: ModuleType) -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {name for name in site.pages() if not name.startswith("adr/")} | {"adr/index.md"}
    assert names(config["nav"]) == pages
    assert config["theme"]["font"] is False, "fonts would come from another host"
    assert config["strict"] is True
