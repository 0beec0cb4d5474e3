from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(ROOT)], check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed_elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts folder of another environment: the wheel and links to the libraries of this one, no editable install."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home, with_pip=False)
    variables = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", "venv", variables))
    libraries = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    for entry in (entry for folder in libraries for entry in folder.iterdir()):
        if "ocrbatch" not in entry.name and entry.suffix != ".pth" and entry.name != "__pycache__":
            (site / entry.name).symlink_to(entry)
    scripts = Path(sysconfig.get_path("scripts", "venv", variables))
    install = ["install", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(scripts / "python"), *install], check=True)
    return scripts
