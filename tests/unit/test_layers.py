"""The structure holds: rooms import downwards, planning needs no torch, names tell what is inside."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "strangecast"
HEAVY = ("torch", "lightning", "transformers", "matplotlib", "statsmodels", "dysts", "pandas", "scipy")


def test_rooms_import_only_rooms_below():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "statement", ["import strangecast.workflow.dag", "import strangecast.cli.main", "import strangecast.api"]
)
def test_planning_and_the_command_line_import_nothing_heavy(statement):
    code = f"{statement}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_planning_the_real_studies_imports_nothing_heavy(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom strangecast.workflow.dag import Dag\n"
        "from strangecast.workflow.settings import read_settings\n"
        f"dag = Dag(read_settings(Path({str(REPOSITORY)!r})), Path('results'), Path('figures'))\n"
        "for scale in ('smoke', 'laptop', 'full'):\n    dag.figures(scale)\n    dag.of_study(scale, 'crossover', 'x')\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("__init__.py")), ids=lambda p: p.parent.name)
def test_packages_hold_a_docstring_only(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert len(tree.body) == 1
    assert ast.get_docstring(tree)


def test_no_file_is_named_after_nothing():
    names = {p.stem for p in SOURCE.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "misc", "common"}


def test_every_module_says_what_it_is():
    silent = [p for p in SOURCE.rglob("*.py") if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


# Source text that this file itself made from a graph of known operations, for numba to compile.
GENERATES = {("scalar_field.py", "exec")}


def test_no_foreign_code_is_executed():
    """No pickle, eval, exec or shell strings anywhere in the package, but where code is generated from a graph."""
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                shell = any(k.arg == "shell" for k in node.keywords)
                runs = name in ("eval", "exec", "os.system", "pickle.load", "pickle.loads")
                if (runs and (path.name, name) not in GENERATES) or (name.startswith("subprocess.") and shell):
                    found.append(f"{path.name}:{node.lineno}: {name}")
                if name == "torch.load" and "weights_only=True" not in ast.unparse(node):
                    found.append(f"{path.name}:{node.lineno}: {name}")
                if name == "np.load" and "allow_pickle=False" not in ast.unparse(node):
                    found.append(f"{path.name}:{node.lineno}: {name}")
    assert found == []
