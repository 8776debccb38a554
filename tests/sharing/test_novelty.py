"""What known latents tell is no further latent, however it is bent."""

from __future__ import annotations

import torch
from torch import Tensor

from pyrocrl.sharing.agreement import Components
from pyrocrl.sharing.evidence import Evidence, probability_shared
from pyrocrl.sharing.novelty import told_by_known


def components(*values: Tensor) -> Components:
    """One set's components, which both members see alike."""
    merged = torch.stack(values)[:, None]
    both = merged[:, :, None].expand(-1, -1, 2, -1)
    return Components(both, torch.ones_like(both), merged)


def test_functions_of_known_latents_are_told_and_new_latents_are_not() -> None:
    torch.manual_seed(0)
    first, second, new = torch.randn(3, 4000)
    rugged = torch.sin(3 * first) * torch.sin(3 * second)
    known = torch.stack([first, second], -1)[None]
    halves = [slice(0, 3000), slice(3000, 4000)]
    said = [components(new[part], rugged[part], new[part] ** 2) for part in halves]
    latents = (known[:, halves[0]], known[:, halves[1]])
    told = [told_by_known((said[0], said[1]), latents, (d, 0)) for d in range(3)]
    assert told[0] < 0.1
    assert told[1] > 0.8
    assert told[2] > 0.9, "the square of an earlier component is told by that component"
    nothing = (known[:, halves[0], :0], known[:, halves[1], :0])
    assert told_by_known((said[0], said[1]), nothing, (0, 0)) == 0.0


def test_what_is_told_is_not_shared_anew() -> None:
    alike = Evidence(before=0.004, held_out=0.001, training=0.0005)
    told = Evidence(before=0.004, held_out=0.001, training=0.0005, told=0.9)
    assert probability_shared(alike) > 0.9
    assert probability_shared(told) == 0.0
