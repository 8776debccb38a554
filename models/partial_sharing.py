"""Two scans that see a latent in common, and a blood test that does not: who sees what is learned.

System
    A scan of the eye and one of the heart both show the state of small vessels; each shows a latent
    of its own too, and one of the eye's causes that of the heart. The vessels act on the blood.
    `crl.sharing.discover` says with what probability a latent is shared; the shared latents then
    join the measurements as variables that both scans show, and `crl.fit` finds what they cause.

Equations
    S_km ~ Bernoulli                  is latent k seen by modality m? The prior is `believed`
    z    = f(parents(z), eps)         latents, shared ones among them
    x^(m) = g_m(z_{S_m}, eta_m)       each modality: the latents that it sees, and its own noise

Assumptions
    - Each modality alone tells the latents that it sees, but for few noises of its own. A modality
      that shows a latent through much noise counts as one whose own latent is an effect of it.
    - Shared latents are found first, without the causes of anything, and taken as they are.

What to change
    - `believed`: the prior over sharing, a number, a table of pairs or a function of the set.
    - `latents`: the largest number of latents of each modality; what is not shared is its own.
    - `crl.Variables(frame, seen_by=[...])` says the same of a measured variable, such as age, that
      a scan shows as well.

Run
    python models/partial_sharing.py [--quick]
"""

from __future__ import annotations

import argparse

import pandas as pd

import pyrocrl as crl


def believed(members: tuple[str, ...]) -> float:
    """A prior over sharing: likelier between the two scans than with the blood test."""
    return 0.7 if "blood" not in members else 0.2


def main() -> None:
    """Simulate, discover, fit, and compare with the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few subjects and short training")
    quick = parser.parse_args().quick
    subjects, epochs, restarts = (400, 3, 2) if quick else (5000, None, 4)

    seen = pd.DataFrame(
        {
            "eye": [True, True, False, False],
            "heart": [True, False, True, False],
            "blood": [False, False, False, True],
        }
    )
    # The shared latent acts on that of the blood; so does the one that the eye alone shows.
    edges = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    data, truth = crl.simulate.from_membership(seen, edges, n_subjects=subjects, seed=100)

    found = crl.sharing.discover(
        data,
        latents={"eye": 2, "heart": 2, "blood": 1},
        prior=believed,
        progress=False,
        max_epochs=epochs,
    )
    print(found.table.round(3).to_string(index=False))
    print(found.membership())
    print("in truth:", list(truth.latents))

    if min(found.own.values()) > 0:
        posterior = crl.fit(
            data,
            sharing=found,
            restarts=restarts,
            max_epochs=epochs,
            progress=False,
        )
        print(posterior.edge_table().head(6).to_string(index=False, na_rep="-"))


if __name__ == "__main__":
    main()
