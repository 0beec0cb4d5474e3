"""docs/tutorial.md does what it says: its commands in order, with tiny numbers."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import ImageFont

from ocrbatch.cli.main import cli
from ocrbatch.data.images import stamp
from ocrbatch.data.labels import read_pages
from ocrbatch.data.pictures import picture_size
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import write_parquet
from ocrbatch.types import PageRef, PageResult, TextRegion

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"^```bash\n(.*?)^```$", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
N_CHEAP = next(number for number, line in enumerate(COMMANDS) if line.startswith("ocrbatch train"))

TINY = [
    "steps=2",
    "batch_size=2",
    "eval_every=2",
    "save_every=2",
    "eval_samples=2",
    "optimizer.schedule.warmup_steps=1",
]
SIZES = {
    "det": ["train.crop_size=64", "model.algorithm.input.limit_side=320"],
    "rec": ["train.batch_width=null", "model.algorithm.input.widths=[320,1280]"],
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has what the tutorial uses of the repository, and one font."""
    for name in ("README.md", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "one.ttf").write_bytes(ImageFont.load_default(20).font_bytes)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tiny(line: str) -> list[str]:
    """The command with few pictures, few steps and small networks' inputs."""
    words = shlex.split(line.replace("/usr/share/fonts", "fonts"))
    if "synth" in words:
        words[words.index("--count") + 1] = "6" if "det" in words else "12"
        return [*words, "--workers", "1"]
    if words[1] == "train":
        values = [f"train.{value}" for value in TINY] + SIZES[words[2]] + ["data.workers=0"]
        return [*words, *(word for value in values for word in ("--set", value)), "--quiet"]
    if words[1] == "run":
        return [*words, "--workers", "1"]
    return words


def do(line: str) -> None:
    if not line.startswith("ocrbatch "):
        subprocess.run(["bash", "-c", line], check=True)
        return
    result = CliRunner().invoke(cli, tiny(line)[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"


def test_data_are_made_checked_and_shown(checkout: Path) -> None:
    for line in COMMANDS[:N_CHEAP]:
        do(line)
    for page in ("lines.html", "pages.html"):
        assert "data:image/jpeg" in (checkout / page).read_text()


def good_results(pages: Path, target: Path) -> None:
    """Results as a trained model would give them: after two steps of training nothing is read."""
    outcomes = []
    for label in read_pages(pages):
        regions = [TextRegion(region.points, text=region.text or "") for region in label.regions if region.text]
        height, width = picture_size(label.image)
        outcomes.append(PageResult(PageRef(str(label.image)), stamp(label.image)[0], width, height, tuple(regions)))
    write_parquet(target, [to_batch(outcomes)], {})


@pytest.mark.slow
def test_the_three_steps_lead_to_results_and_to_a_second_round(checkout: Path) -> None:
    for line in COMMANDS:
        if line.startswith("ocrbatch data convert results.parquet"):
            assert (checkout / "results.parquet").is_file()
            good_results(checkout / "pages-val", checkout / "results.parquet")
        do(line)
    assert (checkout / "rec2.ocrb").is_file()
