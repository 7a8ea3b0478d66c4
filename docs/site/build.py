"""Build the documentation site: `make docs` runs this with the generator's own environment.

Zensical takes pages from one folder and has no hooks. The pages are therefore copied to build/docs-source first, where
links that lead out of docs/ are made to lead to the right page, and state diagrams become tables, which need no script.
"""

import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "build" / "docs-source"
RESULT: Final = ROOT / "build" / "docs"
ROOT_PAGES: Final = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
DIAGRAM: Final = re.compile(r"```mermaid\nstateDiagram-v2\n(.*?)```", re.DOTALL)
ARROW: Final = re.compile(r"^\s*(\S+) --> ([^:\s]+)(?:: (.+))?$", re.MULTILINE)
REMOTE: Final = re.compile(r"^(https?:)?//", re.IGNORECASE)
CSS_ADDRESS: Final = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
# What a browser loads by itself. Links that a reader may follow are not among them.
LOADED: Final = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "link": "href",
}  # fmt: skip
LOADING_LINKS: Final = {
    "stylesheet",
    "preload",
    "modulepreload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "icon",
    "manifest",
}


def pages() -> dict[str, str]:
    """Return every page of the site by its name, with the path in the repository that it comes from."""
    found = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
    return {name: path.relative_to(ROOT).as_posix() for name, path in found.items()} | {
        page: name for name, page in ROOT_PAGES.items()
    }


def prepare(folder: Path = SOURCE) -> None:
    """Write all pages and pictures into one folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.md", "*.py", "__pycache__"))
    known = pages()
    for name, path in known.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rewritten((ROOT / path).read_text(encoding="utf-8"), name, path, known), encoding="utf-8")
    (folder / "adr" / "index.md").write_text(decisions(), encoding="utf-8")


def decisions() -> str:
    """Return the list of decisions by number."""
    lines = ["# Decisions", "", "Each record has its context, the alternatives and the consequences.", ""]
    for path in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        title = path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"


def rewritten(markdown: str, name: str, path: str, known: dict[str, str]) -> str:
    """Return a page with links that work on the site; files that are no page are shown by their path."""
    by_path = {source: page for page, source in known.items()} | {"docs/adr": "adr/index.md"}

    def lead(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if wanted in by_path:
            return f"[{text}]({posixpath.relpath(by_path[wanted], posixpath.dirname(name) or '.')}{anchor})"
        if wanted.startswith("docs/") or not (ROOT / wanted).exists():
            return match[0]  # a picture, or a broken link that the strict build reports
        return text if wanted in text else f"{text} (`{wanted}`)"

    return DIAGRAM.sub(lambda match: table(match[1]), LINK.sub(lead, markdown))


def table(arrows: str) -> str:
    """Return a state diagram as a table: what can follow each state."""
    following: dict[str, list[str]] = {}
    for source, target, label in ARROW.findall(arrows):
        step = f"{escape(label)} → **{target}**" if target != "[*]" else "end"
        following.setdefault("start" if source == "[*]" else source, []).append(step)
    rows = [f"| {state} | {'<br>'.join(steps)} |" for state, steps in following.items()]
    return "\n".join(["| state | action → next state |", "|---|---|", *rows])


class _Loads(HTMLParser):
    """Collects addresses that a browser loads when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += CSS_ADDRESS.findall(given.get("style", ""))
        if tag == "link" and not LOADING_LINKS & set(given.get("rel", "").lower().split()):
            return
        addresses = [given.get(LOADED.get(tag, ""), ""), *given.get("srcset", "").replace(",", " ").split()]
        self.found += [address for address in addresses if REMOTE.match(address)]


def remote_loads(folder: Path = RESULT) -> Iterator[str]:
    """Return what the built pages would load from other hosts, and diagrams whose script would come from one."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".html", ".css"}:
            continue
        text = path.read_text(encoding="utf-8")
        parser = _Loads()
        if path.suffix == ".html":
            parser.feed(text)
            styles = re.findall(r"<style\b[^>]*>(.*?)</style>", text, re.DOTALL)
            text = "\n".join(styles)
            if re.search(r'class="[^"]*\bmermaid\b', path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(folder)}: a diagram that is drawn by a script of another host"
        for address in [*parser.found, *CSS_ADDRESS.findall(text)]:
            yield f"{path.relative_to(folder)}: {address}"


def main() -> int:
    """Prepare, build strictly, and check the result."""
    prepare()
    program = Path(sys.executable).parent / "zensical"
    code = subprocess.run([program, "build", "--clean", "--strict"], cwd=ROOT, check=False).returncode
    if code:
        return code
    loads = list(remote_loads())
    sys.stderr.writelines(f"{line}\n" for line in loads)
    if loads:
        sys.stderr.write("The pages must not load anything from another host.\n")
        return 1
    sys.stdout.write(f"The site is in {RESULT.relative_to(ROOT)}: open index.html, or copy the folder.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
