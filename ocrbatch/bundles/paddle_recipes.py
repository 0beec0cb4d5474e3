"""The classic models by the names that PaddleOCR's users know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocrbatch.config.load import load_yaml
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import ConfigError

_MOBILE = {"name": "mobilenet_v3"}
_RESNET_50, _RESNET_34 = {"name": "resnet_vd", "layers": 50}, {"name": "resnet_vd", "layers": 34}
_NARROW = {"input": {"widths": [100]}}
_DB, _EAST = {"name": "db"}, {"name": "east"}
_CRNN, _ROSETTA, _STARNET = ({"name": name, **_NARROW} for name in ("crnn", "rosetta", "starnet"))
_RARE = {"name": "rare", "max_length": 24, **_NARROW}
_LITE = {"name": "crnn", "input": {"widths": [320]}}

MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "det_mv3_db": (_DB, _MOBILE),
    "det_r50_vd_db": (_DB, _RESNET_50),
    "det_mv3_east": (_EAST, _MOBILE),
    "det_r50_vd_east": (_EAST, _RESNET_50),
    "ch_det_mv3_db": (_DB, _MOBILE),
    "rec_mv3_none_bilstm_ctc": (_CRNN, _MOBILE),
    "rec_r34_vd_none_bilstm_ctc": (_CRNN, _RESNET_34),
    "rec_mv3_none_none_ctc": (_ROSETTA, _MOBILE),
    "rec_r34_vd_none_none_ctc": (_ROSETTA, _RESNET_34),
    "rec_mv3_tps_bilstm_ctc": (_STARNET, _MOBILE),
    "rec_r34_vd_tps_bilstm_ctc": (_STARNET, _RESNET_34),
    "rec_mv3_tps_bilstm_att": (_RARE, _MOBILE),
    "rec_r34_vd_tps_bilstm_att": (_RARE, _RESNET_34),
    "rec_chinese_lite_train": (_LITE, {**_MOBILE, "size": "small"}),
}


def recipe_values(recipe: str) -> dict[str, Any]:
    """``model`` (without a charset) and perhaps ``charset`` of a recipe, by name or from its YAML file.

    Raises ConfigError for a name that is not known and for a file without a model.
    """
    if recipe in MODELS:
        algorithm, backbone = MODELS[recipe]
        return {"model": {"task": "det" if "det" in recipe else "rec", "algorithm": algorithm, "backbone": backbone}}
    if not Path(recipe).is_file():
        hint = did_you_mean(recipe, MODELS)
        raise ConfigError(f"There is no recipe {recipe!r}{hint} Known: {', '.join(MODELS)}; or give a YAML file.")
    values = load_yaml(Path(recipe))
    if not isinstance(values.get("model"), dict):
        raise ConfigError(f"{recipe} describes no model: it needs the key 'model'.")
    return values
