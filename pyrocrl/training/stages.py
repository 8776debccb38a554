"""The stages of training: what each one does, how long, and when it stops early.

Each stage is a few numbers; `SCHEDULE` lists them in order. Finding the latents is a matter of
order: first, by encoders alone, the latents through which the modalities depend on one another by
few edges (contrast), then the whole model around them, while they stay (join), then the answer
(settle). Untrained mechanisms and decoders would lead the latents away at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyrocrl.training.objective import StepWeights

__all__ = [
    "FEW_SUBJECTS_SCHEDULE",
    "IMAGE_SCHEDULE",
    "SCHEDULE",
    "Ramp",
    "Stage",
    "epochs_of",
    "schedule_for",
]

_STEPS = 1960
_FEWEST_EPOCHS = 56
_FEW_SUBJECTS = 2000
_STAY = 200.0


@dataclass(frozen=True)
class Ramp:
    """A weight that moves from `start` to `end` over a share of a stage, then stays.

    Example:
        >>> [Ramp(0.0, 1.0, over=0.5)(progress) for progress in (0.0, 0.25, 0.75)]
        [0.0, 0.5, 1.0]
        >>> round(Ramp(1.0, 0.01, geometric=True)(0.5), 3)
        0.1
    """

    start: float
    end: float
    over: float = 1.0
    after: float = 0.0
    geometric: bool = False

    def __call__(self, progress: float) -> float:
        """The weight at `progress` between 0 and 1 of the stage."""
        share = min(1.0, max(0.0, progress - self.after) / self.over)
        if self.geometric:
            return float(self.start * (self.end / self.start) ** share)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        name: shown in the progress bar and the report.
        purpose: what it is for, in a few words.
        share: of the epochs of the whole training.
        evidence: weight of the ELBO; 0 trains encoders alone.
        kl: weight of the divergence.
        contrast: weight of the causal contrast.
        turn: weight of the penalty on influence inside the contrast.
        sparsity: weight of the penalty on influence in the model.
        encoders: whether encoders are trained; without them a search only turns the latents.
        stay: weight of the distance from the latents that the search found, in restarts that are
            held to them; all are, but some of few subjects.
        learning_rate: factor on the learning rates.
        cooling: another one, for a stage that both begins and ends with small steps.
        patience: share of the stage without a better held-out score (the ELBO, or the contrast
            where there is no ELBO) after which it stops; None runs it to its end.
    """

    name: str
    purpose: str
    share: float
    evidence: float = 1.0
    kl: Ramp = field(default_factory=lambda: Ramp(1.0, 1.0))
    contrast: Ramp = field(default_factory=lambda: Ramp(0.0, 0.0))
    turn: Ramp = field(default_factory=lambda: Ramp(0.0, 0.0))
    sparsity: Ramp = field(default_factory=lambda: Ramp(0.0, 0.0))
    encoders: bool = True
    stay: float = 0.0
    learning_rate: Ramp = field(default_factory=lambda: Ramp(1.0, 1.0))
    cooling: Ramp = field(default_factory=lambda: Ramp(1.0, 1.0))
    patience: float | None = None

    def weights(self, progress: float) -> StepWeights:
        """Weights of the objective at `progress` between 0 and 1."""
        return StepWeights(
            evidence=self.evidence,
            kl=self.kl(progress),
            contrast=self.contrast(progress),
            turn=self.turn(progress),
            sparsity=self.sparsity(progress),
            encoders=self.encoders,
            stay=self.stay,
        )


