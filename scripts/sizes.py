"""Whether rooms are still liveable: lines of modules, lines of functions, fields and public methods of classes.

    python scripts/sizes.py [--aims]

Fails where something has passed the size at which it is to be split; `--aims` tells what is only larger than it should be.
Exceptions stand below with their reasons, and one that is needed no more fails too.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("realtime_server", "tests", "scripts")
AIMS = {"lines of a module": 200, "lines of a function": 30, "fields of a class": 10, "public methods of a class": 20}
LIMITS = {"lines of a module": 400, "lines of a function": 50, "fields of a class": 15, "public methods of a class": 20}
EXCEPTIONS = {
    ("realtime_server/protocol/server_events.py", "lines of a module"): "a plain class for each event of the protocol",
    ("realtime_server/protocol/session_config.py::RealtimeSession", "fields of a class"): "the protocol's session object",
    ("realtime_server/settings.py::Settings", "fields of a class"): "one field a flag",
}
"""(place, kind of size) -> why it may be larger."""

Size = tuple[str, str, int]
"""Place, kind, number."""


def sizes(path: Path, name: str) -> Iterator[Size]:
    text = path.read_text("utf-8")
    yield name, "lines of a module", len(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}::{node.name}", "lines of a function", _code_lines(node)
        elif isinstance(node, ast.ClassDef):
            yield f"{name}::{node.name}", "fields of a class", len(_fields(node))
            methods = [
                one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name[0] != "_"
            ]
            yield f"{name}::{node.name}", "public methods of a class", len(methods)


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without decorators and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _fields(owner: ast.ClassDef) -> set[str]:
    """What its instances hold: annotated in its body, or given to `self` anywhere in it."""
    fields = {one.target.id for one in owner.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    stored = [node for node in ast.walk(owner) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    fields |= {node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self"}
    return fields


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aims", action="store_true", help="tell what is larger than it should be, and do not fail")
    options = parser.parse_args()
    bounds = AIMS if options.aims else LIMITS
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    large = {
        (place, kind): number
        for path in files
        for place, kind, number in sizes(path, str(path.relative_to(ROOT)))
        if number > bounds[kind]
    }
    for (place, kind), number in large.items():
        if options.aims or (place, kind) not in EXCEPTIONS:
            print(f"{place}: {number} {kind}, more than {bounds[kind]}", file=sys.stderr)
    if options.aims:
        return 0
    for place, kind in EXCEPTIONS.keys() - large.keys():
        print(f"{place}: the exception for its {kind} is needed no more", file=sys.stderr)
    return int(bool(large.keys() ^ EXCEPTIONS.keys()))


if __name__ == "__main__":
    raise SystemExit(main())
