"""The folder of a training: one training at a time, files that are damaged, and disks that are full."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode, TrainingError
from ocrbatch.outputs.lock import locked
from ocrbatch.training import trainer
from ocrbatch.training.checkpoint import Progress
from ocrbatch.training.logs import Figures, TrainingLog

Full = Callable[[int], AbstractContextManager[None]]

FIGURES = Figures(loss=0.5, samples_per_second=3.0, waiting=0.1)
RECIPE: dict[str, Any] = {
    "model": {
        "task": "rec",
        "algorithm": {
            "name": "rosetta",
            "max_length": 5,
            "input": {"color": "gray", "mean": [0.5], "std": [0.5], "widths": [112]},
        },
        "backbone": {"name": "plain", "rec": {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}},
        "charset": "0123456789",
    },
    "data": {"workers": 0},
    "train": {"steps": 2, "batch_size": 2, "eval_every": 2, "save_every": 2, "log_every": 1},
    "augment": [],
}
HOLD = "import sys, time, pathlib; from ocrbatch.outputs.lock import locked\n"
HOLD += "with locked(pathlib.Path(sys.argv[1]), 'it', 'training'): print('held', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory, digit_lines: Callable[[int, int], Path]) -> list[str]:
    """The beginning of a command that trains two steps."""
    path = tmp_path_factory.mktemp("recipe") / "recipe.yml"
    path.write_text(yaml.safe_dump(RECIPE))
    return ["train", "rec", "-q", "-c", str(path), "--data", str(digit_lines(6, 51))]


@pytest.fixture(scope="module")
def finished(begin: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("finished") / "run"
    done = ocrbatch(*begin, "--out", run)
    assert done.exit_code == ExitCode.OK, done.output
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A finished training to spoil."""
    return shutil.copytree(finished, tmp_path / "run")


def ocrbatch(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != trainer.LOCK}


def test_a_second_training_in_the_folder_is_refused(begin: list[str], run: Path) -> None:
    before = contents(run)
    with locked(run / trainer.LOCK, run, "training"):
        for arguments in (["train", "rec", "--resume"], [*begin, "--resume"], begin):
            refused = ocrbatch(*arguments, "--out", run)
            assert refused.exit_code == ExitCode.OUTPUT, refused.output
            assert f"Another training is writing {run} right now" in refused.stderr
    assert contents(run) == before
    done = ocrbatch(*begin, "--out", run, "--resume", "--set", "train.steps=3")
    assert "Trained 3 steps" in done.output, "what began it may be repeated, and the lock is free again"


