"""Networks for series: recurrent ones, as in the paper, and convolutional ones.

Encoders are given (subject, time, number): values, which of them are missing, the time, and the
time since the step before. Gaps and unequal lengths are steps at which everything is missing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyrocrl.data import Cells

__all__ = [
    "ConvolutionalSeriesEncoder",
    "RecurrentSeriesDecoder",
    "RecurrentSeriesEncoder",
    "SmoothSeriesDecoder",
    "told_of_series",
]


def told_of_series(cells: Cells) -> Tensor:
    """What encoders are given of series, (subject, time, 2 * channel + 2).

    Args:
        cells: values (subject, time, channel), and times in `given`.
    """
    missing = (~cells.observed).to(cells.values.dtype).expand_as(cells.values)
    return torch.cat([cells.values, missing, _clock(cells.given)], -1)


class RecurrentSeriesEncoder(nn.Module):
    """An LSTM, read where a subject's series ends.

    Args:
        channels: of the series.
        outputs: numbers per subject.
        hidden: units of the LSTM.

    Source: Sun et al. (2025), appendix F.1: LSTMs for time series.

    Example:
        >>> RecurrentSeriesEncoder(channels=2, outputs=6)(torch.zeros(5, 9, 6)).shape
        torch.Size([5, 6])
    """

    def __init__(self, channels: int, outputs: int, hidden: int = 32) -> None:
        super().__init__()
        self.channels = channels
        self.lstm = nn.LSTM(2 * channels + 2, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Series told as by `told_of_series` -> (subject, output)."""
        states, _ = self.lstm(x)
        there = _steps_there(x, self.channels)
        steps = torch.arange(x.shape[1], device=x.device)
        last = (there * steps).amax(1)
        found: Tensor = self.readout(states[torch.arange(len(x), device=x.device), last])
        return found


class RecurrentSeriesDecoder(nn.Module):
    """An LSTM that unrolls a subject's coordinates over its times.

    Args:
        channels: of the series.
        inputs: latents and noises together.
        hidden: units of the LSTM.

    Source: Sun et al. (2025), appendix F.1: LSTMs for time series.

    Example:
        >>> decoder = RecurrentSeriesDecoder(channels=2, inputs=3)
        >>> decoder(torch.zeros(5, 3), torch.zeros(5, 9)).shape
        torch.Size([5, 9, 2])
    """

    def __init__(self, channels: int, inputs: int, hidden: int = 32) -> None:
        super().__init__()
        self.start = nn.Linear(inputs, 2 * hidden)
        self.lstm = nn.LSTM(inputs + 2, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, channels)

    def forward(self, coordinates: Tensor, times: Tensor) -> Tensor:
        """(subject, input) and (subject, time) -> (subject, time, channel)."""
        told = coordinates[:, None].expand(-1, times.shape[1], -1)
        state, memory = self.start(coordinates).chunk(2, -1)
        states, _ = self.lstm(
            torch.cat([told, _clock(times)], -1),
            (state[None].tanh().contiguous(), memory[None].contiguous()),
        )
        means: Tensor = self.readout(states)
        return means


class ConvolutionalSeriesEncoder(nn.Module):
    """Convolutions over steps, then each filter's mean, early, late and in all, and its maximum.

    Args:
        channels: of the series.
        outputs: numbers per subject.
        width: filters of the first layer; the second has twice as many.
        hidden: units of the hidden layer.

    Example:
        >>> ConvolutionalSeriesEncoder(channels=2, outputs=6)(torch.zeros(5, 9, 6)).shape
        torch.Size([5, 6])
    """

    def __init__(self, channels: int, outputs: int, width: int = 16, hidden: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.first = nn.Conv1d(2 * channels + 2, width, 5, padding=2)
        self.second = nn.Conv1d(width, 2 * width, 5, padding=2)
        self.readout = nn.Sequential(
            nn.Linear(8 * width, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Series told as by `told_of_series` -> (subject, output)."""
        # A step without measurements is as silent as what lies beyond both ends.
        there = _steps_there(x, self.channels).to(x.dtype)[:, None]
        heard = nn.functional.leaky_relu(self.first(x.mT * there), 0.2) * there
        filtered = nn.functional.leaky_relu(self.second(heard), 0.2)
        time = x[..., -2][:, None]
        count = there.sum(-1).clamp(min=1)
        mean = (filtered * there).sum(-1) / count
        early = (filtered * there * (1 - time) / 2).sum(-1) / count
        late = (filtered * there * (1 + time) / 2).sum(-1) / count
        highest = filtered.masked_fill(there == 0, -torch.inf).amax(-1).nan_to_num(neginf=0.0)
        found: Tensor = self.readout(torch.cat([mean, early, late, highest], -1))
        return found


class SmoothSeriesDecoder(nn.Module):
    """Curves from a few numbers: every step's value from the coordinates and smooth bumps in time.

    Args:
        channels: of the series.
        inputs: latents and noises together.
        bumps: how many, evenly spaced between the first time and the last.
        hidden: units of each hidden layer.

    Example:
        >>> decoder = SmoothSeriesDecoder(channels=2, inputs=3)
        >>> decoder(torch.zeros(5, 3), torch.zeros(5, 9)).shape
        torch.Size([5, 9, 2])
    """

    centres: Tensor

    def __init__(self, channels: int, inputs: int, bumps: int = 16, hidden: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("centres", torch.linspace(-1, 1, bumps))
        self.heights = nn.Sequential(
            nn.Linear(inputs, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, bumps * channels),
        )

    def forward(self, coordinates: Tensor, times: Tensor) -> Tensor:
        """(subject, input) and (subject, time) -> (subject, time, channel)."""
        heights = self.heights(coordinates).unflatten(-1, (-1, self.channels))
        apart = (times[..., None] - self.centres) * (len(self.centres) - 1) / 2
        bumps = (-0.5 * apart**2).exp()
        return torch.matmul(bumps / bumps.sum(-1, keepdim=True), heights)


def _clock(times: Tensor) -> Tensor:
    """Time, and time since the step before, (subject, time, 2)."""
    since = times.diff(dim=1, prepend=times[:, :1])
    return torch.stack([times, since], -1)


def _steps_there(x: Tensor, channels: int) -> Tensor:
    """(subject, time), whether anything was measured at a step."""
    return x[..., channels : 2 * channels].amin(-1) < 0.5
