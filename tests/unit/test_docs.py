"""The docs stay true: links, commands, keys, columns and the generated page."""

from __future__ import annotations

import ast
import importlib
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from strangecast.cli import main as cli
from strangecast.core import schemas
from strangecast.workflow.codehash import CodeHash
from strangecast.workflow.compose import CONF, Registry
from strangecast.workflow.overrides import OverriddenRegistry, parse
from strangecast.workflow.plan import Plan
from strangecast.workflow.settings import checked
from tests.pages import PAGES, REPOSITORY, blocks, commands, inline, recipe_files

DOCS = REPOSITORY / "docs"
WORDS = ("seed", "scale")
GENERIC = {"FILE", "key=value", "VERB", "..."}  # stand for what the reader has in mind
RECIPES = {path: text for page in PAGES for path, text in recipe_files(page).items()}
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    """The conf folder with every YAML that the docs tell the reader to write."""
    folder = tmp_path_factory.mktemp("docs") / "conf"
    shutil.copytree(CONF, folder)
    for path, text in RECIPES.items():
        if "/conf/" in path:
            (folder / path.partition("/conf/")[2]).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def registry(conf) -> Registry:
    return Registry(conf)


# Links and files


@by_page
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), f"{page.name}: {target}"
            if anchor:
                heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}, target


@by_page
def test_files_named_in_the_text_exist(page):
    places = [REPOSITORY, REPOSITORY / "src" / "strangecast", DOCS]
    made = {p for r in RECIPES for p in (r, r.removeprefix("src/strangecast/"), r.rpartition("/")[2])}
    for word in inline(page):
        path = word.rstrip("/")
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+(\.\w+)?", path) or path.startswith(("results/", "figures/", ".")):
            continue
        if path in made or path.partition("/")[0] in ("resume", "plan"):  # of a results folder
            continue
        if re.search(r"\.(py|yaml|md|smk|csv|json|mplstyle|typ)$|/$", word):
            assert any((place / path).exists() for place in places), f"{page.name}: {word}"


def test_readme_points_to_every_page():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    missing = [p.name for p in DOCS.glob("*.md") if f"docs/{p.name}" not in text]
    assert not missing


def test_readme_shows_a_small_figure_first():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert text.index("docs/example.png") < text.index("make paper") < text.index("make test") < text.index("\n## ")
    assert (DOCS / "example.png").stat().st_size <= 200_000


def test_readme_names_every_command_of_the_design():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for command in (
        "make paper", "make paper SCALE=smoke", "make test", "make test-quick", "TORCH=cpu", "snakemake all",
        "snakemake --profile slurm all", "snakemake --profile slurm all --config scale=full", "snakemake figures/",
        "snakemake figures", "snakemake all -R train", "snakemake -f figures/", "snakemake all --sdm conda",
        "from strangecast.api import generate, train, load, forecast, score",
    ):  # fmt: skip
        assert command in text, command


@by_page
def test_no_number_is_still_to_be_filled_in(page):
    assert not re.findall(r"\b(?:DURATION|BENCHMARK|MORE|CUDA|GPU)_[A-Z]+\b|\bBENCHMARK\b", page.read_text())


# Commands


def arguments(words: list[str]):
    """What the command line makes of ``strangecast WORDS``."""
    try:
        return cli._parser().parse_args(words)
    except SystemExit as e:
        raise AssertionError(f"strangecast {' '.join(words)} is refused") from e


@by_page
def test_strangecast_commands_are_understood(page, registry):
    said = [shlex.split(w)[1:] for w in inline(page) if re.fullmatch(r"strangecast [a-z][^<>.]*", w)]
    for words in commands(page, "strangecast") + said:
        if len(words) == 1 and words[0] in VERBS:
            continue  # the verb is spoken of, not used
        options = arguments(words)
        texts = [a for a in getattr(options, "asked", []) if "=" in a]
        overrides = parse(texts, registry, WORDS)
        OverriddenRegistry(registry, overrides.values).check(str(overrides.words.get("scale", "laptop")))


VERBS = {a for action in cli._parser()._subparsers._group_actions for a in action.choices}


@by_page
def test_make_targets_exist(page):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    said = [shlex.split(w)[1:] for w in inline(page) if w.startswith("make ")]
    for words in commands(page, "make") + said:
        for word in words:
            name, equals, _ = word.partition("=")
            assert name in (variables if equals else targets), f"{page.name}: make {' '.join(words)}"


