"""The first guess: what a factor model of the brain makes of the visible parcels, in closed form and differentiable.

Each parcel v has loadings l_v on a few dozen factors and a precision w_v, both known from its place. In a time patch
the factors' time courses z are the ridge solution over its visible parcels, and the guess for parcel v is l_v z.

Three covariances, by the switch ``guess``:

people
    The factors are uncorrelated with variance 1, as over all people: a ridge regression fitted on everybody.
window
    People differ in how their networks go together. The factors' covariance is estimated from this window, from the
    z of all its time patches and their uncertainty, between what was found and the identity, which counts for
    ``nu`` (learned) samples.
person
    The same, and each parcel gets loadings of its own, by ridge towards l_v over those patches in which it is visible.
    That helps where the learned places are wrong (other scanners, other atlases) and hurts where they are right. So the
    two guesses are blended, in each temporal frequency by itself, as best predicts what is visible and was *not* used:
    the window's even time patches predict the odd ones and the other way round, and no parcel is asked about itself.
    The blend is drawn towards a learned one. This also damps frequencies that cannot be predicted.

Both keep to what everybody teaches where a parcel is hidden for the whole window.

With ``bands`` above 1 the temporal frequencies fall into so many bands, each with a learned precision of its own: fast
fluctuations are mostly noise and deserve a heavier ridge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from brainlm_engine.models import positive_solve
from brainlm_engine.models.patches import SAMPLES
from brainlm_engine.models.studio_config import StudioConfig

_OWN_PRIOR = 50.0  # samples that a parcel's loadings from its place count for
_NU = 50.0  # and, to begin with, the identity as covariance of the factors
_BLEND_PRIOR = 0.02  # weight of the learned blend, in shares of the energy of what is predicted, to begin with
_MOST_LEVERAGE = 0.95
_ROUNDS = 6  # of conjugate gradients


class Guess(NamedTuple):
    """(B, V, N, 20) each: the guess for every patch, and what the encoder is told of the visible ones."""

    everywhere: Tensor
    of_visible: Tensor


class _Factors(NamedTuple):
    """Factor time courses z (B, N, G, R, S / G) in G bands, and their covariance (B, N, G, R, R)."""

    courses: Tensor
    uncertainty: Tensor

    def where(self, chosen: Tensor, other: _Factors) -> _Factors:
        """Return these in the time patches ``chosen (N,)``, the others elsewhere."""
        chosen = chosen[:, None, None, None]
        return _Factors(*(torch.where(chosen, mine, its) for mine, its in zip(self, other, strict=True)))


class FirstGuess(nn.Module):
    """Fill in every patch from the visible parcels of its time patch."""

    def __init__(self, config: StudioConfig) -> None:
        super().__init__()
        self.kind, self.bands, self.left_out = config.guess, config.bands, config.left_out
        self.in_frequencies = self.bands > 1 or self.kind == "person"
        if self.in_frequencies:
            self.register_buffer("cosines", _cosines(), persistent=False)
        if self.bands > 1:
            self.log_gain = nn.Parameter(torch.zeros(self.bands))
        if self.kind != "people":
            self.log_nu = nn.Parameter(torch.tensor(math.log(_NU)))
        if self.kind == "person":
            self.blend = nn.Parameter(torch.full((SAMPLES, 2), 0.5))
            self.log_blend_prior = nn.Parameter(torch.tensor(math.log(_BLEND_PRIOR)))

    def taken_as_given(self) -> AbstractContextManager[None]:
        """Learning takes a person's own loadings as given; whoever asks a trained model gets the whole gradient."""
        return torch.set_grad_enabled(torch.is_grad_enabled() and not self.training)

    def transform(self, like: Tensor) -> Tensor:
        """Return the cosine transform (20, 20) on the device of ``like``."""
        cosines: Tensor = self.cosines  # type: ignore[assignment]
        return cosines.to(like)

    def forward(self, samples: Tensor, visible: Tensor, precision: Tensor, loadings: Tensor) -> Guess:
        """Return the guess.

        Parameters
        ----------
        samples : (B, V, N, 20); what is hidden is not read
        visible : (B, V, N) bool
        precision : (B, V, 1)
        loadings : (B, V, R); R = 0 guesses 0
        """
        if not loadings.shape[-1]:
            return Guess(torch.zeros_like(samples), torch.zeros_like(samples))
        with torch.autocast(samples.device.type, enabled=False):  # a solve in half precision is none
            samples, precision, loadings = (
                x.float() if x.dtype in (torch.bfloat16, torch.float16) else x for x in (samples, precision, loadings)
            )
            if self.kind == "people" and self.bands == 1 and not self.left_out:
                guess = people_guess(samples, precision * visible, loadings)
                return Guess(guess, guess)
            window = _Window(self, samples, visible.to(samples.dtype), precision, loadings)
            return window.guess()


