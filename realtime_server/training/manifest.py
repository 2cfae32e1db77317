"""A model's manifest: SHA-256 and bytes of every file that loading it depends on.

python -m realtime_server.training.manifest models/starling
"""

import argparse
import hashlib
import json
from pathlib import Path

PARTS = ("thinker",)
NOT_LOADED = frozenset({"manifest.json", "eval.json", "voices.json"})
"""Of JSON; voices are a user's to add to."""
LOADED = frozenset({".json", ".safetensors", ".jinja", ".txt"})


def write_manifest(folder: Path) -> None:
    """Of the folder and of its parts that stand in folders of their own."""
    places = [folder, *(folder / part for part in PARTS if (folder / part).is_dir())]
    files = [
        path for place in places for path in sorted(place.iterdir()) if path.suffix in LOADED and path.name not in NOT_LOADED
    ]
    entries = {str(path.relative_to(folder)): _entry(path) for path in files}
    (folder / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n")


def _entry(path: Path) -> dict[str, str | int]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    write_manifest(parser.parse_args().folder)


if __name__ == "__main__":
    main()
