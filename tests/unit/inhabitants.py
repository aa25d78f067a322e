"""Small emulators of kinds that the shipped ones are not, to hold the contracts with: pooled, pretrained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from strangecast.core.context import Context
from strangecast.core.errors import DataError
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.emulators.base import Can


class Reverting(Autoregressive):
    """``x' = m + g (x - m) + v``, m the mean of the context and v a learned pull; any channels, any sampling.

    One member at a time; ``order`` past increments feed v, and only a pretrained folder says how many there are.
    """

    can = Can(learns="gradient", step=True, pooled=True)
    side_by_side = False

    def __init__(self, specs=(), *, order: int = 1) -> None:
        super().__init__(specs)
        self.order = order
        self.gain = nn.Parameter(torch.zeros(()))
        self.pull = nn.Parameter(torch.zeros(order))

    @property
    def context_range(self):
        return self.order + 1, None

    @property
    def architecture(self):
        return {"order": self.order}

    def load_pretrained(self, folder: Path) -> None:
        try:
            self.order = json.loads((folder / "about.json").read_text())["order"]
            state = load_file(folder / "model.safetensors")
        except OSError as e:
            raise DataError(f"{folder} holds no Reverting") from e
        self.gain, self.pull = nn.Parameter(state["gain"]), nn.Parameter(state["pull"])

    def initialise(self, streams: list[np.random.Generator]) -> None:
        with torch.no_grad():
            self.pull.copy_(torch.from_numpy(0.1 * streams[0].standard_normal(self.order)))

    def unit(self, context: Context) -> Tensor:
        return context.values.std(2) + 1e-6

    def encode(self, context: Context):
        past = context.values.float()
        return past.mean(2, keepdim=True), past[:, :, -self.order - 1 :]

    def step(self, carry, times: Tensor):
        mean, past = carry
        v = (past.diff(dim=2) * self.pull.view(1, 1, -1, 1)).sum(2, keepdim=True)
        state = mean + torch.sigmoid(self.gain) * (past[:, :, -1:] - mean) + v
        return state, (mean, torch.cat([past[:, :, 1:], state], 2))


def write_reverting(folder: Path, gain: float, pull: list[float]) -> Path:
    """A folder that :meth:`Reverting.load_pretrained` reads."""
    folder.mkdir(parents=True)
    (folder / "about.json").write_text(json.dumps({"order": len(pull)}))
    save_file({"gain": torch.tensor(gain), "pull": torch.tensor(pull)}, folder / "model.safetensors")
    return folder
