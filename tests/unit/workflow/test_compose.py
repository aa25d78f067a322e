"""The registry: composition, scales, overrides, settings."""

from __future__ import annotations

import pytest

from strangecast.core.errors import ConfigError
from strangecast.workflow.cache import Cache
from strangecast.workflow.compose import Registry, at_scale
from strangecast.workflow.overrides import OverriddenRegistry, parse
from strangecast.workflow.settings import checked, read_settings, settings_page


def test_an_option_exists_when_its_file_does(conf):
    registry = Registry(conf)
    assert "mlp" in registry.names("emulator")
    assert registry.option("emulator", "wide", "laptop")["hidden"] == 64
    assert registry.option("emulator", "wide", "laptop")["gain"] == 1.0


def test_unknown_option_offers_the_nearest(conf):
    with pytest.raises(ConfigError, match="no emulator 'mpl'; did you mean 'mlp'"):
        Registry(conf).option("emulator", "mpl", "laptop")


def test_scale_blocks_are_merged_and_dropped(conf):
    registry = Registry(conf)
    assert registry.option("dataset", "chaos", "smoke")["initial_conditions"] == 4
    laptop = registry.option("dataset", "chaos", "laptop")
    assert laptop["initial_conditions"] == 12
    assert "at" not in laptop


def test_nested_scale_blocks():
    value = {"a": {"b": 1, "at": {"smoke": {"b": 2}}}, "at": {"smoke": {"c": {"d": 5}}}, "c": {"d": 1, "e": 2}}
    assert at_scale(value, "smoke", "here") == {"a": {"b": 2}, "c": {"d": 5, "e": 2}}


def test_misspelt_scale_is_refused():
    with pytest.raises(ConfigError, match="no scale 'smok'; did you mean 'smoke'"):
        at_scale({"at": {"smok": {}}}, "smoke", "here")


def test_cache_is_keyed_by_content(conf, tmp_path):
    cache = Cache(tmp_path / "cache.json")
    assert Registry(conf, cache).option("emulator", "mlp", "laptop")["hidden"] == 8
    cache.save()
    file = conf / "emulator" / "mlp.yaml"
    file.write_text(file.read_text().replace('"hidden": 8', '"hidden": 9'))
    assert Registry(conf, Cache(tmp_path / "cache.json")).option("emulator", "mlp", "laptop")["hidden"] == 9


def test_cache_spares_hydra(conf, tmp_path, monkeypatch):
    cache = Cache(tmp_path / "cache.json")
    Registry(conf, cache).option("emulator", "mlp", "laptop")
    cache.save()
    monkeypatch.setattr(Registry, "_compose", lambda *a: pytest.fail("composed again"))
    assert Registry(conf, Cache(tmp_path / "cache.json")).option("emulator", "mlp", "laptop")["title"] == "MLP"


def test_options_are_fresh_copies(conf):
    registry = Registry(conf)
    registry.option("emulator", "mlp", "laptop")["can"]["learns"] = "changed"
    assert registry.option("emulator", "mlp", "laptop")["can"]["learns"] == "gradient"


def test_broken_yaml_names_its_file(conf):
    (conf / "emulator" / "mlp.yaml").write_text("hidden: ${nothing}\n")
    with pytest.raises(ConfigError, match=r"conf/emulator/mlp.yaml cannot be composed"):
        Registry(conf).option("emulator", "mlp", "laptop")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [("emulator.hidden=16", {"mlp": 16, "wide": 16}), ("emulator.wide.hidden=16", {"mlp": 8, "wide": 16})],
)
def test_value_overrides(conf, text, hidden):
    base = Registry(conf)
    registry = OverriddenRegistry(base, parse([text], base).values)
    registry.check("laptop")
    assert {n: registry.option("emulator", n, "laptop")["hidden"] for n in hidden} == hidden


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("emulator.hiden=3", "did you mean 'hidden'"),
        ("emulator=mlq", "did you mean 'mlp'"),
        ("emulater.hidden=3", "did you mean 'emulator'"),
        ("emulator.hidden", "not of the form key=value"),
        ("+emulator.hidden=3", "only key=value"),
        ("emulator.hidden=1,2", "only key=value"),
    ],
)
def test_wrong_overrides(conf, text, sentence):
    base = Registry(conf)
    with pytest.raises(ConfigError, match=sentence):
        OverriddenRegistry(base, parse([text], base).values).check("laptop")


def test_choices_and_words(conf):
    found = parse(["emulator=mlp", "seed=3", "scale=smoke"], Registry(conf), ("seed", "scale"))
    assert found.choices == {"emulator": "mlp"}
    assert found.words == {"seed": 3, "scale": "smoke"}


GOOD = {"scale": "smoke", "studies": ["crossover"]}


def test_settings_defaults():
    settings = checked(GOOD)
    assert (settings.reuse, settings.device, settings.studies) == (True, "auto", ("crossover",))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"studys": []}, "no key 'studys'; did you mean 'studies'"),
        ({"scale": "huge"}, "scale: 'huge' is not one of"),
        ({"seeds": 0}, "seeds: 0 is less than the minimum of 1"),
        ({"studies": []}, "studies: "),
        ({"device": "gpu"}, "device: 'gpu' is not one of"),
    ],
)
def test_wrong_settings(change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        checked(GOOD | change)


def test_local_file_overlays(tmp_path):
    (tmp_path / "config.yaml").write_text("scale: laptop\nstudies: [crossover]\n")
    (tmp_path / "config.local.yaml").write_text("device: cpu\n")
    settings = read_settings(tmp_path, {"scale": "full"})
    assert (settings.scale, settings.device) == ("full", "cpu")


def test_missing_and_broken_config(tmp_path):
    with pytest.raises(ConfigError, match="config.yaml is missing"):
        read_settings(tmp_path)
    (tmp_path / "config.yaml").write_text("scale: [\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_settings(tmp_path)


def test_every_setting_is_explained():
    page = settings_page()
    for key in ("scale", "studies", "seeds", "overrides", "device", "logger", "weights", "reuse"):
        assert f"## `{key}`" in page
