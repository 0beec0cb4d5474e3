"""A bundle is all that its recognizer needs: words in a file go with it."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ocrbatch.bundles import export, network
from ocrbatch.bundles.export import export_run
from ocrbatch.bundles.format import GRAPH, LEXICON, WEIGHTS, BundleInfo
from ocrbatch.bundles.store import Bundle, damages, open_bundle, write_bundle
from ocrbatch.cli.recipes import resolve_recipe
from ocrbatch.config.load import dump_yaml, load_yaml
from ocrbatch.errors import BundleError, ConfigError
from ocrbatch.lexicon import lexicon_bytes, load_lexicon
from ocrbatch.plugin_system.host import Host

Make = Callable[[str], BundleInfo]
SHAPES = pytest.mark.parametrize("name", ["folder", "file.ocrb"])
WORDS = b"acab\ncafe\n"


def write(target: Path, info: BundleInfo, content: bytes = WORDS) -> Path:
    """A bundle as export writes it, with words of its own."""
    info = info.model_copy(update={"spec": network.with_options(info.spec, {"lexicon": LEXICON})})
    write_bundle(target, info, {GRAPH: b"a graph", WEIGHTS: b"weights", LEXICON: content})
    return target


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(bundle: Bundle) -> str:
    """What is read where ``abab`` is likeliest, and ``acab`` nearly as likely."""
    assert bundle.charset is not None
    steps = np.full((1, 8, len(bundle.charset) + 1), 1e-6)
    steps[0, 1::2, 0] = 1
    for step, letter in enumerate("abab"):
        steps[0, 2 * step, bundle.charset.characters.index(letter) + 1] = 0.6
    steps[0, 2, bundle.charset.characters.index("c") + 1] = 0.4
    return str(bundle.codec().decode([steps], [1.0])[0].text)


@SHAPES
def test_words_of_its_own_are_read_wherever_the_bundle_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_info: Make, host: Host, name: str
) -> None:
    path = write(tmp_path / "made" / name, make_info("rec"))
    (tmp_path / "elsewhere").mkdir()
    path.rename(tmp_path / "elsewhere" / name)
    monkeypatch.chdir(tmp_path / "elsewhere")
    bundle = open_bundle(name, host, kind="rec")
    assert read(bundle) == "acab"
    assert bundle.lexicon_sha256 == sha256(WORDS)
    assert bundle.config.lexicon == LEXICON  # the same wherever it is, and so are the settings of a run


@SHAPES
def test_options_win_over_the_words_in_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_info: Make, host: Host, name: str
) -> None:
    path = write(tmp_path / name, make_info("rec"))
    monkeypatch.chdir(tmp_path)
    Path(LEXICON).write_bytes(b"abab\n")  # by the same name, yet another file
    other = open_bundle(path, host, options={"lexicon": LEXICON})
    assert (read(other), other.lexicon_sha256) == ("abab", sha256(b"abab\n"))
    none = open_bundle(path, host, options={"lexicon": None})
    assert (read(none), none.lexicon_sha256) == ("abab", None)
    shipped = open_bundle(path, host, options={"lexicon": "latin"})
    assert shipped.lexicon_sha256 == sha256(lexicon_bytes("latin"))
    kept = open_bundle(path, host, options={"max_length": 9})
    assert (read(kept), kept.lexicon_sha256) == ("acab", sha256(WORDS))


def test_the_sum_follows_what_is_in_the_file(tmp_path: Path, make_info: Make, host: Host) -> None:
    write_bundle(tmp_path / "b", make_info("rec"), {GRAPH: b"a graph", WEIGHTS: b"weights"})
    words = tmp_path / "words.txt"
    words.write_bytes(WORDS)
    bundle = open_bundle(tmp_path / "b", host, options={"lexicon": str(words)})
    before = bundle.lexicon_sha256
    words.write_bytes(WORDS + b"baba\n")
    assert (before, bundle.lexicon_sha256) == (sha256(WORDS), sha256(WORDS + b"baba\n"))
    words.unlink()
    with pytest.raises(ConfigError, match=r"words\.txt.*one word a line"):
        _ = bundle.lexicon_sha256
    assert open_bundle(tmp_path / "b", host).lexicon_sha256 is None


def test_what_has_no_words_has_no_sum(tmp_path: Path, make_info: Make, host: Host) -> None:
    for task in ("det", "rec"):
        write_bundle(tmp_path / task, make_info(task), {GRAPH: b"a graph", WEIGHTS: b"weights", LEXICON: WORDS})
        bundle = open_bundle(tmp_path / task, host)  # whose options do not name the words
        assert (bundle.lexicon_sha256, bundle.spec_here) == (None, bundle.spec)


def test_identity_follows_the_words_and_not_the_place(tmp_path: Path, make_info: Make, host: Host) -> None:
    one, same = write(tmp_path / "a", make_info("rec")), write(tmp_path / "b.ocrb", make_info("rec"))
    other = write(tmp_path / "c", make_info("rec"), WORDS + b"baba\n")
    assert open_bundle(one, host).identity == open_bundle(same, host).identity
    assert open_bundle(one, host).identity != open_bundle(other, host).identity


def test_changed_words_are_damage(tmp_path: Path, make_info: Make, host: Host) -> None:
    path = write(tmp_path / "b", make_info("rec"))
    (path / LEXICON).write_bytes(b"abab\ncafe\n")
    with pytest.raises(BundleError, match=r"damaged: lexicon\.txt"):
        open_bundle(path, host).codec()
    assert ["lexicon.txt" in sentence for sentence in damages(path)] == [True]


@pytest.mark.parametrize("lexicon", ["words.txt", "latin"])
def test_export_takes_the_words_along(
    runs: dict[str, Path],
    pictures: Path,
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lexicon: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_bytes(WORDS)
    info = export_run(with_lexicon(runs["rec"], lexicon), tmp_path / "x.ocrb", host, samples=pictures, count=1)
    Path("words.txt").unlink()
    bundle = open_bundle(tmp_path / "x.ocrb", host)
    assert damages(bundle.path) == []
    if lexicon == "latin":
        assert (LEXICON in info.files, bundle.config.lexicon) == (False, "latin")
        assert bundle.lexicon_sha256 == sha256(lexicon_bytes("latin"))
    else:
        assert (info.files[LEXICON].sha256, info.files[LEXICON].size) == (sha256(WORDS), len(WORDS))
        assert "words.txt" not in info.model_dump_json()
        assert read(bundle) == "acab"


def test_words_that_are_gone_are_named_before_anything_is_converted(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export, "graph_from_keras", lambda _: pytest.fail("converted in vain"))
    with pytest.raises(ConfigError, match=r"Cannot read the lexicon 'words\.txt'"):
        export_run(with_lexicon(runs["rec"], "words.txt"), tmp_path / "x.ocrb", host, samples=pictures)
    assert not (tmp_path / "x.ocrb").exists()


@SHAPES
def test_a_training_finds_the_words_in_the_bundle(tmp_path: Path, make_info: Make, host: Host, name: str) -> None:
    bundle = open_bundle(write(tmp_path / name, make_info("rec")), host)
    nothing = dict.fromkeys(("recipe", "algo", "backbone", "charset", "val_data"))
    given = {"start_from": bundle.path, "train_data": ("x",), "assignments": ()}
    lexicon = resolve_recipe(host, "rec", {**nothing, **given}).model.algorithm.options["lexicon"]
    assert lexicon_bytes(lexicon) == WORDS
    assert "acab" in load_lexicon(lexicon)
    without = open_bundle(bundle.path, host, options={"lexicon": None})
    assert without.spec_here == without.spec


@pytest.mark.parametrize("content", [b"no zip file", None])
def test_words_that_a_file_cannot_hold_are_named(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        with zipfile.ZipFile(tmp_path / "x.ocrb", "w") as archive:
            archive.writestr("other.txt", WORDS)
    else:
        (tmp_path / "x.ocrb").write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.ocrb/lexicon\.txt.*one word a line"):
        load_lexicon(str(tmp_path / "x.ocrb" / LEXICON))


def with_lexicon(run: Path, lexicon: str) -> Path:
    """A copy of a run in this folder, its recognizer with a lexicon."""
    copy = Path("run")
    shutil.copytree(run, copy)
    config = load_yaml(copy / "config.yml")
    config["model"]["algorithm"]["lexicon"] = lexicon
    (copy / "config.yml").write_text(dump_yaml(config), encoding="utf-8")
    return copy
