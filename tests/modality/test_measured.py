"""Encoders and decoders of mixed tables and counts keep the promises of all kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import pyrocrl as crl
from pyrocrl.data import Modality
from pyrocrl.data.sources import read
from pyrocrl.likelihoods import LIKELIHOODS, Gaussian
from pyrocrl.modality import decoder_for, encoder_for
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder

N, CHAINS = 60, 3


def mixed() -> Modality:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.poisson(2.0, N) + 1.0 for name in LIKELIHOODS})
    frame["bernoulli"] = rng.random(N) < 0.4
    frame.iloc[3, 2] = np.nan
    likelihoods: dict[str, Any] = {
        **{name: name for name in LIKELIHOODS},
        "gaussian": Gaussian(noise="varying"),
    }
    return read("m", crl.Table(frame, likelihoods)).modality()


def counts() -> Modality:
    return read("m", crl.Counts(np.random.default_rng(0).poisson(5.0, (N, 4)))).modality()


MODALITIES = {"mixed": mixed, "counts": counts}


def networks(modality: Modality) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return encoder_for(modality, CHAINS, 3), decoder_for(modality, CHAINS, 3)


@pytest.mark.parametrize("name", MODALITIES)
def test_shapes_and_gradients(name: str) -> None:
    modality = MODALITIES[name]()
    encoder, decoder = networks(modality)
    cells = modality.cells()
    loc, scale = encoder(cells)
    assert loc.shape == scale.shape == (CHAINS, N, 3)
    law = decoder(loc[..., :2], loc[..., 2:], cells)
    assert law.batch_shape == (CHAINS, N, *modality.shape)
    log_prob = law.mask(cells.observed).log_prob(cells.values)
    (log_prob.sum() + scale.sum()).backward()
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        assert parameter.grad is not None
        assert bool(torch.isfinite(parameter.grad).all())


@pytest.mark.parametrize("name", MODALITIES)
def test_the_number_under_a_missing_cell_is_never_seen(name: str) -> None:
    modality = MODALITIES[name]()
    encoder, _ = networks(modality)
    cells = modality.cells()
    cells.observed[5, 1] = False
    before = encoder(cells)[0]
    cells.values[5, 1] += 1.0
    torch.testing.assert_close(encoder(cells)[0], before)


@pytest.mark.parametrize("name", MODALITIES)
def test_what_is_drawn_is_of_the_same_kind(name: str) -> None:
    modality = MODALITIES[name]()
    _, decoder = networks(modality)
    cells = modality.unmeasured(N).cells()
    drawn = decoder(torch.zeros(CHAINS, N, 2), torch.zeros(CHAINS, N, 1), cells).sample()
    units = modality.unstandardise(drawn)
    assert units.shape == (CHAINS, N, *modality.shape)
    assert np.isfinite(units).all()


def test_numbers_alone_have_the_networks_they_always_had() -> None:
    modality = read("m", np.random.default_rng(0).normal(size=(N, 4))).modality()
    encoder, decoder = networks(modality)
    assert type(encoder) is TabularEncoder
    assert type(decoder) is TabularDecoder


def test_counts_follow_the_library() -> None:
    modality = counts()
    _, decoder = networks(modality)
    cells = modality.unmeasured(N).cells()
    cells.given[0] = np.log(10.0)
    mean = decoder(torch.zeros(CHAINS, N, 2), torch.zeros(CHAINS, N, 1), cells).mean
    torch.testing.assert_close(mean[:, 0], 10 * mean[:, 1])
