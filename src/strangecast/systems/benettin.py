"""Two nearby trajectories of any vector field, drawn together again and again: for systems that have no graph.

Both are integrated as one state of size 2 D, hence with the same steps, so that truncation errors cancel in their
difference. This needs no Jacobian and holds for vector fields with jumps; it is slow.

Source: G. Benettin, L. Galgani, J.-M. Strelcyn, Phys. Rev. A 14 (1976) 2338.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np


def divergence_rates(
    field: Callable[[float, np.ndarray], np.ndarray],
    state: np.ndarray,
    scale: np.ndarray,
    direction: np.ndarray,
    *,
    interval: float,
    count: int,
    separation: float,
    rtol: float,
    budget: int,
) -> np.ndarray | None:
    """Growth rates [count] of a small separation over consecutive intervals, or None where it cannot be followed.

    Args:
        field: right-hand side of one state [D].
        state: [D], where to start.
        scale: [D], units in which distances are measured.
        direction: [D], first direction of the separation, in those units.
        interval: time between rescalings.
        count: number of intervals.
        separation: distance after each rescaling.
        rtol: relative tolerance; the absolute one is ``rtol * min(scale) / 10``.
        budget: evaluations of the pair.
    """
    from scipy.integrate import DOP853

    dim = len(state)

    def pair(t: float, both: np.ndarray) -> np.ndarray:
        return np.concatenate([field(t, both[:dim]), field(t, both[dim:])])

    delta = separation * direction / np.linalg.norm(direction)
    both = np.concatenate([state, state + scale * delta])
    atol = 0.1 * rtol * float(scale.min())
    rates = np.empty(count)
    evaluations, step = 0, None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i in range(count):
            begin, end = i * interval, (i + 1) * interval
            first = None if step is None else min(step, end - begin)
            stepper = DOP853(pair, begin, both, end, rtol=rtol, atol=atol, first_step=first)
            while stepper.status == "running":
                stepper.step()
                # The last step is cut to end on the interval: it says nothing of what the error control would take.
                if stepper.status == "running":
                    step = stepper.step_size
            evaluations += stepper.nfev
            if stepper.status == "failed" or not np.isfinite(stepper.y).all() or evaluations > budget:
                return None
            delta = (stepper.y[dim:] - stepper.y[:dim]) / scale
            distance = float(np.linalg.norm(delta))
            if distance == 0.0:
                return None
            rates[i] = math.log(distance / separation) / (end - begin)
            both = np.concatenate([stepper.y[:dim], stepper.y[:dim] + scale * delta * (separation / distance)])
    return rates
