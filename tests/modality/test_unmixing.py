"""The unmixing layer turns latents inside modalities, and its density follows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from pyrocrl.modality import UnmixedNormal, Unmixing

BLOCK = torch.block_diag(torch.ones(2, 2), torch.ones(2, 2), torch.zeros(1, 1))
CHAINS, SUBJECTS, NODES = 2, 7, 5


def turned(seed: int = 0) -> Unmixing:
    unmixing = Unmixing(CHAINS, BLOCK)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        unmixing.turn.copy_(0.4 * torch.randn(unmixing.turn.shape, generator=generator))
    return unmixing


def parts(seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(CHAINS, SUBJECTS, NODES, generator=generator)
    return loc, torch.rand(loc.shape, generator=generator) + 0.3


def known(*nodes: int) -> Tensor:
    mask = torch.zeros(SUBJECTS, NODES, dtype=torch.bool)
    mask[:, list(nodes)] = True
    return mask


def test_only_blocks_are_turned() -> None:
    matrix = turned().matrix()
    outside = (BLOCK == 0) & ~torch.eye(NODES, dtype=torch.bool)
    assert (matrix[:, outside] == 0).all()
    assert (matrix[:, 4, 4] == 1).all()
    assert (matrix[:, 0, 1] != 0).all()


def test_it_starts_as_the_identity() -> None:
    unmixing = Unmixing(CHAINS, BLOCK)
    assert torch.equal(unmixing.matrix(), torch.eye(NODES).expand(CHAINS, -1, -1))


def test_mixing_undoes_unmixing() -> None:
    unmixing, (y, _) = turned(), parts()
    torch.testing.assert_close(unmixing.mix(y @ unmixing.matrix()), y, atol=1e-5, rtol=1e-5)


def test_density_is_that_of_a_multivariate_normal() -> None:
    matrix, (loc, scale) = turned().matrix(), parts()
    z = torch.randn(CHAINS, SUBJECTS, NODES)
    found = UnmixedNormal(loc, scale, matrix, known()).log_prob(z)
    covariance = matrix.mT.unsqueeze(1) @ torch.diag_embed(scale**2) @ matrix.unsqueeze(1)
    expected = MultivariateNormal((loc @ matrix), covariance).log_prob(z)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_density_of_a_draw_needs_no_inverse() -> None:
    matrix, (loc, scale) = turned().matrix(), parts()
    distribution = UnmixedNormal(loc, scale, matrix, known(4))
    z = distribution.rsample()
    torch.testing.assert_close(
        distribution.log_prob(z), distribution.log_prob(z.clone()), atol=1e-3, rtol=1e-3
    )


def test_known_entries_are_exact_and_have_no_density() -> None:
    matrix, (loc, scale) = turned().matrix(), parts()
    distribution = UnmixedNormal(loc, scale, matrix, known(4))
    z = distribution.rsample()
    assert torch.equal(z[..., 4], loc[..., 4])
    covariance = matrix.mT.unsqueeze(1) @ torch.diag_embed(scale**2) @ matrix.unsqueeze(1)
    rest = MultivariateNormal((loc @ matrix)[..., :4], covariance[..., :4, :4])
    torch.testing.assert_close(
        distribution.log_prob(z), rest.log_prob(z[..., :4]), atol=1e-3, rtol=1e-3
    )


def test_known_for_some_subjects_only() -> None:
    matrix, (loc, scale) = turned().matrix(), parts()
    some = known(4)
    some[3] = False
    z = UnmixedNormal(loc, scale, matrix, some).rsample()
    everybody = UnmixedNormal(loc, scale, matrix, known(4)).log_prob(z)
    own = Normal(loc[..., 4], scale[..., 4]).log_prob(z[..., 4])
    difference = UnmixedNormal(loc, scale, matrix, some).log_prob(z) - everybody
    expected = torch.where(torch.arange(SUBJECTS) == 3, own, torch.zeros(()))
    torch.testing.assert_close(difference, expected, atol=1e-4, rtol=1e-4)


def test_draws_have_the_moments() -> None:
    matrix, (loc, scale) = turned().matrix(), parts()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = UnmixedNormal(loc, scale, matrix, known()).sample((20_000,))
    torch.testing.assert_close(z.mean(0), loc @ matrix, atol=0.05, rtol=0)
    deviation = (scale**2 @ matrix**2).sqrt()
    torch.testing.assert_close(z.std(0), deviation, atol=0.05, rtol=0.02)


def test_gradients_reach_everything() -> None:
    unmixing, (loc, scale) = turned(), parts()
    loc.requires_grad_(), scale.requires_grad_()
    distribution = UnmixedNormal(loc, scale, unmixing.matrix(), known(4))
    z = distribution.rsample()
    (distribution.log_prob(z).sum() + (z**2).sum()).backward()
    assert unmixing.turn.grad is not None
    assert loc.grad is not None
    assert scale.grad is not None
    assert torch.equal(unmixing.turn.grad[0] != 0, BLOCK > 0)
    assert (loc.grad != 0).all()
    assert (scale.grad[..., :4] != 0).all()
    assert (scale.grad[..., 4] == 0).all()


def test_a_chain_that_diverged_stops_no_other() -> None:
    matrix, (loc, scale) = turned().matrix().detach().clone(), parts()
    matrix[0] = torch.nan
    log_prob = UnmixedNormal(loc, scale, matrix, known()).log_prob(torch.randn_like(loc))
    assert torch.isnan(log_prob[0]).all()
    assert torch.isfinite(log_prob[1]).all()
