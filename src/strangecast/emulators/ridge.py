"""Linear regression on a delay embedding, fitted in closed form."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from strangecast.core.context import Context
from strangecast.core.errors import ConfigError, DataError
from strangecast.core.spec import Spec
from strangecast.emulators.autoregressive import Autoregressive
from strangecast.emulators.base import Can
from strangecast.emulators.member_linear import member_linear
from strangecast.emulators.normaliser import Normaliser


class Ridge(Autoregressive):
    """``x' = x + [x, ..., x_{-delays+1}] W + b`` in normalised units, float64.

    ``fit`` minimises ``mean_{n,c} (x' - prediction)^2 + regularisation * |W|^2 / C`` over all training samples
    (Hoerl and Kennard 1970); the intercept is not penalised.

    Args:
        specs: per member.
        delays: length of the embedding.
        regularisation: ridge parameter; one number, or one per member.
    """

    can: ClassVar[Can] = Can(learns="fit", step=True)
    dtype: ClassVar[torch.dtype] = torch.float64

    def __init__(self, specs: tuple[Spec, ...], *, delays: int, regularisation: float | tuple[float, ...]) -> None:
        super().__init__(specs)
        each = regularisation if isinstance(regularisation, (tuple, list)) else (regularisation,) * self.S
        if delays < 1 or min(each) < 0 or len(each) != self.S:
            raise ConfigError(
                f"ridge needs delays of at least 1 and regularisation of at least 0 for each member, found {delays}, "
                f"{each}"
            )
        self.delays = delays
        self.regularisation = tuple(float(r) for r in each)
        self.weight = nn.Parameter(torch.zeros(self.S, delays * self.C, self.C, dtype=self.dtype))
        self.bias = nn.Parameter(torch.zeros(self.S, 1, self.C, dtype=self.dtype))
        self.normaliser = Normaliser(self.S, self.C)

    @property
    def context_range(self) -> tuple[int, int | None]:
        """Exactly its delays."""
        return self.delays, self.delays

    @property
    def scale(self) -> Tensor:
        """[S, C], the unit of losses."""
        return self.normaliser.std

    def penalty(self) -> Tensor:
        """[S]: ``regularisation * |W|^2 / C``."""
        factor = torch.tensor(self.regularisation, dtype=self.dtype, device=self.weight.device)
        return factor * self.weight.square().flatten(1).sum(1) / self.C

    def fit_normaliser(self, segments: list[list[np.ndarray]]) -> None:
        """Mean and scale of the training data."""
        self.normaliser.fit(segments)

    def fit(self, segments: list[list[np.ndarray]]) -> None:
        """Solve the normal equations of each member.

        Raises:
            DataError: no segment is longer than the embedding.
        """
        for s, pieces in enumerate(segments):
            mean, std = (b[s].cpu().numpy() for b in (self.normaliser.mean, self.normaliser.std))
            features, targets = self._pairs([(np.asarray(p, float) - mean) / std for p in pieces])
            mu, nu = features.mean(0), targets.mean(0)
            centred = features - mu
            gram = centred.T @ centred / len(centred) + self.regularisation[s] * np.eye(centred.shape[1])
            moment = centred.T @ (targets - nu) / len(centred)
            # least squares instead of a solve: delays of a smooth series make the Gram matrix nearly singular
            weight = np.linalg.lstsq(gram, moment, rcond=None)[0]
            with torch.no_grad():
                self.weight[s] = torch.from_numpy(weight)
                self.bias[s, 0] = torch.from_numpy(nu - mu @ weight)

    def _pairs(self, pieces: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Features [n, delays * C] (oldest first) and residual targets [n, C] of all pieces."""
        d = self.delays
        long = [p for p in pieces if len(p) > d]
        if not long:
            raise DataError(f"ridge with {d} delays needs a training segment of at least {d + 1} samples")
        windows = [np.lib.stride_tricks.sliding_window_view(p, d, axis=0)[:-1].transpose(0, 2, 1) for p in long]
        features = np.concatenate([w.reshape(len(w), -1) for w in windows])
        targets = np.concatenate([p[d:] - p[d - 1 : -1] for p in long])
        return features, targets

    def encode(self, context: Context) -> Tensor:
        """Carry: [S, B, delays, C], the last states in normalised units."""
        past = self.normaliser.normalise(context.values[:, :, -self.delays :], self.dtype)
        return past.expand(self.S, -1, -1, -1)

    def step(self, carry: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """One sampling interval; see :meth:`Autoregressive.step`."""
        state = (carry[:, :, -1] + member_linear(carry.flatten(2), self.weight, self.bias))[:, :, None]
        carry = state if self.delays == 1 else torch.cat([carry[:, :, 1:], state], 2)
        return self.normaliser.physical(state), carry