@by_page
def test_snakemake_commands_name_rules_files_and_keys_that_exist(page):
    from snakemake.cli import get_argument_parser, parse_config

    files = [REPOSITORY / "Snakefile", *sorted((REPOSITORY / "rules").glob("*.smk"))]
    rules = set(re.findall(r"^rule (\w+):", "\n".join(f.read_text() for f in files), re.MULTILINE))
    said = [
        shlex.split(w)[1:] for w in inline(page) if re.match(r"snakemake [^<>]*$", w) and not set(w.split()) & GENERIC
    ]
    for words in commands(page, "snakemake") + said:
        line = f"{page.name}: snakemake {' '.join(words)}"
        options = get_argument_parser().parse_args(words)
        for target in [*(options.targets or []), *(options.forcerun or [])]:
            assert target in rules | {"figures/"} or target.startswith(("results/", "figures/")), line
        values = parse_config(options.config)
        assert checked({"scale": "smoke", "studies": ["crossover"]} | values), line
        assert options.profile in (None, ["slurm"]), line


@by_page
def test_override_strings_reach_something(page, registry):
    for word in inline(page):
        if re.fullmatch(r"[a-z]+(\.\w+)*=[\w.\[\],-]+", word) and word.partition(".")[0] in registry.groups:
            OverriddenRegistry(registry, parse([word], registry, WORDS).values).check("laptop")


# Snippets


def test_yaml_files_of_the_recipes_compose(registry):
    written = [p.partition("/conf/")[2].removesuffix(".yaml").split("/") for p in RECIPES if "/conf/" in p]
    assert len(written) >= 5
    for group, name in written:
        for scale in ("smoke", "laptop", "full"):
            assert registry.option(group, name, scale), (group, name)


def test_run_entries_of_the_recipes_can_be_planned(registry):
    found = 0
    for page in PAGES:
        for block in blocks(page, "yaml"):
            entries = yaml.safe_load(block.text)
            if isinstance(entries, list):
                study = registry.option("study", "crossover", "smoke") | {"runs": entries, "claims": {}}
                plan = Plan("smoke", (), registry, CodeHash(), extra={"docs": study})
                assert plan.studies["docs"]["runs"]
                found += 1
    assert found >= 2


def test_studies_of_the_recipes_can_be_planned(registry):
    names = [p.rpartition("/")[2].removesuffix(".yaml") for p in RECIPES if "/conf/study/" in p]
    assert names
    plan = Plan("smoke", tuple(names), registry, CodeHash())
    assert all(plan.studies[n]["runs"] for n in names)


@by_page
def test_python_snippets_import_what_exists(page):
    for block in blocks(page, "python"):
        tree = ast.parse(block.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module != "__future__":
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{page.name}: {node.module}.{alias.name}"


# Generated and mirrored


def test_config_page_is_the_generated_one(capsys):
    assert cli.main(["show", "config"]) == 0
    written = (DOCS / "config.md").read_text(encoding="utf-8")
    assert written == capsys.readouterr().out, "run: strangecast show config > docs/config.md"


def tables(text: str) -> dict[str, list[str]]:
    """Names in the first column of the table under each heading of results.md that names a schema."""
    found = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        (name,) = re.findall(r"\(([A-Z]+)\)$", part.splitlines()[0])
        rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        found[name] = [column for row in rows for column in re.findall(r"`(\w+)`", row)]
    return found


def test_every_column_of_every_table_is_explained():
    explained = tables((DOCS / "results.md").read_text(encoding="utf-8"))
    wanted = {n: list(s.names) for n, s in vars(schemas).items() if n.isupper() and hasattr(s, "names")}
    assert {n: sorted(c) for n, c in explained.items()} == {n: sorted(c) for n, c in wanted.items()}


def test_every_rule_that_makes_a_result_is_in_the_table_of_files():
    page = (DOCS / "results.md").read_text(encoding="utf-8")
    for file in sorted((REPOSITORY / "rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL):
            if "results/{scale}" in body and "output:" in body:
                assert re.search(rf"^\| .*`{name}`", page, re.MULTILINE), name


# The quickstart


def test_quickstart_is_short():
    assert len((DOCS / "quickstart.py").read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.slow
def test_quickstart_runs(tmp_path, capsys):
    main = runpy.run_path(str(DOCS / "quickstart.py"))["main"]
    valid = main(str(tmp_path / "results"), "training.updates=100", "training.validate_every=50")
    assert valid >= 0
    assert "Lyapunov times" in capsys.readouterr().out
