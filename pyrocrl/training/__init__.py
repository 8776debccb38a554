"""Training: stages, restarts as chains, early stopping, variational edge gates."""

from pyrocrl.training.drawing import keep_latents
from pyrocrl.training.finalists import FINALISTS
from pyrocrl.training.history import History, StageRecord
from pyrocrl.training.objective import ChainELBO, Objective, StepWeights, held_out_elbo
from pyrocrl.training.sparsity import edge_cost
from pyrocrl.training.stages import SCHEDULE, Ramp, Stage
from pyrocrl.training.train import Trained, hold_out, train

__all__ = [
    "FINALISTS",
    "SCHEDULE",
    "ChainELBO",
    "History",
    "Objective",
    "Ramp",
    "Stage",
    "StageRecord",
    "StepWeights",
    "Trained",
    "edge_cost",
    "held_out_elbo",
    "hold_out",
    "keep_latents",
    "train",
]