def test_one_that_began_while_labels_were_read_is_noticed(
    begin: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, set_up = tmp_path / "run", trainer.set_up
    with ExitStack() as other:

        def slowly(*arguments: Any, **options: Any) -> Any:
            out.mkdir()
            other.enter_context(locked(out / trainer.LOCK, out, "training"))
            return set_up(*arguments, **options)

        monkeypatch.setattr(trainer, "set_up", slowly)
        refused = ocrbatch(*begin, "--out", out)
    assert refused.exit_code == ExitCode.OUTPUT, refused.output
    assert contents(out) == {}


def test_kill_9_frees_the_folder_at_once(tmp_path: Path) -> None:
    lock = tmp_path / trainer.LOCK
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        other.send_signal(signal.SIGKILL)
    with locked(lock, "it", "training"):
        pass


def test_a_training_that_was_never_saved_is_begun_anew(
    begin: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"

    def full(*_: object) -> None:
        raise TrainingError("full")

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "save_checkpoint", full)
        assert ocrbatch(*begin, "--out", out).exit_code == ExitCode.TRAINING
    resumed = ocrbatch("train", "rec", "--out", out, "--resume")
    assert resumed.exit_code == ExitCode.TRAINING
    assert "start again without --resume" in resumed.stderr
    exported = ocrbatch("export", out, "--out", tmp_path / "x.ocrb")
    assert exported.exit_code == ExitCode.INPUT
    assert f"has no best weights yet (best.weights.h5): go on with `ocrbatch train rec --out {out}" in exported.stderr
    assert "Trained 2 steps" in ocrbatch(*begin, "--out", out).output


@pytest.mark.parametrize("name", ["last.ckpt.npz", "metrics.json", "log.csv", "config.yml"])
def test_a_damaged_file_is_named_and_the_others_stay(name: str, run: Path) -> None:
    (run / name).write_bytes(b"\xff" + (run / name).read_bytes()[:200])
    before = contents(run)
    refused = ocrbatch("train", "rec", "--out", run, "--resume")
    assert refused.exit_code in (ExitCode.TRAINING, ExitCode.CONFIG), refused.output
    assert str(run / name) in refused.stderr
    assert "put back a copy" in refused.stderr
    assert contents(run) == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"history": 3}',
        '{"history": [3]}',
        '{"history": [{}]}',
        '{"history": [{"step": "x"}]}',
        '{"history": [{"step": Infinity}]}',
        "[" * 100_000,
    ],
)
def test_damaged_metrics(content: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(content)
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n9,0.5\n")
    with pytest.raises(TrainingError, match=r"metrics\.json \(it is damaged\).* delete it, .*--resume"):
        TrainingLog(tmp_path, Progress(2), tensorboard=False)
    assert (tmp_path / "log.csv").read_text() == "step,loss\n1,0.5\n9,0.5\n"


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"\0\0\0\n", b"something else\n1,2\n"])
def test_a_damaged_log(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(TrainingError, match=r"log\.csv \(it is damaged\).* delete it, .*--resume"):
        TrainingLog(tmp_path, Progress(2), tensorboard=False)


@pytest.mark.parametrize("content", ["", "step,sec", "step,seconds,loss,learning_rate,samples_per_second,waiting\n1,0"])
def test_a_log_whose_last_line_was_cut_off_goes_on(content: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(content)
    with TrainingLog(tmp_path, Progress(1), tensorboard=False) as log:
        log.stepped(Progress(2, 1.0), FIGURES, 0.1)
    first, second = (tmp_path / "log.csv").read_text().splitlines()
    assert first.startswith("step,seconds,loss")
    assert second == "2,1.0,0.5,0.1,3,0.100"


def test_metrics_that_are_spoilt_meanwhile_are_written_anew(tmp_path: Path) -> None:
    with TrainingLog(tmp_path, Progress(), tensorboard=False) as log:
        log.evaluated(Progress(1, 1.0, 0.5, 1), {"score": 0.5})
        (tmp_path / "metrics.json").write_text("")
        log.evaluated(Progress(2, 2.0, 0.5, 1), {"score": 0.25})
    noted = json.loads((tmp_path / "metrics.json").read_text())
    assert [entry["score"] for entry in noted["history"]] == [0.5, 0.25]
    assert (noted["best"]["score"], noted["last"]["score"]) == (0.5, 0.25)


def test_a_full_disk_is_said_of_the_log_which_goes_on_later(tmp_path: Path, files_end_at: Full) -> None:
    path = tmp_path / "log.csv"
    with TrainingLog(tmp_path, Progress(), tensorboard=False) as log:
        log.stepped(Progress(1, 1.0), FIGURES, 0.1)
        whole = path.read_bytes()
        with files_end_at(len(whole) + 5), pytest.raises(TrainingError, match=r"log\.csv \(.*make room .*--resume"):
            log.stepped(Progress(2, 1.0), FIGURES, 0.1)
    assert path.read_bytes().startswith(whole)
    with TrainingLog(tmp_path, Progress(2), tensorboard=False):
        assert path.read_text().splitlines() == whole.decode().splitlines()


def test_a_full_disk_is_said_of_the_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk:
        def add_scalar(self, *_: object) -> None:
            """Takes it."""

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

        close = flush

    monkeypatch.setattr("ocrbatch.training.logs._event_writer", lambda *_: FullDisk())
    with (
        pytest.raises(TrainingError, match=r"tensorboard \(No space left on device\): make room"),
        TrainingLog(tmp_path, Progress(), tensorboard=True) as log,
    ):
        log.stepped(Progress(1, 1.0), FIGURES, 0.1)


def test_a_full_disk_ends_a_training_with_a_sentence_and_its_files_as_they_were(run: Path, files_end_at: Full) -> None:
    before = contents(run)
    with files_end_at(9_000):  # the log has room, neither checkpoint nor weights have
        ended = ocrbatch("train", "rec", "-q", "--out", run, "--resume", "--set", "train.steps=4")
    assert ended.exit_code == ExitCode.TRAINING, ended.output
    assert "make room or access there, then go on with --resume" in ended.stderr
    after = contents(run)
    assert after.keys() == before.keys()
    assert all(after[name] == before[name] for name in before if name.endswith((".h5", ".npz")))
    assert "Trained 4 steps" in ocrbatch("train", "rec", "-q", "--out", run, "--resume").output
