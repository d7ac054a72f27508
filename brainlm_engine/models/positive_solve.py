"""Solving many small symmetric positive definite systems at once, without ever waiting for the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Solve(torch.autograd.Function):
    """``X = A^-1 B``; backwards ``dB = A^-1 dX`` and ``dA = -dB X^T``, from the same factor."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, right: Tensor) -> Tensor:
        factor, failed = torch.linalg.cholesky_ex(matrix)
        factor = torch.where(
            (failed == 0)[..., None, None], factor, torch.nan
        )  # told later, as a loss that is no number
        solution = _back_and_forth(factor, right)
        ctx.save_for_backward(factor, solution)
        return solution

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        factor, solution = ctx.saved_tensors
        to_right = _back_and_forth(factor, grads[0])
        return -to_right @ solution.mT, to_right


def _back_and_forth(factor: Tensor, right: Tensor) -> Tensor:
    if factor.device.type == "cpu":
        return torch.cholesky_solve(right, factor)
    # on graphics processors cholesky_solve takes the systems of a batch one by one
    half = torch.linalg.solve_triangular(factor, right, upper=False)
    solution: Tensor = torch.linalg.solve_triangular(factor.mT, half, upper=True)
    return solution


def solved(matrix: Tensor, right: Tensor) -> Tensor:
    """Return ``X`` of ``matrix @ X = right``; NaN where a matrix is not positive definite.

    Parameters
    ----------
    matrix : (..., R, R) float32 or float64, symmetric positive definite
    right : (..., R, C)
    """
    solution: Tensor = _Solve.apply(matrix, right)  # type: ignore[no-untyped-call]
    return solution
