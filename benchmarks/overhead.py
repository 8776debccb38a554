"""What Pyro costs: writes results/overhead.csv.

    python benchmarks/overhead.py

Two ratios, each side measured in turn in the same run. A training step (case 3, 8 chains, batch
1,024) of the Pyro model and guide, against the same mathematics by hand in torch on the same
parameters: both losses are checked to agree. And `import pyrocrl` against `import pyro`, each in
fresh interpreters, with `pyrocrl.fit` touched as well, which loads what a fit needs.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyro
import torch
from torch import Tensor

import pyrocrl as crl
from pyrocrl.data import Batch
from pyrocrl.edge_guide import OpenEdges
from pyrocrl.guide import AmortizedGuide
from pyrocrl.modality import TabularDecoder
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm import AdditiveNoise
from pyrocrl.training import ChainELBO

RESULTS = Path(__file__).parent / "results" / "overhead.csv"


def by_hand(model: MultimodalSCM, guide: AmortizedGuide, batch: Batch) -> Tensor:
    """Minus the ELBO of all chains, nats per subject, without Pyro."""
    log_2pi = math.log(2 * math.pi)
    means, scales, etas = [], [], []
    for name, encoder in guide.encoders.items():
        mean, scale = encoder(batch[name])
        latents = guide.latents[name]
        means.append(mean[..., :latents])
        scales.append(scale[..., :latents])
        etas.append((name, mean[..., latents:], scale[..., latents:]))
    loc, scale = torch.cat(means, -1), torch.cat(scales, -1)
    noise = torch.randn_like(loc)
    y = loc + scale * noise
    matrix = model.unmixing.matrix()
    z = y @ matrix
    log_q = (-0.5 * noise**2 - scale.log() - 0.5 * log_2pi).sum(-1)
    log_q = log_q - torch.linalg.slogdet(matrix)[1].unsqueeze(-1)

    assert isinstance(guide.edges, OpenEdges)
    adjacency = torch.as_tensor(model.space.allowed, dtype=z.dtype).expand(model.chains, -1, -1)
    weight = guide.edges.weight.squeeze(1)
    mechanism = model.mechanism
    assert isinstance(mechanism, AdditiveNoise)
    network = mechanism.network
    chains, nodes, hidden, _ = network.size
    first = (network.first * adjacency.transpose(1, 2).unsqueeze(-1)).reshape(chains, nodes, -1)
    activation = torch.tanh(torch.baddbmm(network.bias, z, first))
    last = network.last.reshape(chains, 1, nodes, hidden)
    bent = (activation.view(chains, -1, nodes, hidden) * last).sum(-1)
    straight = torch.baddbmm(mechanism.intercept, z, (adjacency * weight).transpose(1, 2))
    deviation = mechanism.scale()
    error = (z - straight - bent) / deviation
    log_p = (-0.5 * error**2 - deviation.log() - 0.5 * log_2pi).sum(-1)

    mixed = z @ torch.linalg.inv(matrix)
    for name, mean, spread in etas:
        noise = torch.randn_like(mean)
        eta = mean + spread * noise
        log_q = log_q + (-0.5 * noise**2 - spread.log() - 0.5 * log_2pi).sum(-1)
        log_p = log_p + (-0.5 * eta**2 - 0.5 * log_2pi).sum(-1)
        decoder = model.decoders[name]
        assert isinstance(decoder, TabularDecoder)
        x = decoder.network(torch.cat([mixed[..., model.positions[name]], eta], -1))
        spread = decoder.scale()
        cells = -0.5 * ((batch[name].values - x) / spread) ** 2
        cells = cells - spread.log() - 0.5 * log_2pi
        log_p = log_p + cells.masked_fill(~batch[name].observed, 0.0).sum(-1)
    slab = torch.distributions.Normal(0.0, 2.0).log_prob(weight).sum((1, 2))
    allowed = model.space.allowed
    gates = math.log(0.1) * allowed.sum()
    graph = -(slab + gates) / model.n_subjects
    loss: Tensor = ((log_q - log_p).mean(1) + graph).sum()
    return loss


def step_ratio(repeats: int, chains: int, size: int) -> dict[str, float]:
    """Median milliseconds of a step either way, in turn."""
    data, _ = crl.simulate.numerical_case(3, seed=0, n_subjects=10_000)
    torch.manual_seed(0)
    model = MultimodalSCM(data, latents=2, chains=chains)
    guide = AmortizedGuide(model, data)
    loss_of = ChainELBO()(model, guide)
    parameters = list({id(p): p for p in loss_of.parameters()}.values())
    optimizer = torch.optim.Adam(parameters, lr=1e-3, foreach=True)

    def timed(loss: Callable[[Batch], Tensor], batch: Batch) -> float:
        started = time.perf_counter()
        value = loss(batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        return 1000 * (time.perf_counter() - started)

    with pyro.validation_enabled(False):
        everybody = data.batch()
        with torch.no_grad():
            pair = float(loss_of(everybody)), float(by_hand(model, guide, everybody))
        if abs(pair[0] - pair[1]) > 0.01 * abs(pair[0]):
            raise SystemExit(f"the two losses differ: {pair}")
        ours, theirs = [], []
        for _ in range(repeats):
            batch = data.batch(torch.randperm(data.n_subjects)[:size])
            ours.append(timed(loss_of, batch))
            theirs.append(timed(lambda b: by_hand(model, guide, b), batch))
    return {"pyro": statistics.median(ours[3:]), "by hand": statistics.median(theirs[3:])}


def import_seconds(statement: str) -> float:
    """Seconds of a fresh interpreter that runs a statement."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure both ratios and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = []
    step = step_ratio(options.repeats, chains=8, size=1024)
    rows.append(("training step, ms", step["pyro"], step["by hand"]))
    statements = ("import pyro", "import pyrocrl", "import pyrocrl; pyrocrl.fit")
    seconds = {
        statement: statistics.median(times)
        for statement, times in zip(
            statements,
            zip(*[[import_seconds(s) for s in statements] for _ in range(5)], strict=True),
            strict=True,
        )
    }
    rows.extend((s, seconds[s], seconds["import pyro"]) for s in statements[1:])
    table = pd.DataFrame(rows, columns=["what", "pyrocrl", "reference"])
    table["ratio"] = table.pyrocrl / table.reference
    table["threads"] = torch.get_num_threads()
    options.out.parent.mkdir(exist_ok=True)
    table.round(3).to_csv(options.out, index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
