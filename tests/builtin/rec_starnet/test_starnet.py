from __future__ import annotations

import pytest
from pydantic import ValidationError

from ocrbatch_backbone_plain.config import PlainConfig
from ocrbatch_backbone_plain.model import build_plain
from ocrbatch_rec_starnet.config import StarNetConfig
from ocrbatch_rec_starnet.model import build_starnet


def test_spline_is_made_for_one_width():
    with pytest.raises(ValidationError, match="exactly one width"):
        StarNetConfig(input={"widths": (100, 200)})


def test_networks_take_the_width_of_the_config():
    backbone = build_plain(PlainConfig(), task="rec", channels=3)
    networks = build_starnet(StarNetConfig(input={"widths": (160,)}, hidden=8), backbone, 36)
    assert networks.inference.input_shape == (None, 32, 160, 3)
    assert networks.inference.output_shape == (None, 40, 37)


@pytest.mark.parametrize("points", [5, 2, 66])
def test_points_come_in_two_rows(points):
    with pytest.raises(ValidationError, match="points"):
        StarNetConfig(points=points)
