"""The verb that looks at data: inspect."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangecast.cli.named import Named
from strangecast.core.errors import ConfigError, unknown

if TYPE_CHECKING:
    from strangecast.analyses.shown import Shown
    from strangecast.data.inspection import Examination

ON_THE_SPOT = "dysts_all"  # its YAML says how a system is simulated that no dataset holds
FAULTS = 10  # that are named one by one
NAMED = 6  # systems that are


def add_verbs(verb) -> None:
    """Register the verb."""
    p = verb("inspect", "check the files of a dataset or system and draw it; draw augmentations", _inspect)
    p.add_argument("words", nargs="+", metavar="SYSTEM | DATASET | key=value",
                   help="such as Lorenz, dysts_all, or dataset=dysts_perturbed system=Lorenz scale=laptop")  # fmt: skip
    p.add_argument("--augment", action="store_true", help="draw every augmentation of one system, or of a pair")
    p.add_argument("--results", type=Path, default=Path("results"), help="folder that holds the scales")
    p.add_argument("--out", type=Path, help="the PNG; default: figures/inspect/NAME.png")


def _inspect(options: argparse.Namespace) -> int:
    named = Named(options.words, options.results)
    if named.split is not None:
        raise ConfigError("inspect looks at all splits of a dataset; leave split= out")
    if options.augment:
        return _augmented(named, options.out)
    dataset, system = _meant(named)
    made = named.made(dataset, system)
    if not made:
        return _on_the_spot(named, dataset, system, options.out)
    problems = 0
    for scale, name in made:
        out = options.out if options.out and len(made) == 1 else None
        problems += _examined(named, scale, name, system, out)
    return 1 if problems else 0


def _meant(named: Named) -> tuple[str | None, str | None]:
    """(dataset, system) of the words; one of them may be None."""
    dataset, system = named.dataset, named.system
    for word in named.bare:
        if dataset is None and (named.is_dataset(word, named.scales[0]) or named.made(word, None)):
            dataset = word
        elif system is None:
            system = word
        else:
            raise ConfigError(f"one dataset and one system can be named, '{word}' is another")
    if system is not None and dataset is None:
        _known(named, system)
    return dataset, system


def _known(named: Named, system: str) -> None:
    """Refuse a word that is neither a system nor a dataset."""
    from strangecast.systems import catalogue, options
    from strangecast.systems.skew_names import parse

    if parse(system) is None and system not in catalogue.entries() and system not in options.names():
        if named.made(None, system):
            return  # own data
        names = [*catalogue.entries(), *options.names(), *named.registry(named.scales[0]).names("dataset")]
        raise ConfigError(unknown("system or dataset", system, names))


# What lies in files


def _examined(named: Named, scale: str, name: str, system: str | None, out: Path | None) -> int:
    from strangecast.data.inspection import examine

    root = named.results / scale
    plan = named.plan(name, scale)
    found = examine(plan, root, system)
    print(f"{name} ({root / plan['folder']})")
    for key, text in _report(found):
        print(f"  {key:10s}{text}")
    for problem in found.problems[:FAULTS]:
        print(f"  FAULT     {problem}")
    if len(found.problems) > FAULTS:
        print(f"  FAULT     and {len(found.problems) - FAULTS} more")
    out = out or _picture(f"{name}-{system}" if system and system != name.partition("-")[2] else name)
    if found.rows and not found.problems:
        _drawn(plan, root, found, out)
        print(f"  picture   {out}")
    return len(found.problems)


def _report(found: Examination) -> Iterator[tuple[str, str]]:
    damaged = f", damaged: {', '.join(found.damaged)}" if found.damaged else ""
    yield "files", f"{len(found.whole)} whole" + damaged
    if found.other:
        file, rule = next(iter(found.other.items()))
        more = f" and {len(found.other) - 1} more" if len(found.other) > 1 else ""
        yield "stale", f"{file}{more}: absent, or made by other settings or code; rule {rule} makes it again"
    if not found.rows:
        return
    systems = found.systems
    shown = ", ".join(_described(s) for s in systems[:NAMED])
    more = f" and {len(systems) - NAMED} more" if len(systems) > NAMED else ""
    yield "systems", f"{len(systems)}: {shown}{more}"
    why = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in found.reasons.most_common())
    yield "verdicts", f"{len(found.accepted)} of {len(found.rows)} accepted" + (f"; rejected by {why}" if why else "")
    kept = [r for r in found.rows if r["length"]]
    if kept:
        shapes = (
            _range("samples", [r["length"] for r in kept]) + ", " + _range("channels", [r["channels"] for r in kept])
        )
        per_period = [r["period"] / r["dt"] for r in kept if r["period"] and r["dt"]]
        yield "shapes", shapes + (", " + _range("per period", per_period) if per_period else "")
    exponents = [r["lyapunov"] for r in found.rows if r["lyapunov"] is not None]
    if exponents:
        yield "exponent", _range("per time unit", exponents)
    if found.splits:
        parts = Counter(piece["split"] for piece in found.splits)
        yield "splits", ", ".join(f"{part} {n}" for part, n in parts.items())
    kinds: dict[str, list[str]] = {}
    for system, kind in found.kinds.items():
        kinds.setdefault(kind, []).append(system)
    if kinds:
        yield (
            "kinds",
            ", ".join(
                f"{kind} {len(own)}" + (f" ({', '.join(own)})" if kind != "chaotic" and len(own) <= NAMED else "")
                for kind, own in kinds.items()
            ),
        )


def _described(system: str) -> str:
    from strangecast.analyses.attempts import kind_of

    about = kind_of(system)
    words = [about.kind] + (["driven"] if about.driven else []) + ([] if about.smooth else ["not smooth"])
    return f"{system} ({', '.join(words)})"


def _range(unit: str, values: list[float]) -> str:
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def _drawn(plan: dict[str, Any], root: Path, found: Examination, out: Path) -> None:
    """A page of the system's trajectories, or a gallery where there are several systems."""
    from strangecast.analyses.generated import Generated
    from strangecast.analyses.shown import of_dataset

    generated = Generated(plan["name"], root / plan["folder"], plan["config"])
    if len(found.systems) == 1:
        _save(of_dataset(generated, found.systems[0]), plan["name"], out)
        return
    from strangecast.analyses.gallery import gallery
    from strangecast.paper.figures.attractor_gallery import draw
    from strangecast.paper.page_file import save_page

    save_page(lambda: draw({"analysis/gallery": gallery([generated])}), out)


