"""The small model that learns from the teacher: hashed features to a hidden layer, to the scores of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]
Bags = Sequence[dict[int, float]]

HIDDEN = 64
EPOCHS = 6
RATE = 3e-3
_BATCH = 64
#: Hidden numbers, and features, that are left out of a step by chance: what is learnt must not hang on one of them.
_HIDDEN_DROPPED, _FEATURES_DROPPED = 0.3, 0.2
#: How much of the general scores the last layer is shown.
_SHOWN = 0.5
_START = 0.05


@dataclass(frozen=True)
class Head:
    """What makes the scores of prompts out of those of any text, and of what prompts alone show."""

    weights: npt.NDArray[np.int8]
    scale: Floats
    inner: Floats
    outer: Floats
    mix: Floats
    bias: Floats

    def scores(self, bags: Bags, general: Floats) -> Floats:
        """Rows of scores (n, labels) for prompts whose scores as any text are `general`."""
        summed = np.zeros((len(bags), len(self.inner)), np.float32)
        for row, bag in enumerate(bags):
            counts = np.fromiter(bag.values(), np.float32, len(bag))
            summed[row] = counts @ self.weights[list(bag)].astype(np.float32)
        hidden = np.maximum(summed * self.scale + self.inner, 0)
        return np.asarray(hidden @ self.outer + general @ self.mix + self.bias, np.float32)


class _Student(torch.nn.Module):
    def __init__(self, buckets: int, labels: int) -> None:
        super().__init__()
        self.rows = torch.nn.EmbeddingBag(buckets, HIDDEN, mode="sum", sparse=True)
        torch.nn.init.normal_(self.rows.weight, 0, _START)
        self.inner = torch.nn.Parameter(torch.zeros(HIDDEN))
        self.last = torch.nn.Linear(HIDDEN + labels, labels)
        self.dropped = torch.nn.Dropout(_HIDDEN_DROPPED)

    def forward(
        self, found: torch.Tensor, starts: torch.Tensor, share: torch.Tensor, general: torch.Tensor
    ) -> torch.Tensor:
        summed = self.rows(found, starts, per_sample_weights=share)
        hidden = self.dropped(torch.relu(summed + self.inner))
        out: torch.Tensor = self.last(torch.cat([hidden, general * _SHOWN], 1))
        return out


def learn(bags: Bags, general: Floats, chances: Floats, weigh: Floats, buckets: int, seed: int) -> Head:
    """A head that comes near `chances` (n, labels); `general` are the texts' scores as any text.

    On one thread, so that the same texts give the same bytes.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    found = [np.fromiter(bag, np.int64, len(bag)) for bag in bags]
    share = [np.fromiter(bag.values(), np.float32, len(bag)) for bag in bags]
    general = general - general.mean(1, keepdims=True)
    model = _Student(buckets, chances.shape[1])
    others = [value for name, value in model.named_parameters() if name != "rows.weight"]
    steppers = (torch.optim.SparseAdam([model.rows.weight]), torch.optim.Adam(others))
    total, step = EPOCHS * -(-len(bags) // _BATCH), 0
    for _ in range(EPOCHS):
        turn = order.permutation(len(bags))
        for start in range(0, len(turn), _BATCH):
            some = turn[start : start + _BATCH]
            counts = torch.from_numpy(np.concatenate([share[at] for at in some]))
            counts = counts * (torch.rand(len(counts)) >= _FEATURES_DROPPED) / (1 - _FEATURES_DROPPED)
            starts = np.cumsum([0, *(len(found[at]) for at in some[:-1])])
            said = model(
                torch.from_numpy(np.concatenate([found[at] for at in some])),
                torch.from_numpy(starts),
                counts,
                torch.from_numpy(general[some].astype(np.float32)),
            )
            far = -(torch.from_numpy(chances[some]) * torch.log_softmax(said, 1)).sum(1)
            loss = (torch.from_numpy(weigh[some]) * far).mean()
            for each in steppers:
                each.param_groups[0]["lr"] = RATE * (1 - step / total)
                each.zero_grad()
            loss.backward()
            for each in steppers:
                each.step()
            step += 1
    return _head(model)


def _head(model: _Student) -> Head:
    """The weights as they ship: the rows in int8, a scale for each column."""
    rows = model.rows.weight.detach().numpy()
    scale = np.abs(rows).max(0) / 127
    last = model.last.weight.detach().numpy().T
    labels = last.shape[1]
    centre = np.eye(labels) - 1 / labels
    return Head(
        np.rint(rows / scale).astype(np.int8),
        scale.astype(np.float32),
        model.inner.detach().numpy().astype(np.float32),
        last[:HIDDEN].astype(np.float32),
        (centre @ last[HIDDEN:] * _SHOWN).astype(np.float32),
        model.last.bias.detach().numpy().astype(np.float32),
    )
