"""The module alone: costs of opinions, discovery, alignment of any encoder, merging."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pyrocrl.sharing as sharing
from pyrocrl.errors import ModelError
from pyrocrl.sharing.opinions import Opinion, barycentre, correlation_brake, wasserstein_costs

Opinions = dict[str, tuple[Tensor, Tensor]]


def opinions(noise: float, subjects: int = 2000) -> Opinions:
    """Three modalities: one latent in all, one in the first two, mirrored and scaled."""
    generator = torch.Generator().manual_seed(0)

    def draw() -> Tensor:
        return torch.randn(subjects, generator=generator)

    everywhere, in_two = draw(), draw()

    def said(*latents: Tensor) -> tuple[Tensor, Tensor]:
        loc = torch.stack([latent + noise * draw() for latent in latents], -1)
        return loc, torch.full_like(loc, max(noise, 1e-3))

    return {
        "a": said(everywhere, in_two, draw()),
        "b": said(draw(), -3 * everywhere, in_two),
        "c": said(draw(), everywhere),
    }


def test_the_cost_is_the_mean_distance_between_opinions_of_the_same_subject() -> None:
    generator = torch.Generator().manual_seed(1)
    loc, other = torch.randn(2, 500, 2, generator=generator)
    scale, width = torch.rand(2, 500, 2, generator=generator) + 0.1
    loc, other = ((x - x.mean(0)) / x.std(0) for x in (loc, other))
    cost = wasserstein_costs(Opinion(loc, scale), Opinion(other, width))
    sign = torch.sign((loc[:, 0] * other[:, 1]).mean())
    wanted = ((loc[:, 0] - sign * other[:, 1]) ** 2).sum() / 499
    wanted = wanted + ((scale[:, 0] - width[:, 1]) ** 2).mean()
    torch.testing.assert_close(cost[0, 1], wanted, atol=1e-3, rtol=1e-3)


def test_the_loss_of_many_modalities_is_that_of_all_their_pairs() -> None:
    said = opinions(noise=0.3)
    module = sharing.WassersteinSharing(brake=0.0)
    pairs = [{one: said[one], other: said[other]} for one, other in ("ab", "ac", "bc")]
    together = module(said)
    torch.testing.assert_close(together.loss, sum(module(pair).loss for pair in pairs))
    for pair in pairs:
        one, other = pair
        torch.testing.assert_close(together.costs[one, other], module(pair).costs[one, other])
        torch.testing.assert_close(together.plans[one, other], module(pair).plans[one, other])
    braked = sharing.WassersteinSharing(brake=2.0)(said).loss - together.loss
    alone = [2 * correlation_brake(torch.corrcoef(loc.T)) for loc, _ in said.values()]
    torch.testing.assert_close(braked, sum(alone), atol=1e-4, rtol=1e-3)


def test_memberships_are_found_and_merged_opinions_are_better_than_single_ones() -> None:
    said = opinions(noise=0.1)
    merged = sharing.WassersteinSharing().merge(said)
    assert [latent.slots for latent in merged[:2]] == [{"a": 0, "b": 1, "c": 1}, {"a": 1, "b": 2}]
    assert [len(latent.slots) for latent in merged[2:]] == [1, 1, 1]
    truth = opinions(noise=0.0)["a"][0][:, 0]
    errors = [
        1 - abs(float(torch.corrcoef(torch.stack([truth, estimate]))[0, 1]))
        for estimate in (merged[0].opinion.loc, said["a"][0][:, 0])
    ]
    assert errors[0] < 0.6 * errors[1]


def test_modalities_of_unrelated_latents_share_nothing() -> None:
    generator = torch.Generator().manual_seed(3)
    said = {
        name: (torch.randn(1000, 2, generator=generator), torch.full((1000, 2), 0.1))
        for name in "ab"
    }
    module = sharing.WassersteinSharing()
    assert float(module(said).plans["a", "b"].max()) < 1e-3
    assert [len(latent.slots) for latent in module.merge(said)] == [1] * 4


def test_the_barycentre_averages_means_and_standard_deviations() -> None:
    one, other = (
        Opinion(torch.zeros(3, 1), torch.ones(3, 1)),
        Opinion(torch.ones(3, 1), 3 * torch.ones(3, 1)),
    )
    merged = barycentre([one, other], torch.tensor([3.0, 1.0]))
    torch.testing.assert_close(merged.loc, torch.full((3, 1), 0.25))
    torch.testing.assert_close(merged.scale, torch.full((3, 1), 1.5))


def test_the_brake_rises_as_latents_become_one() -> None:
    generator = torch.Generator().manual_seed(4)
    first, second = torch.randn(2, 1000, generator=generator)
    brakes = []
    for mixed in (0.0, 0.5, 0.95):
        loc = torch.stack([first, mixed * first + (1 - mixed**2) ** 0.5 * second], -1)
        brakes.append(float(correlation_brake(torch.corrcoef(loc.T))))
    assert brakes[0] < 0.01 < brakes[1] < brakes[2]


def test_any_encoder_is_led_to_the_shared_latent() -> None:
    """Linear encoders of two tables that share one of two latents, trained by the module alone."""
    torch.manual_seed(0)
    shared, one, other = torch.randn(3, 2000)
    tables = {
        "a": torch.stack([shared, one], -1) @ torch.randn(2, 5),
        "b": torch.stack([other, shared], -1) @ torch.randn(2, 5),
    }
    encoders = nn.ModuleDict({name: nn.Linear(5, 2) for name in tables})
    module = sharing.WassersteinSharing(alone=1.0, softness=0.05)
    optimizer = torch.optim.Adam(encoders.parameters(), lr=0.02)

    def said() -> Opinions:
        locs = {name: encoders[name](table) for name, table in tables.items()}
        return {name: (loc, torch.full_like(loc, 0.1)) for name, loc in locs.items()}

    for _ in range(400):
        optimizer.zero_grad()
        module(said()).loss.backward()
        optimizer.step()
    merged = sharing.WassersteinSharing(alone=0.05).merge(said())
    assert [len(latent.slots) for latent in merged] == [2, 1, 1]
    together = torch.stack([merged[0].opinion.loc, shared])
    assert abs(float(torch.corrcoef(together)[0, 1])) > 0.99


def test_chains_stay_apart() -> None:
    said = opinions(noise=0.2, subjects=200)
    doubled = {
        name: (loc.expand(2, -1, -1), s.expand(2, -1, -1)) for name, (loc, s) in said.items()
    }
    module = sharing.WassersteinSharing()
    torch.testing.assert_close(module(doubled).loss, module(said).loss.expand(2))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"a": (torch.zeros(3, 1), torch.ones(3, 1))}, "at least two"),
        ({n: (torch.zeros(3, 1), torch.ones(3, 2)) for n in "ab"}, "'a'.*differ in shape"),
        ({n: (torch.zeros(k, 1), torch.ones(k, 1)) for k, n in enumerate("ab", 3)}, "'b'.*same"),
    ],
)
def test_opinions_that_do_not_go_together_are_refused(said: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        sharing.WassersteinSharing()(said)


@pytest.mark.parametrize("settings", [{"alone": 0}, {"softness": -1}, {"brake": -1}])
def test_settings_out_of_range_are_refused(settings: Any) -> None:
    with pytest.raises(ModelError, match=next(iter(settings))):
        sharing.WassersteinSharing(**settings)
