"""Training makes the checks of ``data check`` before it starts, those of the pictures too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ocrbatch.config.train import DataConfig
from ocrbatch.data.check import LineRules, line_problem, page_problem
from ocrbatch.errors import InputError
from ocrbatch.training.checks import without_bad
from ocrbatch.training.datasets import load_line_samples, load_page_samples, provenance


def picture(path: Path, seed: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (20, 60, 3)).astype(np.uint8))
    return path.read_bytes()


def labelled(folder: Path, records: list[dict[str, Any]]) -> str:
    (folder / "labels.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(folder)


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    """Training and validation lines with one of every problem that only the pictures show."""
    train, val = tmp_path / "train", tmp_path / "val"
    for number in range(6):
        picture(train / f"{number}.png", number)
        picture(val / f"{number}.png", 10 + number)
    (train / "1.png").write_bytes(picture(train / "1.png", 1)[:-300])  # cut off
    (train / "3.png").write_bytes((train / "2.png").read_bytes())
    (val / "4.png").write_bytes((train / "4.png").read_bytes())
    texts = ["a", "cut off", "the same", "not the same", "leaked", "e"]
    records: list[dict[str, Any]] = [{"image": f"{n}.png", "text": text} for n, text in enumerate(texts)]
    lines = [*records[:5], {**records[5], "width": 7, "height": 9}]
    return {"train": labelled(train, lines), "val": labelled(val, records)}


def test_provenance_counts_the_labels_that_were_read(tmp_path: Path, data: dict[str, str]) -> None:
    note = {"seed": 3, "count": 500, "fonts": [{"family": "Sans", "licence": "OFL"}]}
    (tmp_path / "train" / "synth.json").write_text(json.dumps(note))  # of 500 only six were made
    config = DataConfig.model_validate({"train": [data["train"], {"path": data["val"], "weight": 2}]})
    samples = without_bad(load_line_samples(config), line_problem(LineRules()), None)
    assert provenance(config.train, samples.counts) == {
        "datasets": [
            {"name": "train", "weight": 1.0, "seed": 3, "count": 6},
            {"name": "val", "weight": 2.0, "count": 6},
        ],
        "fonts": {"Sans": "OFL"},
    }


def test_what_only_the_pictures_show_is_refused_or_listed(tmp_path: Path, data: dict[str, str]) -> None:
    samples = load_line_samples(DataConfig.model_validate(data))
    problem = line_problem(LineRules())
    with pytest.raises(InputError, match="4 samples cannot be trained on") as refused:
        without_bad(samples, problem, None, pictures=True)
    for words in ("1.png", "is damaged", "labelled otherwise", "the label says 7 x 9", "in the train set"):
        assert words in str(refused.value)
    good = without_bad(samples, problem, tmp_path / "bad.txt", pictures=True)
    assert [label.image.name for label in good.train] == ["0.png", "2.png", "4.png"]
    assert [label.image.name for label in good.val] == ["0.png", "1.png", "2.png", "3.png", "5.png"]
    assert len(good.weights) == 3
    assert len((tmp_path / "bad.txt").read_text().splitlines()[1:]) == 4
    assert len(without_bad(samples, problem, None).train) == 6, "without looking at the pictures all is well"


def test_a_picture_may_be_there_twice_when_nothing_contradicts(tmp_path: Path) -> None:
    picture(tmp_path / "0.png", 0)
    folder = labelled(tmp_path, [{"image": "0.png", "text": "a"}] * 30)
    samples = load_line_samples(DataConfig.model_validate({"train": [folder, folder]}))
    good = without_bad(samples, line_problem(LineRules()), None, pictures=True)
    assert len(good.train) + len(good.val) == 60, "a set held out of the training sets is no leak"


def test_warnings_keep_nothing_from_training(tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / f"{number}.png", number)
    labels = [{"image": "0.png", "text": " a  b\u200b"}, {"image": "1.png", "text": "a\u0007"}]
    samples = load_line_samples(DataConfig.model_validate({"train": [labelled(tmp_path, labels)] * 2}))
    with pytest.raises(InputError, match=r"U\+0007, a control character") as refused:
        without_bad(samples, line_problem(LineRules()), None, pictures=True)
    assert "0.png" not in str(refused.value)


def test_pages_are_compared_by_all_that_is_labelled(tmp_path: Path) -> None:
    picture(tmp_path / "0.png", 0)
    picture(tmp_path / "1.png", 0)
    square = [[1, 1], [9, 1], [9, 9], [1, 9]]
    pages = [{"image": f"{n}.png", "regions": [{"points": square, "text": "ab"[n]}]} for n in range(2)]
    samples = load_page_samples(DataConfig.model_validate({"train": labelled(tmp_path, pages)}))
    with pytest.raises(InputError, match="labelled otherwise"):
        without_bad(samples, page_problem, None, pictures=True)


def test_an_outline_is_judged_by_the_picture_not_by_the_size_in_the_label(tmp_path: Path) -> None:
    picture(tmp_path / "0.png", 0)
    away = [[101, 1], [109, 1], [109, 9], [101, 9]]
    page = {"image": "0.png", "width": 200, "height": 200, "regions": [{"points": away}]}
    samples = load_page_samples(DataConfig.model_validate({"train": labelled(tmp_path, [page, page])}))
    with pytest.raises(InputError, match="the label says 200 x 200 pixels, the picture has 60 x 20"):
        without_bad(samples, page_problem, None, pictures=True)