class _Window:
    """A batch of windows while their guess is made. ``y (B, V, N, G, S / G)`` are the samples, hidden ones 0."""

    def __init__(self, rule: FirstGuess, samples: Tensor, visible: Tensor, precision: Tensor, loadings: Tensor) -> None:
        self.rule, self.visible, self.precision, self.loadings = rule, visible, precision, loadings
        samples = samples * visible[..., None]
        if rule.in_frequencies:
            samples = samples @ rule.transform(samples).T
        self.y = samples.reshape(*samples.shape[:-1], rule.bands, SAMPLES // rule.bands)
        self.gain = rule.log_gain.exp() if rule.bands > 1 else samples.new_ones(1)
        weight = precision * visible
        self.gram = torch.einsum("bvr,bvn,bvs->bnrs", loadings, weight, loadings)
        self.right = torch.einsum("bvr,bvngs->bngrs", loadings, weight[..., None, None] * self.y)

    def guess(self) -> Guess:
        """Return the guess of the rule's kind."""
        factors = self.solve(None)
        if self.rule.kind == "people":
            return self.finished(self.carried(factors), lambda: self.honest(factors, self.loadings[:, :, None])[..., 0])
        patches = torch.arange(self.visible.shape[2], device=self.y.device)
        used = self.solve(self.covariance(factors, patches >= 0))
        if self.rule.kind == "window":
            carried = self.known_here(self.carried(used), factors)
            return self.finished(carried, lambda: self.honest(used, self.loadings[:, :, None])[..., 0])
        even = patches % 2 == 0
        with self.rule.taken_as_given():
            change = self.own_change(used, patches >= 0)
            from_even = self.solve(self.covariance(factors, even))
            from_odd = self.solve(self.covariance(factors, ~even))
            by_even, by_odd = self.own_change(from_even, even), self.own_change(from_odd, ~even)
            crossed = from_odd.where(even, from_even)
            own = self.loadings[:, :, None] + torch.where(even[:, None], by_odd[:, :, None], by_even[:, :, None])
            tried = self.honest(crossed, self.loadings[:, :, None], own)
        blend = self.blend(tried)  # (B, S, 2)
        both = torch.stack([self.carried(used), self.carried(used, self.loadings + change)], -1)
        return self.finished(
            self.known_here(torch.einsum("bvnfk,bfk->bvnf", both, blend), factors),
            lambda: torch.einsum("bvnfk,bfk->bvnf", tried, blend),
        )

    def known_here(self, guess: Tensor, factors: _Factors) -> Tensor:
        """Return ``guess`` for parcels that are seen somewhere in the window, and what all people say for the others.

        Nothing here tells how a parcel that is never seen differs from other people's, and the window's covariance is
        blind for a network that is hidden as a whole.
        """
        return torch.where((self.visible.amax(2) > 0)[:, :, None, None], guess, self.carried(factors))

    def solve(self, covariance: Tensor | None) -> _Factors:
        """Ridge over the visible parcels of each time patch; ``covariance (B, R, R)``, None = the identity."""
        unit = torch.eye(self.gram.shape[-1], device=self.y.device, dtype=self.y.dtype)
        if covariance is None:
            prior = unit
        else:
            prior = positive_solve.solved(covariance, unit.expand_as(covariance))[:, None, None]
        gain = self.gain[:, None, None]
        matrix = self.gram[:, :, None] * gain + prior
        both = torch.cat([self.right * gain, unit.expand_as(matrix)], -1)
        courses, uncertainty = positive_solve.solved(matrix, both).tensor_split([self.right.shape[-1]], -1)
        return _Factors(courses, uncertainty)

    def covariance(self, factors: _Factors, patches: Tensor) -> Tensor:
        """Return the factors' covariance (B, R, R) over the time patches ``(N,)`` bool, drawn towards the identity."""
        found = torch.einsum("bnrs,n->brs", self.second_moment(factors), patches.to(self.y.dtype))
        unit = torch.eye(found.shape[-1], device=found.device, dtype=found.dtype)
        nu = self.rule.log_nu.exp()
        return (nu * unit + found) / (nu + SAMPLES * patches.sum())

    def second_moment(self, factors: _Factors) -> Tensor:
        """Return the sum over a time patch's samples of z z' as expected: (B, N, R, R)."""
        z = factors.courses
        return (z @ z.transpose(-1, -2) + z.shape[-1] * factors.uncertainty).sum(2)

    def own_change(self, factors: _Factors, patches: Tensor) -> Tensor:
        """Return what each parcel's visible patches among ``patches (N,)`` change its loadings by: (B, V, R)."""
        shown = (self.visible * patches).transpose(1, 2)[..., None]  # (B, N, V, 1)
        moment = self.second_moment(factors)
        product = torch.einsum("bvngs,bngrs->bvr", self.y * patches[:, None, None], factors.courses)

        def seen(change: Tensor) -> Tensor:
            return ((change[:, None] @ moment) * shown).sum(1)

        share = self.visible.mean((1, 2))[:, None, None]
        unit = torch.eye(moment.shape[-1], device=moment.device, dtype=moment.dtype)
        typical = torch.linalg.inv_ex(
            share * torch.einsum("bnrs,n->brs", moment, patches.to(moment)) + _OWN_PRIOR * unit
        )[0]
        return by_conjugate_gradients(
            lambda change: seen(change) + _OWN_PRIOR * change, typical, product - seen(self.loadings)
        )

    def carried(self, factors: _Factors, loadings: Tensor | None = None) -> Tensor:
        """Return the guess of every parcel, (B, V, N, S)."""
        own = self.loadings if loadings is None else loadings
        return torch.einsum("bvr,bngrs->bvngs", own, factors.courses).flatten(-2)

    def honest(self, factors: _Factors, *tried: Tensor) -> Tensor:
        """Return for each visible patch what the other parcels say of it by each of the ``tried`` loadings.

        Loadings are (B, V, N or 1, R), the answer is (B, V, N, S, tried); where a patch is hidden it means nothing. The
        factors without parcel v are z - U l w e / (1 - w l' U l): U is their covariance, e the error of the fit.
        """
        z, uncertainty = factors
        error = self.y - torch.einsum("bvr,bngrs->bvngs", self.loadings, z)
        spread = torch.einsum("bngrs,bvs->bvngr", uncertainty, self.loadings)  # U l
        weight = self.precision[..., None] * self.gain  # (B, V, 1, G)
        leverage = weight * torch.einsum("bvngr,bvr->bvng", spread, self.loadings)
        weight = weight / (1 - leverage.clamp(max=_MOST_LEVERAGE))
        said = []
        for loadings in tried:
            own = loadings.expand(-1, -1, z.shape[1], -1)
            pull = weight * torch.einsum("bvngr,bvnr->bvng", spread, own)
            said.append((torch.einsum("bvnr,bngrs->bvngs", own, z) - pull[..., None] * error).flatten(-2))
        return torch.stack(said, -1)

    def blend(self, tried: Tensor) -> Tensor:
        """Return the weights (B, S, 2) with which ``tried (B, V, N, S, 2)`` add up best to what is visible."""
        shown = self.visible[..., None, None]
        with self.rule.taken_as_given():
            energy = torch.einsum("bvnfk,bvnfl->bfkl", tried * shown, tried)
            match = torch.einsum("bvnfk,bvnf->bfk", tried * shown, self.y.flatten(-2))
            scale = energy.diagonal(dim1=-2, dim2=-1).mean(-1, keepdim=True) + 1e-3
        drawn = self.rule.log_blend_prior.exp() * scale
        unit = torch.eye(energy.shape[-1], device=energy.device, dtype=energy.dtype)
        weights: Tensor = torch.linalg.solve_ex(energy + drawn[..., None] * unit, match + drawn * self.rule.blend)[0]
        return weights

    def finished(self, everywhere: Tensor, honest: Callable[[], Tensor]) -> Guess:
        """Return to samples in time."""
        with self.rule.taken_as_given():
            of_visible = honest() if self.rule.left_out else everywhere
        if self.rule.in_frequencies:
            cosines = self.rule.transform(everywhere)
            everywhere, of_visible = everywhere @ cosines, of_visible @ cosines
        return Guess(everywhere, of_visible)


def by_conjugate_gradients(matrix: Callable[[Tensor], Tensor], typical: Tensor, right: Tensor) -> Tensor:
    """Solve ``matrix(x) = right`` for every row by conjugate gradients; each row has a matrix of its own.

    Parameters
    ----------
    matrix : applies the rows' positive matrices to (B, V, R)
    typical : (B, R, R), the inverse of a matrix that is like them
    right : (B, V, R)
    """
    x, residual = torch.zeros_like(right), right
    step = scaled = residual @ typical
    length = (residual * scaled).sum(-1, keepdim=True)
    for _ in range(_ROUNDS):
        image = matrix(step)
        stride = length / (step * image).sum(-1, keepdim=True).clamp(min=1e-20)
        x, residual = x + stride * step, residual - stride * image
        scaled = residual @ typical
        before, length = length, (residual * scaled).sum(-1, keepdim=True)
        step = scaled + length / before.clamp(min=1e-20) * step
    return x


def people_guess(samples: Tensor, weight: Tensor, loadings: Tensor) -> Tensor:
    """Ridge over the visible parcels of each time patch, the factors uncorrelated and of variance 1.

    Parameters
    ----------
    samples : (B, V, N, 20)
    weight : (B, V, N), precision of the visible, 0 for the hidden
    loadings : (B, V, R)

    Returns
    -------
    guess : (B, V, N, 20), the factors' time courses carried to every parcel
    """
    gram = torch.einsum("bvr,bvn,bvs->bnrs", loadings, weight, loadings)
    gram = gram + torch.eye(gram.shape[-1], device=gram.device, dtype=gram.dtype)
    right = torch.einsum("bvr,bvns->bnrs", loadings, weight[..., None] * samples)
    factors = positive_solve.solved(gram, right)
    return torch.einsum("bvr,bnrs->bvns", loadings, factors)


def _cosines() -> Tensor:
    """Return the orthonormal cosine transform (20, 20): row f is temporal frequency f."""
    at = torch.arange(SAMPLES, dtype=torch.float64)
    rows = math.sqrt(2 / SAMPLES) * torch.cos(math.pi / SAMPLES * at[:, None] * (at[None] + 0.5))
    rows[0] /= math.sqrt(2)
    return rows.float()
