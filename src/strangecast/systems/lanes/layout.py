"""Where things lie in the block of memory that a group of lanes shares with its kernels.

A block is an array of float64 that starts on a 64-byte boundary: a head of scalars, then rows of W numbers, one for
each lane. Compiled kernels, the portable stepper and the loop that feeds them agree on this file alone.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD = 16
# Words of the head: address of the right-hand side (portable stepper), D, P, T, address of the grid times with
# infinity behind them (0: the grid is start + index * spacing), tolerances, time of a stage (portable stepper), and
# for the stepper shared by systems: addresses of ``inner`` and ``prepare``, byte offset of its vectors in the block.
(
    HEAD_FIELD, HEAD_DIM, HEAD_PARAMETERS, HEAD_TIMES, HEAD_GRID, HEAD_RTOL, HEAD_ATOL, HEAD_CLOCK,
    HEAD_INNER, HEAD_PREPARE, HEAD_VECTORS,
) = range(11)  # fmt: skip

# Rows of one number per lane. STEP is the step to try next; NEXT the grid time to be written next, INDEX its number,
# OUT the address it goes to; REJECTED and ACTIVE are 0 or -1 (all bits set), REASON bits of the constants below.
TIME, STEP, END, NEXT, START, SPACING, INDEX, OUT, EVALUATIONS, BUDGET, STEPS, REJECTED, ACTIVE, REASON = range(14)
SCALAR_ROWS = 14

# Why a lane wants attention; more than one may hold.
FINISHED, OUTSIDE, SMALL, SPENT, UNDEFINED = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Layout:
    """Rows of the block of one system.

    Attributes:
        width: W, lanes of a group.
        dim: D.
        n_parameters: P.
        scratch: rows that the kernels use for themselves.
    """

    width: int
    dim: int
    n_parameters: int
    scratch: int = 0

    @property
    def limit(self) -> int:
        """D rows: the absolute value beyond which a coordinate counts as diverged."""
        return SCALAR_ROWS

    @property
    def state(self) -> int:
        """D rows: the state at TIME."""
        return SCALAR_ROWS + self.dim

    @property
    def slope(self) -> int:
        """D rows: the right-hand side there."""
        return SCALAR_ROWS + 2 * self.dim

    @property
    def trial(self) -> int:
        """D rows: a state tried by the starting step, then D rows of its slope."""
        return SCALAR_ROWS + 3 * self.dim

    @property
    def sink(self) -> int:
        """D rows that lanes without output write to."""
        return SCALAR_ROWS + 5 * self.dim

    @property
    def parameters(self) -> int:
        """P rows."""
        return SCALAR_ROWS + 6 * self.dim

    @property
    def own(self) -> int:
        """First row of the kernels' scratch."""
        return self.parameters + self.n_parameters

    @property
    def words(self) -> int:
        """Length of the block."""
        return HEAD + self.width * (self.own + self.scratch)

    def at(self, row: int) -> int:
        """Byte offset of a row."""
        return 8 * (HEAD + self.width * row)
