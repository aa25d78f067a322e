"""The paper builds from any results, and none of its results is typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from strangecast.core.errors import ResultsError
from strangecast.paper.document import build_paper, gather
from strangecast.paper.figure_job import draw_figure
from strangecast.paper.numbers import paper_numbers
from tests.unit.paper.conftest import CASES
from tests.unit.paper.synthetic import Study

PAPER = Path(__file__).resolve().parents[3] / "paper"
MANUSCRIPT = PAPER / "manuscript.typ"
WORDS = "two three four five six seven eight nine ten dozen hundred hundreds thousand half twice double doubles percent"


@pytest.fixture(scope="module")
def figures(studies, tmp_path_factory):
    """``figures(case)``: a folder with the figures of a study."""
    made: dict[str, Path] = {}

    def folder(case: str) -> Path:
        if case not in made:
            made[case] = tmp_path_factory.mktemp(f"figures-{case}")
            study = studies(case)
            for name in study.plan["figures"]:
                draw_figure(study.plan, study.root, name, made[case] / study.name / name)
        return made[case]

    return folder


def pages(pdf: bytes) -> int:
    return max(int(n) for n in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count (\d+)|/Count (\d+)", pdf) for n in n if n)


@pytest.mark.parametrize("case", CASES)
def test_the_paper_builds(studies, figures, tmp_path, case):
    study = studies(case)
    build_paper([study.plan], study.root, figures(case), MANUSCRIPT, tmp_path / "paper.pdf")
    pdf = (tmp_path / "paper.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pages(pdf) >= 4
    numbers = json.loads((tmp_path / "paper.json").read_text(encoding="utf-8"))
    assert [s["name"] for s in numbers["studies"]] == ["crossover"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["paper.json", "paper.pdf"]


def test_equal_results_give_equal_bytes(studies, figures, tmp_path):
    study = studies("plain")
    for name in ("a", "b"):
        build_paper([study.plan], study.root, figures("plain"), MANUSCRIPT, tmp_path / f"{name}.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_two_studies_in_one_paper(studies, figures, tmp_path):
    study = studies("plain")
    other = Study(study.root, systems=3, labels=2, name="second").write()
    for name in other.plan["figures"]:
        draw_figure(other.plan, other.root, name, figures("plain") / "second" / name)
    build_paper([study.plan, other.plan], study.root, figures("plain"), MANUSCRIPT, tmp_path / "paper.pdf")
    assert pages((tmp_path / "paper.pdf").read_bytes()) >= 5


def test_what_is_missing_is_named(studies, figures, tmp_path):
    study = studies("plain")
    with pytest.raises(ResultsError, match=r"\.pdf does not exist; run the rule figure first"):
        build_paper([study.plan], study.root, tmp_path, MANUSCRIPT, tmp_path / "paper.pdf")
    with pytest.raises(ResultsError, match="no manuscript"):
        build_paper([study.plan], study.root, figures("plain"), tmp_path / "m.typ", tmp_path / "paper.pdf")
    with pytest.raises(ResultsError, match=r"runs\.parquet does not exist"):
        build_paper([study.plan], tmp_path, figures("plain"), MANUSCRIPT, tmp_path / "paper.pdf")
    (tmp_path / "m.typ").write_text("#unknown-name", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"m\.typ cannot be typeset: .*unknown"):
        build_paper([study.plan], study.root, figures("plain"), tmp_path / "m.typ", tmp_path / "paper.pdf")
    assert not (tmp_path / "paper.pdf").exists()


def test_the_numbers_are_those_of_the_tables(studies):
    study = studies("plain")
    numbers = paper_numbers([study.plan], study.root)
    json.dumps(numbers, allow_nan=False)
    own = numbers["studies"][0]
    table = study.frames()["comparisons"]
    table = table[table["peer"].isna() & (table["metric"] == "valid_prediction_time")].set_index("label")
    ranked = own["suites"][0]["ranked"]
    assert {r["label"]: r["value"] for r in ranked} == table["median"].to_dict()
    assert own["counts"]["windows"]["value"] == 12
    assert own["counts"]["runs"]["value"] == len(study.runs)
    assert own["data"]["generated"] == "18"
    assert own["data"]["rejected"] == [{"reason": "stationarity", "trajectories": "3"}]
    assert own["data"]["solver.rtol"] == "10⁻⁹"
    assert [c["verdict"] for c in own["claims"]] == ["reproduced", "not testable here"]
    steps = {r["label"]: [s["value"] for s in r["settings"] if s["name"] == "rollout_steps"] for r in own["labels"]}
    assert steps["MLP, 4-step"] == ["4"]
    assert numbers["bootstrap"]["level"]["text"] == "95"


# Words follow numbers


def text_of(study: Study, folder: Path, figures: Path) -> str:
    """The sentences of abstract and results, as typst would set them."""
    import typst

    folder.mkdir()
    gather(folder, [study.plan], paper_numbers([study.plan], study.root), figures, MANUSCRIPT)
    source = MANUSCRIPT.read_text(encoding="utf-8").split("// TEXT")[0]
    source += "#metadata(())\n#let f = n.studies.first().suites.first()\n#[#leading(f) #training-effects(f)"
    (folder / "facts.typ").write_text(
        f"{source} #against-baseline(f) #power(f) #orders(f) #losses(f) #winners(f)] <facts>", encoding="utf-8"
    )
    found = typst.query(str(folder / "facts.typ"), "<facts>", root=str(folder), ignore_system_fonts=True)
    return re.sub(r"\s+", " ", _flattened(json.loads(found)))


def _flattened(node) -> str:
    if isinstance(node, list):
        return "".join(_flattened(n) for n in node)
    if isinstance(node, str):
        return node
    if isinstance(node, dict):
        if node.get("func") == "space":
            return " "
        return "".join(_flattened(node[k]) for k in ("text", "children", "body", "child") if k in node)
    return ""


def test_sentences_turn_with_the_numbers(tmp_path, studies, figures):
    made = {}
    for name, skill in {
        "better": {"MLP, 1-step": 0.6, "MLP, 4-step": 3.5},
        "worse": {"MLP, 1-step": 3.5, "MLP, 4-step": 0.6},
        "even": {"MLP, 1-step": 2.0, "MLP, 4-step": 2.0},
        "hopeless": {"MLP, 1-step": 0.01, "MLP, 4-step": 0.01, "Ridge regression": 0.01},
    }.items():
        study = Study(tmp_path / name / "results" / "smoke", systems=6, skill=skill).write()
        made[name] = text_of(study, tmp_path / f"{name}-text", figures("plain"))
    assert "MLP, 4-step comes first" in made["better"]
    assert "the change of training pays" in made["better"]
    assert "excludes zero" in made["better"]
    assert "MLP, 1-step comes first" in made["worse"]
    assert "the change of training harms" in made["worse"]
    assert "do not show that the change of training matters" in made["even"]
    assert "the order of these two is not decided" in made["even"]
    assert "Persistence comes first" in made["hopeless"]
    assert "training notwithstanding" in made["hopeless"]
    assert "No forecast diverged" in made["even"]
    assert "p = 0.031" in made["even"]
    assert "cannot separate" not in made["even"]


def test_sentences_about_little_data_and_losses(tmp_path, studies, figures):
    few = text_of(studies("lost"), tmp_path / "lost", figures("lost"))
    assert "cannot separate any pair at this scale" in few
    assert re.search(r"Forecasts diverged for MLP, 4-step \(\d+\); they count as the worst", few)
    alone = text_of(studies("alone"), tmp_path / "alone", figures("alone"))
    assert "follows with" not in alone
    assert "None" not in alone


# Nothing is typed


def prose() -> str:
    """The manuscript below its marker, without comments, references, labels, formulas and strings of code."""
    text = MANUSCRIPT.read_text(encoding="utf-8").split("// TEXT")[1]
    text = re.sub(r"(?<!:)//[^\n]*", "", text)
    text = re.sub(r"\$[^$]*\$", "", text)
    text = re.sub(r"@[a-z][\w-]*|<[a-z][\w-]*>", "", text)
    return text


LAYOUT = re.compile(
    r"#v\([\d.]+em\)|#h\([\d.]+em\)|\b\d+(?:\.\d+)?(?:pt|em|mm|cm|fr)\b|width: \d+%|weight: \"\w+\"|columns: \d|"
    r"\.len\(\) (?:>|==) [01]\b|\.value (?:>|==) 0\b|most: \d|== \"0\"|numbering: none"
)


def test_no_result_is_typed_in_the_text():
    left = LAYOUT.sub("", prose())
    typed = [line.strip() for line in left.splitlines() if re.search(r"\d", line)]
    assert not typed, typed


def test_no_result_is_spelled_in_abstract_results_and_claims():
    text = prose()
    abstract = text[text.index("*Abstract.*") : text.index("= Introduction")]
    results = text[text.index("= Results") : text.index("= Limits")]
    found = re.findall(rf"\b(?:{WORDS.replace(' ', '|')})\b", abstract + results, flags=re.IGNORECASE)
    assert not found, found


def test_no_emulator_training_or_verdict_is_named_in_abstract_results_and_claims():
    """The text may not presuppose who wins: names come from the numbers."""
    text = prose()
    for part in (
        text[text.index("*Abstract.*") : text.index("= Introduction")],
        text[text.index("= Results") : text.index("= Claims")],
    ):
        assert not re.findall(
            r"\b(?:MLP|[Rr]idge|[Pp]ersistence|[Cc]limatology|unroll\w*|best|worst|outperform\w*)\b", part
        )


def test_the_scan_would_find_a_typed_number():
    assert re.search(r"\d", LAYOUT.sub("", "The MLP stays valid for 3.4 Lyapunov times."))
    assert not re.search(r"\d", LAYOUT.sub("", "#v(0.6em) #block(width: 86%)[a] #text(size: 7.5pt)[b]"))


def test_references_exist_and_are_used():
    keys = re.findall(r"^@\w+\{([\w-]+),", (PAPER / "references.bib").read_text(encoding="utf-8"), flags=re.MULTILINE)
    cited = set(re.findall(r"@([a-z]+\d{4}[a-z]*)\b", MANUSCRIPT.read_text(encoding="utf-8")))
    assert len(keys) == len(set(keys)) >= 15
    assert cited == set(keys)
