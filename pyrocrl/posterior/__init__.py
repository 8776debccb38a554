"""The posterior over latents and edges: alignment, weights of restarts, tables, draws, storage."""

from pyrocrl.posterior.inference_data import to_inference_data
from pyrocrl.posterior.posterior import Posterior
from pyrocrl.posterior.replication import Replication, replication

__all__ = ["Posterior", "Replication", "replication", "to_inference_data"]
