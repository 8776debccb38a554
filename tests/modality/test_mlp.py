"""Many perceptrons at once are what they would be one by one."""

from __future__ import annotations

import torch
from torch import nn

from pyrocrl.modality import ChainMLP


def test_each_chain_is_a_perceptron_of_its_own() -> None:
    network = ChainMLP(3, [5, 8, 7, 2])
    x = torch.randn(11, 5)
    found = network(x)
    for chain in range(3):
        layers: list[nn.Module] = []
        for weight, bias in zip(network.weights, network.biases, strict=True):
            linear = nn.Linear(*weight.shape[1:])
            linear.weight.data, linear.bias.data = weight[chain].T, bias[chain, 0]
            layers += [linear, nn.LeakyReLU(0.2)]
        torch.testing.assert_close(found[chain], nn.Sequential(*layers[:-1])(x))


def test_inputs_of_each_chain() -> None:
    network, x = ChainMLP(3, [5, 8, 2]), torch.randn(11, 5)
    torch.testing.assert_close(network(x), network(x.expand(3, 11, 5)))


def test_gradients_stay_in_their_chain() -> None:
    network = ChainMLP(3, [5, 8, 2])
    network(torch.randn(11, 5))[1].sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        moved = parameter.grad.flatten(1).abs().sum(1) > 0
        assert moved.tolist() == [False, True, False]