SCHEDULE = (
    Stage(
        "contrast",
        "find each modality's latents by what they owe to the other modalities",
        share=30 / 56,
        evidence=0.0,
        contrast=Ramp(1.0, 1.0),
        turn=Ramp(0.0, 0.03, over=0.1, after=0.2),
        learning_rate=Ramp(0.05, 1.0, over=0.1),
        patience=0.4,
    ),
    Stage(
        "join",
        "learn to reconstruct the measurements from these latents, which stay",
        share=10 / 56,
        kl=Ramp(0.1, 1.0),
        contrast=Ramp(30.0, 30.0),
        turn=Ramp(0.03, 0.01),
        sparsity=Ramp(0.0, 0.2),
        stay=_STAY,
        learning_rate=Ramp(0.05, 1.0, over=0.15),
    ),
    Stage(
        "settle",
        "let the latents go on from there, and penalties and the learning rate go down",
        share=16 / 56,
        contrast=Ramp(30.0, 0.0, over=0.5, after=0.5),
        turn=Ramp(0.01, 0.01),
        sparsity=Ramp(0.2, 0.05, over=0.75, geometric=True),
        learning_rate=Ramp(1.0, 0.03, over=0.75, after=0.25),
        patience=0.5,
    ),
)

_SEARCH, _JOIN, _SETTLE = SCHEDULE

# With few subjects encoders soon tell training subjects by heart, and are put back to where they
# did not yet. A price on influence that came later would come too late; the latents are turned to
# the fewest edges once encoders cannot learn any more; and what was found has to be held.
FEW_SUBJECTS_SCHEDULE = (
    replace(_SEARCH, share=20 / 56, turn=Ramp(0.03, 0.03)),
    Stage(
        "turn",
        "turn these latents, as encoded, to where they need the fewest edges",
        share=10 / 56,
        evidence=0.0,
        contrast=Ramp(1.0, 1.0),
        turn=Ramp(0.15, 0.15),
        encoders=False,
        learning_rate=Ramp(0.5, 0.05),
    ),
    _JOIN,
    replace(_SETTLE, stay=_STAY),
)


# Images with pixels hidden at random are not learned by heart (`pyrocrl.training.hiding`). Their
# encoders go on learning as their steps get smaller; with a price on influence from the start, a
# weak edge beside a strong one would never begin. The search runs to its end, and is put back to
# its best. Pixels are many: latents stay to the end.
IMAGE_SCHEDULE = (
    replace(
        _SEARCH,
        share=40 / 56,
        turn=Ramp(0.0, 0.03, over=0.2, after=0.3),
        cooling=Ramp(1.0, 0.03, over=0.4, after=0.6),
        patience=1.0,
    ),
    replace(_JOIN, share=6 / 56),
    replace(_SETTLE, share=10 / 56, stay=_STAY),
)


def schedule_for(
    n_subjects: int, *, series: bool = False, images: bool = False
) -> tuple[Stage, ...]:
    """The stages of a training with so many subjects.

    Encoders of series tell subjects by heart however many these are: there are always too few for
    them.

    Args:
        n_subjects: training subjects.
        series: whether any modality holds series.
        images: whether any modality holds images.

    Example:
        >>> schedule_for(10_000) is SCHEDULE, schedule_for(500) is SCHEDULE
        (True, False)
        >>> schedule_for(10_000, images=True) is IMAGE_SCHEDULE
        True
        >>> schedule_for(10_000, series=True) is schedule_for(500)
        True
    """
    if series or n_subjects < _FEW_SUBJECTS:
        return FEW_SUBJECTS_SCHEDULE
    return IMAGE_SCHEDULE if images else SCHEDULE


def epochs_of(stage: Stage, steps_per_epoch: int, max_epochs: int | None) -> int:
    """Passes over the data that a stage may take.

    Training takes 56 epochs or about 1,960 steps, whichever is more, but never more than
    `max_epochs` in all.

    Args:
        stage: the stage.
        steps_per_epoch: batches in one pass over the data.
        max_epochs: the user's limit on the epochs of all stages together.

    Example:
        >>> [epochs_of(stage, 35, None) for stage in SCHEDULE]
        [30, 10, 16]
    """
    epochs = max(_FEWEST_EPOCHS, -(-_STEPS // steps_per_epoch))
    if max_epochs is not None:
        epochs = min(epochs, max_epochs)
    return max(1, round(stage.share * epochs))
