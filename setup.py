"""The wheel carries the models: `models/NAME` becomes `realtime_server/_models/NAME`. All else stands in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path(__file__).parent / "models"
SERVED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "README.md", "LICENSES.md")
"""What serving a model needs, and its card; not what trains it, nor how that went."""


class BuildWithModels(build_py):
    """An editable install is not built: there the checkout's `models/` serves."""

    def run(self) -> None:
        if not self.editable_mode:
            # What an earlier build left there would be packed too, modules that are no more among it.
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for source, target in self._models():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(str(target) for _, target in self._models())]

    def _models(self) -> list[tuple[Path, Path]]:
        shelf = Path(self.build_lib) / "realtime_server" / "_models"
        # A model's parts stand in folders of its own that have a config too.
        folders = sorted(path.parent for path in [*MODELS.glob("*/config.json"), *MODELS.glob("*/thinker/config.json")])
        return [
            (file, shelf / file.relative_to(MODELS))
            for folder in folders
            for kind in SERVED
            for file in sorted(folder.glob(kind))
        ]


setup(cmdclass={"build_py": BuildWithModels})
