"""Where a training may be watched while it runs; results never depend on it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from strangecast.core.errors import ConfigError, unknown

CONF = Path(__file__).resolve().parent.parent / "conf" / "logger"


class NoLogger:
    """Writes nothing."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Take the history rows (with ``run_id``) of one validation."""

    def close(self) -> None:
        """Finish."""


class CsvLogger(NoLogger):
    """Appends every row to ``training.csv`` in the block's folder, flushed at once."""

    COLUMNS = ("run_id", "update", "train_loss", "validation_loss", "learning_rate", "best")

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / "training.csv", "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._writer = csv.DictWriter(self._file, self.COLUMNS)
        self._writer.writeheader()

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Append."""
        self._writer.writerows(rows)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorboardLogger(NoLogger):
    """Event files under ``tensorboard/`` in the block's folder; one scalar series per run and quantity."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as e:
            raise ConfigError("logger tensorboard needs the package tensorboard: pip install tensorboard") from e
        self._writer = SummaryWriter(str(folder / "tensorboard"))

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Write scalars."""
        for row in rows:
            for key in ("train_loss", "validation_loss", "learning_rate"):
                self._writer.add_scalar(f"{key}/{row['run_id']}", row[key], row["update"])

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


class WandbLogger(NoLogger):
    """One Weights & Biases run per block, in project ``strangecast``."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        try:
            import wandb
        except ImportError as e:
            raise ConfigError("logger wandb needs the package wandb: pip install wandb") from e
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(project="strangecast", name=name, dir=str(folder))

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Log one step."""
        if rows:
            keys = ("train_loss", "validation_loss", "learning_rate")
            self._run.log({f"{k}/{r['run_id']}": r[k] for r in rows for k in keys}, step=rows[0]["update"])

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def open_logger(option: str, folder: Path, name: str) -> NoLogger:
    """The logger of ``conf/logger/<option>.yaml``.

    Args:
        option: its name.
        folder: the block's folder.
        name: what to call the block.

    Raises:
        ConfigError: no such option, or its package is not installed.
    """
    from hydra.utils import get_class
    from omegaconf import OmegaConf

    path = CONF / f"{option}.yaml"
    if not path.is_file():
        raise ConfigError(unknown("logger", option, [p.stem for p in CONF.glob("*.yaml")]))
    return get_class(OmegaConf.load(path)["_target_"])(folder, name)
