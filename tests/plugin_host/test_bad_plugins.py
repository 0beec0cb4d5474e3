"""One bad plugin never stops the rest: each becomes a row that says what is wrong with it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from ocrbatch.errors import ConfigError, PluginError
from ocrbatch.plugin_system.catalogue import Row
from ocrbatch.plugin_system.host import Host

HOOK = "from ocrbatch.api import PostprocessorPlugin, DetectorPlugin, hookimpl\n@hookimpl\ndef ocrbatch_postprocessors"

BAD = {
    "import-error": ("import no_such_module", "No module named 'no_such_module'"),
    "syntax-error": ("def (", "SyntaxError"),
    "exits": ("raise SystemExit(9)", "SystemExit: 9"),
    "misspelt-hook": (
        "from ocrbatch.api import hookimpl\n@hookimpl\ndef ocrbatch_postprocesors(): return []",
        "unknown hook 'ocrbatch_postprocesors', did you mean 'ocrbatch_postprocessors'?",
    ),
    "extra-argument": (HOOK + "(host): return []", "Argument(s) {'host'}"),
    "no-list": (HOOK + "(): return 7", "returned int, not an iterable"),
    "forgotten-return": (HOOK + "(): pass", "returned NoneType, not an iterable"),
    "type-error": (HOOK + "():\n    yield from ()\n    raise TypeError('two\\nlines')", "TypeError: two lines"),
    "live-object": (
        HOOK + "(): return [object()]",
        "returned an object of type object where a PostprocessorPlugin is due",
    ),
    "wrong-kind": (
        HOOK + "(): return [DetectorPlugin(name='a', summary='', config='a:b', model='a:b', training='a:b',"
        " codec='a:b', api=1)]",
        "returned an object of type DetectorPlugin where a PostprocessorPlugin is due",
    ),
    "raising-hook": (HOOK + "(): raise RuntimeError('out of paper')", "RuntimeError: out of paper"),
    "raising-generator": (HOOK + "():\n    yield from ()\n    raise ValueError('late')", "ValueError: late"),
    "no-api": (
        HOOK + "(): return [PostprocessorPlugin(name='a', summary='', config='a:b', factory='a:b')]",
        "missing 1 required keyword-only argument: 'api'",
    ),
    "strange-name": (
        HOOK + "(): return [PostprocessorPlugin(name='a b', summary='', config='a:b', factory='a:b', api=1)]",
        "'a b' is no name",
    ),
    "no-target": (
        HOOK + "(): return [PostprocessorPlugin(name='a', summary='', config='a.b', factory='a:b', api=1)]",
        "config of 'a' is 'a.b', not of the form",
    ),
    "hook-wrapper": (
        "from ocrbatch.api import hookimpl\n@hookimpl(wrapper=True)\ndef ocrbatch_postprocessors(): return (yield)",
        "hook wrapper",
    ),
    "no-hook": ("x = 1", "no function marked with ocrbatch.api.hookimpl"),
}


def _row(host: Host, name: str) -> Row:
    return next(row for row in host.rows if row.name == name)


def test_every_bad_plugin_is_a_failed_row_beside_a_good_one(add_plugin) -> None:
    add_plugin("good-one", version="2.5")
    for distribution, (source, _) in BAD.items():
        add_plugin(distribution, source)
    host = Host.load()
    for distribution, (_, reason) in BAD.items():
        row = _row(host, distribution.replace("-", "_"))
        assert (row.status, row.distribution, row.version, row.kind) == ("failed", distribution, "1.0", None)
        assert reason in row.reason
    good = _row(host, "good-one")
    assert (good.status, good.distribution, good.version, good.kind) == ("ok", "good-one", "2.5", "postprocessor")
    descriptor = host.postprocessor("good-one")
    assert host.provider(descriptor) == ("good-one", "2.5")
    config = host.config(descriptor, {"speed": 5})
    assert host.resolve(descriptor.factory)(config)((1, 2), 3, 4) == (1, 2)


def test_old_api_disables_that_algorithm_with_both_versions_named(add_plugin) -> None:
    add_plugin("old-one", api=0)
    host = Host.load()
    assert _row(host, "old-one").status == "failed"
    with pytest.raises(PluginError, match=r"old-one 1.0 cannot be used: it was written for plugin API 0, .* has 1"):
        host.postprocessor("old-one")


def test_name_clash_names_both_and_disables_only_that_name(add_plugin) -> None:
    add_plugin("clash-a", name="twice")
    add_plugin("clash-b", name="twice", version="3.0")
    add_plugin("other")
    host = Host.load()
    rows = [row for row in host.rows if row.name == "twice"]
    assert [row.status for row in rows] == ["conflict", "conflict"]
    assert "clash-b 3.0" in rows[0].reason
    assert "clash-a 1.0" in rows[1].reason
    with pytest.raises(PluginError, match=r"clash-a 1.0.*clash-b 3.0"):
        host.postprocessor("twice")
    assert host.postprocessor("other").name == "other"
    assert Host.load(disable=["clash_b"]).postprocessor("twice").name == "twice"


def test_one_entry_point_name_in_two_distributions_loads_neither(add_plugin) -> None:
    add_plugin("same-a", entry_point="same")
    add_plugin("same-b", entry_point="same")
    host = Host.load()
    rows = {row.distribution: row for row in host.rows if row.entry_point == "same"}
    assert {row.status for row in rows.values()} == {"conflict"}
    assert "same-b 1.0" in rows["same-a"].reason
    assert "same-a 1.0" in rows["same-b"].reason
    assert "same_a" not in sys.modules


def test_nobody_takes_our_own_entry_point_away(add_plugin) -> None:
    add_plugin("thief", entry_point="det_db")
    host = Host.load()
    assert _row(host, "db").status == "ok"
    assert next(row for row in host.rows if row.distribution == "thief").status == "conflict"


def test_missing_target_is_found_when_it_is_asked_for_and_names_the_plugin(add_plugin) -> None:
    add_plugin(
        "hollow",
        HOOK + "(): return [PostprocessorPlugin(name='hollow', summary='', config='hollow:Nothing',"
        " factory='no_such_package.step:build', api=1)]",
    )
    host = Host.load()
    descriptor = host.postprocessor("hollow")
    for target in (descriptor.factory, descriptor.config):
        with pytest.raises(PluginError, match=rf"The postprocessor 'hollow' of hollow 1.0 names '{target}'"):
            host.resolve(target)


def test_schema_must_be_a_schema(add_plugin) -> None:
    add_plugin(
        "schemaless",
        HOOK + "(): return [PostprocessorPlugin(name='schemaless', summary='',"
        " config='builtins:dict', factory='a:b', api=1)]",
    )
    host = Host.load()
    with pytest.raises(PluginError, match=r"schemaless 1.0 names 'builtins:dict' as its schema, .* no PluginConfig"):
        host.config(host.postprocessor("schemaless"), {})


def test_blocked_plugins_are_never_imported(add_plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    add_plugin("bomb", "raise SystemError('imported')")
    assert "imported" in _row(Host.load(), "bomb").reason
    sys.modules.pop("bomb", None)
    ways = [
        lambda: Host.load(disable=["bomb"]),
        lambda: Host.load(allow=["det_db"]),
        lambda: Host.load(environ={"OCRBATCH_DISABLE_PLUGINS": "other, bomb"}),
        lambda: Host.load(environ={"OCRBATCH_LOAD_PLUGINS": "det_db rec_crnn"}),
        lambda: Host.load(environ={"OCRBATCH_LOAD_PLUGINS": ""}),
    ]
    for load in ways:
        row = _row(load(), "bomb")
        assert row.status == "blocked"
        assert row.reason
        assert "bomb" not in sys.modules
    monkeypatch.setenv("OCRBATCH_DISABLE_PLUGINS", "bomb")
    assert _row(Host.load(), "bomb").status == "blocked"
    with pytest.raises(PluginError, match=r"'bomb' of bomb 1.0 is blocked: disabled by OCRBATCH_DISABLE_PLUGINS"):
        Host.load().postprocessor("bomb")


def test_empty_allow_list_loads_nothing_and_an_allowed_plugin_loads() -> None:
    assert {row.status for row in Host.load(environ={"OCRBATCH_LOAD_PLUGINS": ""}).rows} == {"blocked"}
    rows = Host.load(allow=["det_db"]).rows
    assert [row.name for row in rows if row.status == "ok"] == ["db"]


def test_blocking_an_unknown_plugin_is_an_error() -> None:
    with pytest.raises(PluginError, match=r"entry point 'det_dp', did you mean 'det_db'\?"):
        Host.load(disable=["det_dp"])


def test_unknown_names_get_a_suggestion_and_the_known_ones() -> None:
    host = Host.load()
    with pytest.raises(PluginError, match=r"There is no detector 'dbb', did you mean 'db'\? Known: .*db"):
        host.detector("dbb")
    with pytest.raises(PluginError, match=r"There is no recognizer 'zzzzzz'. Known: .*crnn"):
        host.recognizer("zzzzzz")


def test_wrong_options_name_key_value_and_the_closest_key(add_plugin) -> None:
    add_plugin("good-one")
    host = Host.load()
    descriptor = host.postprocessor("good-one")
    with pytest.raises(ConfigError, match=r"^good-one\.sped: unknown key, did you mean 'speed'\?$"):
        host.config(descriptor, {"sped": 1})
    with pytest.raises(ConfigError, match=r"^post\.1\.speed: should be less than or equal to 9, not 10\.$"):
        host.config(descriptor, {"speed": 10}, where="post.1")
    with pytest.raises(ConfigError, match=r"^db\.input\.limit_sid: unknown key, .*\ndb\.unclip_ratio: .* 0, not -1\.$"):
        host.config(host.detector("db"), {"unclip_ratio": -1, "input": {"limit_sid": 1}})


def test_without_any_plugin_the_message_says_how_to_install() -> None:
    with pytest.raises(PluginError, match=r"pip install -e ."):
        Host(()).detector("db")


def test_a_broken_distribution_without_metadata_is_survived(add_plugin, site: Path) -> None:
    add_plugin("good-one")
    info = site / "ghost-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[ocrbatch.plugins]\nghost = ghost\n")
    host = Host.load()
    assert _row(host, "ghost").status == "failed"
    assert _row(host, "ghost").distribution == "unknown"
    assert host.postprocessor("good-one")


def test_own_plugins_come_first_and_the_host_pickles(add_plugin) -> None:
    add_plugin("aaa")
    host = Host.load()
    own = [row.distribution == "ocrbatch" for row in host.rows]
    assert own == sorted(own, reverse=True)
    assert any(own)
    assert not all(own)
    assert pickle.loads(pickle.dumps(host)) == host


def test_what_a_plugin_prints_stays_out_of_our_output(add_plugin, capsys: pytest.CaptureFixture[str]) -> None:
    add_plugin("chatty", "print('hello')\n" + HOOK + "(): return []")
    assert _row(Host.load(), "chatty").status == "ok"
    assert capsys.readouterr().out == ""
