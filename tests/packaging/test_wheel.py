from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["ocrbatch", *sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))]


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_only_our_packages_land_in_site_packages(names: set[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_every_file_of_the_packages_is_inside(names: set[str]) -> None:
    """Models, templates and all that lies beside the code; a line in .gitignore drops files from wheels silently."""
    folders = {ROOT / "ocrbatch": ROOT, **{ROOT / "plugins" / name: ROOT / "plugins" for name in PACKAGES[1:]}}
    expected = {
        path.relative_to(base).as_posix()
        for folder, base in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert expected - names == set()
    assert "ocrbatch/plugin_system/templates/det/plugin.py.txt" in names


def test_the_recipes_are_inside(wheel: Path) -> None:
    inside = "ocrbatch/recipes/"
    with zipfile.ZipFile(wheel) as archive:
        found = {
            name.removeprefix(inside): archive.read(name) for name in archive.namelist() if name.startswith(inside)
        }
    folder = ROOT / "configs"
    assert found == {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("*/*")}
    assert "det/det_plain_db.yml" in found


def test_an_editable_install_puts_no_folder_in_front_of_the_checkout(tmp_path: Path) -> None:
    """A folder ocrbatch/ in site-packages, were it of recipes only, would be imported instead."""
    pytest.importorskip("editables")
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        assert [name for name in archive.namelist() if name.split("/")[0] in PACKAGES] == []


def test_another_environment_knows_the_recipes(installed_elsewhere: Path, tmp_path: Path) -> None:
    command = [str(installed_elsewhere / "ocrbatch"), "config", "show", "rec_plain_bilstm_ctc"]
    shown = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path).stdout
    assert shown == (ROOT / "configs" / "rec" / "rec_plain_bilstm_ctc.yml").read_bytes()


def test_the_licence_is_inside(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_another_environment_lists_the_same_plugins(installed_elsewhere: Path, tmp_path: Path) -> None:
    here = [sys.executable, "-m", "ocrbatch", "plugins", "list"]
    there = [str(installed_elsewhere / "ocrbatch"), "plugins", "list"]
    lists = [
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
        for command in (here, there)
    ]
    assert "mobilenet_v3" in lists[0]
    ours = [[line for line in text.splitlines() if " ocrbatch " in line] for text in lists]
    assert ours[0] == ours[1]


def test_another_environment_runs_from_its_own_files(installed_elsewhere: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u, ocrbatch, ocrbatch_det_db\n"
        "print(ocrbatch.__file__); print(ocrbatch_det_db.__file__)\n"
        "print([name for name in ('plugins', 'configs', 'benchmarks') if u.find_spec(name)])"
    )
    python = str(installed_elsewhere / "python")
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    core, plugin, strangers = done.stdout.splitlines()
    home = installed_elsewhere.parent
    assert Path(core).is_relative_to(home)
    assert Path(plugin).is_relative_to(home)
    assert strangers == "[]"