def _save(shown: list[Shown], title: str, out: Path) -> None:
    from strangecast.paper.page_file import save_page
    from strangecast.paper.trajectory_page import draw

    if not shown:
        raise ConfigError(f"{title}: no trajectory was kept, so there is nothing to draw")
    save_page(lambda: draw(shown, title), out)


def _picture(name: str) -> Path:
    return Path("figures/inspect") / f"{name}.png"


# What is simulated for the purpose


def _on_the_spot(named: Named, dataset: str | None, system: str | None, out: Path | None) -> int:
    from strangecast.analyses.shown import simulated

    scale = named.scale or "smoke"
    config = named.plan(dataset or ON_THE_SPOT, scale)["config"]
    if dataset is not None and system is None:
        system = config.get("system")
    if system is None or config.get("source") is not None:
        raise ConfigError(
            f"dataset '{dataset}' is not made yet: run `strangecast generate dataset={dataset}`, or name one of its systems"
        )
    shown = simulated(system, config)
    print(f"{_described(system)}, simulated on the spot as dataset '{dataset or ON_THE_SPOT}' would at scale {scale}")
    for one in shown:
        words = f"rejected by {', '.join(one.reasons)}" if one.reasons else "accepted"
        print(f"  {one.trajectory_id}  {list(one.values.shape)}  {words}")
    first = shown[0]
    if first.lyapunov is not None:
        error = f" +- {first.standard_error:.2g}" if first.standard_error else ""
        print(f"  exponent  {first.lyapunov:.4g}{error} per time unit")
    out = out or _picture(system)
    _save([s for s in shown if len(s.values) > 1], system, out)
    print(f"  picture   {out}")
    return 0


def _augmented(named: Named, out: Path | None) -> int:
    from strangecast.data.augmentations.examples import examples
    from strangecast.paper.augmentation_page import draw
    from strangecast.paper.page_file import save_page

    names = [*([named.system] if named.system else []), *named.bare]
    if named.dataset is not None or not 1 <= len(names) <= 2:
        raise ConfigError("name one system or two to augment, such as --augment Lorenz Rossler")
    scale = named.scale or "smoke"
    registry = named.registry(scale)
    series = {name: _series(named, name, scale) for name in names}
    options = {name: registry.option("augmentation", name, scale) for name in registry.names("augmentation")}
    found = examples({name: config for name, config in options.items() if "_target_" in config}, series)
    out = out or _picture(f"augmented-{'-'.join(names)}")
    save_page(lambda: draw(found), out)
    for one in found:
        print(f"  {one.title}: {' and '.join(one.of)}, {list(one.before.shape)} to {list(one.after.shape)}")
    if len(names) == 1:
        print("  name a second system to see the augmentations of pairs")
    print(f"  picture   {out}")
    return 0


def _series(named: Named, system: str, scale: str) -> Any:
    """[T, C]: an accepted trajectory of a system from the results, or one simulated on the spot."""
    from strangecast.analyses.generated import Generated
    from strangecast.analyses.shown import of_dataset, simulated

    _known(named, system)
    for at, name in named.made(None, system):
        plan = named.plan(name, at)
        shown = of_dataset(Generated(name, named.results / at / plan["folder"], plan["config"]), system, 1)
        if shown and not shown[0].reasons:
            return shown[0].values
    config = named.plan(ON_THE_SPOT, scale)["config"] | {"lyapunov": None, "validity": {}}
    values = simulated(system, config, 1)[0].values
    if len(values) < 2:
        raise ConfigError(f"system '{system}' could not be followed, so there is nothing to augment")
    return values
