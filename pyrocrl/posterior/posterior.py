"""Posterior: what a fit found, to be asked, drawn, reported and saved."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError, PriorWarning
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.alignment import Alignment
from pyrocrl.posterior.chains import chain_probabilities
from pyrocrl.posterior.directions import direction_table, path_probabilities
from pyrocrl.posterior.edges import edge_table
from pyrocrl.posterior.encoding import aligned_latents, encode_nodes
from pyrocrl.posterior.impute_missing import impute_missing
from pyrocrl.posterior.imputed import Imputed
from pyrocrl.posterior.inference_data import to_inference_data
from pyrocrl.posterior.membership import membership_of, seen_by
from pyrocrl.posterior.reliability import reliability_of
from pyrocrl.posterior.restarts import best_restart
from pyrocrl.posterior.sensitivity import prior_sensitivity
from pyrocrl.posterior.shown import Shown
from pyrocrl.posterior.traversal import STEPS, traversal
from pyrocrl.scm import EdgePrior, Nodes
from pyrocrl.settings import FitSettings
from pyrocrl.structure import GraphDraws
from pyrocrl.training import History

if TYPE_CHECKING:
    import arviz
    import networkx
    import xarray


__all__ = ["Posterior"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posterior(Shown):
    """What a fit found: latents, and a posterior over the edges between them.

    Chains are restarts. All of them are aligned to the best one; those that explain held-out
    subjects as well as any, with as few edges as any, make up the answer with equal weight.

    Attributes:
        fit_settings: what was asked for.
        template: the data without subjects: names, columns, standardisation.
        model: the trained model, all chains.
        guide: its guide.
        alignment: how each chain's nodes become those of the best chain.
        restarts: one row per restart: restart, held_out_elbo and match (nats per subject:
            how well measurements are explained, and how well the latents tell which of them belong
            together), difference (of the match to
            the best), difference_se, edges (expected number), weight, agreement (mean absolute
            correlation of its latents with those of the best restart).
        draws: draws of the graph, (chain, draw, child, parent), of restarts with weight.
        probability: (child, parent), P(edge is present and stronger than the rope).
        variational: (child, parent), probability under the variational gates, for comparison;
            NaN where the fit was interrupted before them.
        allowed: (child, parent), edges that the order and background knowledge allow.
        latent_values: (subject, latent), posterior means of the fitted subjects' latents.
        latent_deviations: (subject, latent), their posterior standard deviations.
        loadings_table: see `loadings`.
        history_record: what happened during training.
        data_summary: one row per modality.
        warnings: what a reader of the result should know.
        sharing: (shared latent, modality), P(the modality sees the latent), of latents that
            `pyrocrl.sharing.discover` found; None without `fit(sharing=...)`.
        node_values: (restart, subject, node), node values of the subjects that the edges rest on,
            each restart's in its own order; None in a fit that was loaded, as these include
            measurements.
        fitted_data: the data that was fitted; None in a fit that was loaded, likewise.
    """

    fit_settings: FitSettings
    template: MultimodalData
    model: MultimodalSCM
    guide: AmortizedGuide
    alignment: Alignment
    restarts: pd.DataFrame
    draws: GraphDraws
    probability: FloatArray
    variational: FloatArray
    allowed: npt.NDArray[np.bool_]
    latent_values: pd.DataFrame
    latent_deviations: pd.DataFrame
    loadings_table: pd.DataFrame
    history_record: History
    data_summary: pd.DataFrame
    warnings: tuple[str, ...] = field(default=())
    sharing: pd.DataFrame | None = None
    node_values: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    fitted_data: MultimodalData | None = field(default=None, repr=False)

    @property
    def nodes(self) -> Nodes:
        """The nodes of the graph: latents, shared ones too, and measured variables."""
        nodes = self.model.nodes
        shared = set() if self.sharing is None else set(self.sharing.index)
        latent = zip(nodes.names, nodes.is_latent, strict=True)
        return replace(nodes, is_latent=tuple(own or name in shared for name, own in latent))

    @property
    def rope(self) -> float:
        """Strength below which an edge counts as none, in nats per subject."""
        return self.fit_settings.rope

    @property
    def best(self) -> int:
        """The restart whose latents are reported: the best of those with weight."""
        return best_restart(self.restarts)

    def latents(self, data: MultimodalData | Mapping[str, Any] | None = None) -> xarray.DataArray:
        """Posterior means of the latents, in standard deviations.

        Args:
            data: new subjects with the same modalities and columns; None gives the fitted ones.

        Returns:
            (subject, latent), latents named `modality.z1`, ...

        Raises:
            DataError: if the new data do not have the fitted modalities and columns.
        """
        import xarray as xr

        if data is None:
            frame = self.latent_values
        else:
            new = self.template.like(data)
            best, (mean, deviation) = self.best, encode_nodes(self.model, self.guide, new)
            own = mean[best], deviation[best]
            frame, _ = aligned_latents(*own, self.alignment, best, self.model.nodes, new)
        dims = {"subject": frame.index.to_numpy(), "latent": list(frame.columns)}
        return xr.DataArray(frame.to_numpy(), coords=dims, dims=list(dims), name="latents")

    def reliability(self) -> pd.Series:
        """Share of each latent's variance that the measurements determine, between 0 and 1."""
        return reliability_of(self.latent_values, self.latent_deviations)

    def loadings(self) -> pd.DataFrame:
        """What each latent means: its correlation with every measured column.

        Returns:
            One row per latent and column: latent, modality, column, correlation (over observed
            cells), own (whether the column belongs to the latent's modality).
        """
        return self.loadings_table.copy()

    def traversal(self, latent: str, values: Sequence[float] = STEPS) -> xarray.DataArray:
        """What a latent does: its modality decoded while it moves, the others at their means.

        Args:
            latent: its name.
            values: of the latent, in standard deviations.

        Returns:
            (value, axes of the modality), means of the measurements in the data's units, by the
            best restart; the modality's own noise is 0.

        Raises:
            ModelError: there is no such latent, or a value is not finite.
        """
        return traversal(self, latent, values)

    def membership(self) -> pd.DataFrame:
        """P(a modality sees a latent), rows latents, columns modalities.

        A latent of one modality is seen by it alone, and measured variables by the modalities that
        show them (`Variables(seen_by=...)`), as given; of latents that were found to be shared it
        is the probability that `pyrocrl.sharing.discover` gave.
        """
        seen = seen_by(self.nodes, self.template)
        encoded = [modality.name for modality in self.template if not modality.is_variables]
        return membership_of(seen, encoded, self.sharing)

    def edge_probabilities(self) -> pd.DataFrame:
        """P(edge is present and stronger than the rope), rows children, columns parents."""
        names = list(self.nodes.names)
        frame = pd.DataFrame(self.probability, index=names, columns=names)
        return frame.rename_axis(index="child", columns="parent")

    def edge_table(self, hdi: float = 0.9) -> pd.DataFrame:
        """Every allowed edge, the most probable first, then (to six decimals) the strongest.

        Args:
            hdi: mass of the highest-density intervals.

        Returns:
            Columns: parent, child, probability; strength, hdi_low, hdi_high (information that the
            parent adds, nats per subject, where the edge is present); effect, effect_low,
            effect_high (standardised slope, where present); direction (why it points this way);
            variational (probability under the variational gates).

        Raises:
            ModelError: if the mass is not between 0 and 1.
        """
        return edge_table(self, hdi)

    def direction_table(self) -> pd.DataFrame:
        """Which way edges point: every pair of nodes between which an edge is allowed.

        Where some pair may be joined either way (latents of one modality always may), the columns
        `class_...` say what dependences alone would leave of the direction, graph by graph: the
        same way in all graphs of the draw's Markov equivalence class (given the order, tiers and
        forbidden edges), or open. Bent mechanisms and noise that is not Gaussian fix more than
        that; `forward` and `backward` have all of it.

        Returns:
            Most probably adjacent pairs first. Columns: first, second, adjacent, forward
            (P(first -> second)), backward, both (at once, in a cycle), class_forward,
            class_backward, class_open (NaN where no pair may be, or cycles are possible),
            either_way (whether the direction was open before the data).
        """
        return direction_table(
            self.probability, self.draws.adjacency, self.allowed, self.model.space
        )

    def path_probabilities(self) -> pd.DataFrame:
        """P(a directed path leads from ancestor to child), rows children, columns ancestors."""
        names = list(self.nodes.names)
        frame = pd.DataFrame(path_probabilities(self.draws.adjacency), index=names, columns=names)
        return frame.rename_axis(index="child", columns="ancestor")

    def chain_probabilities(self) -> pd.DataFrame:
        """Every allowed edge's probability in each restart that counts, from its draws.

        Restarts that found different latents are modes of the posterior; the reported
        probability is their mean.

        Returns:
            Columns: parent, child, one per restart (its number), difference (between the largest
            and the smallest; the largest differences first).
        """
        kept = [int(k) for k in self.restarts.restart[self.restarts.weight > 0]]
        return chain_probabilities(self.draws.adjacency, self.allowed, self.nodes.names, kept)

    def prior_sensitivity(
        self,
        priors: Mapping[str, EdgePrior] | None = None,
        data: MultimodalData | Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """How the edges' probabilities move as their prior is changed, without a new fit.

        Graphs and mechanisms are summed out anew under each prior, which is exact given the
        latents. The latents themselves, their alignment and the restarts that count stay as they
        are: they were found under the fit's own prior. Where a prior would choose other restarts,
        a `PriorWarning` says so. Background knowledge stays.

        Args:
            priors: edge priors by name. None takes the fit's own with the odds of every edge a
                third (`sparser`) and three times (`denser`), and with a slab half (`narrower slab`)
                and twice (`wider slab`) as wide, as far as the prior has these.
            data: the data that was fitted; a fit that was loaded needs it.

        Returns:
            Every allowed edge, those that move most first. Columns: parent, child, `as fitted`,
            one per prior, difference (between the largest and the smallest).

        Raises:
            ModelError: if the priors are no mapping of edge priors, or a loaded fit gets no data.
            PriorError: if an edge prior cannot be summed over.
            DataError: if the data is not that of the fit.
        """
        found = prior_sensitivity(self, priors, data)
        for note in found.notes:
            warnings.warn(note, PriorWarning, stacklevel=2)
        return found.table

    def graph(self, threshold: float = 0.5) -> networkx.DiGraph:
        """The graph of the edges with at least a given probability.

        Args:
            threshold: smallest probability of an edge that is kept.

        Returns:
            Nodes with `group` (modality) and `latent`; edges with `probability`, `strength` and
            `effect`.

        Raises:
            ModelError: if the threshold is not between 0 and 1.
        """
        import networkx as nx

        if not 0 <= threshold <= 1:
            raise ModelError(f"threshold must be between 0 and 1, not {threshold}")
        graph = nx.DiGraph()
        for name, group, latent in zip(
            self.nodes.names, self.nodes.groups, self.nodes.is_latent, strict=True
        ):
            graph.add_node(name, group=group, latent=latent)
        table = self.edge_table()
        for edge in table[table.probability >= threshold].itertuples():
            graph.add_edge(
                edge.parent,
                edge.child,
                probability=float(edge.probability),
                strength=float(edge.strength),
                effect=float(edge.effect),
            )
        return graph

    def to_inference_data(
        self,
        data: MultimodalData | Mapping[str, Any] | None = None,
        *,
        subjects: int | None = None,
        draws: int = 300,
        particles: int = 30,
    ) -> arviz.InferenceData:
        """The draws as ArviZ InferenceData; with data, what `az.loo` and `az.compare` want too.

        Chains are the restarts that count, by their number. Always there: `posterior` (adjacency,
        strength, effect; chain, draw, child, parent), `sample_stats` (held_out_elbo and weight of
        each chain) and `constant_data` (allowed edges, modality of each node).

        With `subjects` or `data`: `prior` (adjacency and linear weights under the edge prior),
        `prior_predictive` and `posterior_predictive` (measurements of new subjects, a variable per
        modality in its own units; chain, draw, new_subject, column). Graph and weights are drawn,
        from their prior, or from `posterior` and the guide's weights for these edges; networks,
        which have no prior, are as they were trained in both. With order="learned" edges against
        the order that a restart's networks found are turned to it; with order="cyclic" these
        groups are left out, as a graph that is drawn may have no solution.

        With `data`: `observed_data` and `log_likelihood` of subjects that training did not see
        (chain, draw, subject; nats, of standardised measurements). `joint` is log p(x), with the
        latents integrated out by importance sampling from the guide; a modality's own is
        log p(x^(m) | all others). `az.loo(inference_data, var_name="joint")` says how well the
        answer foretells new subjects, and `az.compare(fits, var_name="joint")` ranks fits of the
        same data and seed by it. A draw is one graph with its weights in every restart that counts,
        and its density that of the mixture of these restarts, hence the one chain: restarts are
        modes, and `az.loo`, which weighs every chain by how badly it foretells a subject, would
        report the worst of them. As the subjects were held out, what it leaves out was in nothing
        that was learned: its estimate is a little low rather than high.

        Args:
            data: the data that was fitted, of which the held-out subjects are taken, or new
                subjects with labels of their own.
            subjects: subjects of each predictive draw, and at most how many of the data are
                judged. None is 100 with data; without data it leaves out all that is drawn anew.
            draws: draws of graph and weights in these groups, to which `posterior` is thinned too.
                With much fewer, ArviZ's diagnostics (Pareto k) are mostly noise.
            particles: draws of a subject's latents; few make log p(x) a little too low, so take
                the same number for fits that are compared.

        Raises:
            ModelError: if a number is not at least 1.
            DataError: if the data lacks modalities or columns, or mixes fitted and new subjects.

        Source: Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders, for the
        marginal likelihood; Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation
        using leave-one-out cross-validation, for what ArviZ makes of it.
        """
        return to_inference_data(self, data, subjects=subjects, draws=draws, particles=particles)

    def impute(
        self,
        data: MultimodalData | Mapping[str, Any] | None = None,
        *,
        draws: int = 100,
    ) -> Imputed:
        """Measurements that are missing, cells and whole modalities, given those that are there.

        A subject's latents of a modality that is not there are drawn given the others, through the
        causal model: from a regression on the others, weighted by p(z | A, w). Graphs are draws of
        the posterior, restarts that count share the draws. Measurements follow by the decoders,
        with the noise of each measurement and the modality's own, which is drawn as it goes with
        the nodes in those who have the modality.

        Args:
            data: the data that was fitted, or new subjects with the same modalities, any of which
                a subject may lack; None takes the data that was fitted, which a fit that was
                loaded does not hold.
            draws: of every missing measurement.

        Returns:
            `table()`: mean, standard deviation and interval of every missing cell; `frame(name)`:
            a table with what is missing filled by means; `draws[name]`: xarray, (draw, subject,
            column), all in the units of the data.

        Raises:
            ModelError: if `draws` is not at least 1, or a loaded fit gets no data.
            DataError: if the data does not fit, or nobody has all modalities.
        """
        return impute_missing(self, data, draws)

    @property
    def history(self) -> pd.DataFrame:
        """ELBOs during training: stage, epoch, restart, elbo, held_out_elbo (nats per subject)."""
        return self.history_record.frame()

    @property
    def stages(self) -> pd.DataFrame:
        """Stages of training: stage, purpose, epochs, seconds, reason (why it stopped)."""
        return self.history_record.stages()

    @property
    def settings(self) -> dict[str, str | int | float]:
        """What was asked for, for reading."""
        return {
            **self.fit_settings.summary(),
            "subjects": len(self.latent_values),
            "pyrocrl": version("pyrocrl"),
            "torch": torch.__version__,
            "pyro": version("pyro-ppl"),
        }

    def save(self, path: str | Path) -> Path:
        """Save into a folder, without pickle; `pyrocrl.load` reads it back."""
        from pyrocrl.posterior.storage import save

        return save(self, path)

    def __repr__(self) -> str:
        edges = int((self.probability > 0.5).sum())
        count = int((self.restarts.weight > 0).sum())
        return (
            f"Posterior({len(self.nodes)} nodes, {edges} edges with probability > 0.5, "
            f"{count} of {len(self.restarts)} restarts count)"
        )
