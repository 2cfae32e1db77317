"""What the documents say of the code, and the code of the documents."""

import re
from pathlib import Path

import pytest

from realtime_server import __version__
from realtime_server.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
NUMBER = r"\d+(?:\.\d+)?"
SECTIONS = {
    found.group(1)
    for found in re.finditer(rf"^#+ ({NUMBER})\.? ", (ROOT / "docs/protocol.md").read_text("utf-8"), re.MULTILINE)
}
CITED = re.compile(rf"\bprotocol(?: sections?)? ({NUMBER}(?:(?:, | and ){NUMBER})*)", re.IGNORECASE)
SOURCES = [path for folder in ("realtime_server", "tests", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]


def citations(text: str) -> list[str]:
    return [number for found in CITED.finditer(text) for number in re.findall(NUMBER, found.group(1))]


def test_every_section_of_the_protocol_that_the_code_cites_is_there() -> None:
    cited = {(str(path.relative_to(ROOT)), number) for path in SOURCES for number in citations(path.read_text("utf-8"))}
    assert len(cited) > 10
    assert not {(path, number) for path, number in cited if number not in SECTIONS}


def test_every_section_that_the_reference_itself_cites_is_there() -> None:
    text = (ROOT / "docs/protocol.md").read_text("utf-8")
    assert {number for number in re.findall(rf"section ({NUMBER})", text) if number not in SECTIONS} == set()


@pytest.mark.parametrize(("text", "numbers"), [
    ("protocol 2.3", ["2.3"]), ("(protocol 2.2, 2.6, 2.10, 2.17)", ["2.2", "2.6", "2.10", "2.17"]), ("Protocol section 5; what", ["5"]),
    ("protocol 7.2 and 7.3", ["7.2", "7.3"]), ("RFC 7692 (section 6)", []),
])  # fmt: skip
def test_citations_are_found_as_they_are_written(text: str, numbers: list[str]) -> None:
    assert citations(text) == numbers


def test_the_newest_version_of_the_changelog_is_the_package() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert versions[1] == __version__
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_file_that_a_document_links_to_is_there() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("models/**/*.md"),
        ROOT / ".github/CONTRIBUTING.md",
    ]
    for document in documents:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
            path = target.partition("#")[0]
            assert path.startswith("http") or not path or (document.parent / path).exists(), f"{document}: {target}"


def section(name: str) -> str:
    return README.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_flag_of_the_readme_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    rows = [line for line in section("Running it").splitlines() if line.startswith("| `--")]
    named = {flag for row in rows for flag in re.findall(r"`(--[a-z-]+)`", row)}
    assert len(named) > 10
    assert named <= known


BRANCH = re.compile(r"^((?:[│ ]   )?)[├└]── (.+?)  ")


def drawn_tree() -> dict[str, set[str]]:
    """What the picture shows in each folder, by its path; folders end in a slash."""
    tree: dict[str, set[str]] = {"": set()}
    package = folder = ""
    for line in section("The tree").partition("```\n")[2].partition("```")[0].splitlines():
        branch = BRANCH.match(line)
        if branch is None:
            package = line.split()[0]
            tree[""].add(package)
            continue
        names = branch[2].split()
        if not branch[1]:
            folder = package + names[0]
        tree.setdefault(folder if branch[1] else package, set()).update(names)
    return tree


def there(folder: Path) -> set[str]:
    return {path.name + "/" * path.is_dir() for path in folder.iterdir() if path.name[0] not in "_."}


def test_the_picture_of_the_tree_is_true() -> None:
    """The rooms of the package and what stands in each, all of it; of the rest, what is drawn."""
    tree = drawn_tree()
    assert not [name for name in tree.pop("") if not (ROOT / name).is_dir()]
    rooms = {f"realtime_server/{name}" for name in tree["realtime_server/"] if name.endswith("/")}
    assert tree.keys() == {"realtime_server/", *rooms}
    assert tree == {folder: there(ROOT / folder) for folder in tree}


def unindented(text: str) -> str:
    return "\n".join(map(str.strip, text.splitlines()))


def test_all_code_of_the_page_on_adding_a_model_is_the_toy_familys() -> None:
    page = (ROOT / "docs/adding-a-model.md").read_text("utf-8")
    toy = unindented("\n".join(path.read_text("utf-8") for path in (ROOT / "tests/engine/families/toy").glob("*.py")))
    pieces = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(pieces) > 5
    assert [piece for piece in pieces if unindented(piece) not in toy] == []
