"""The model, and how it is fitted: InfoNCE over batches whose wrong answers are often of the same source."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from bags import Bags, Ints, Table
from records import KINDS
from scipy import sparse
from torch import nn
from torch.nn import functional

Floats = npt.NDArray[np.float32]
WIDTH = 256
_RARE = 1e-3  # the weight of a piece falls from this share of all pieces on (Arora et al., 2017)
_ASIDE = 384  # rows that the teacher speaks of in a step
_APART_AT_LEAST, _APART_AT_MOST = 30, 1_500


@dataclass(frozen=True)
class Plan:
    """How long, and how: `minutes` bounds the time of the processor, and with it steps that would be more."""

    steps: int = 1_500
    batch: int = 2_048
    rate: float = 2e-3
    warm: int = 100
    temperature: float = 0.05
    group: int = 32  # so many of a batch's pairs stand together, from one source
    drop: float = 0.1  # of the pieces
    named: float = 0.6  # how often the code is shown with its name
    cropped: float = 0.35  # how often only a window of it is shown
    minutes: float = math.inf
    taught: float = 1.0  # what a divergence from the teacher weighs, beside the loss on pairs
    kept: float = 0.0  # of the weights gone on from, in the mean of these and what is learnt
    #: How many of each kind are taken in a round, as shares: (doc, name, type, comment, change).
    shares: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Weights:
    """What is learnt: a vector for each piece, and the logarithm of its weight in a question and in code."""

    vectors: Floats
    question: Floats
    code: Floats


@dataclass(frozen=True)
class Told:
    """The teacher's vectors, float16 of length 1, of what is asked and of the code in some rows of a table."""

    rows: Ints
    question: npt.NDArray[np.float16]
    code: npt.NDArray[np.float16]


class _Pool(torch.autograd.Function):
    """Sums of vectors by a sparse product, an order faster than an embedding bag on one core."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor, logs: torch.Tensor, bag: sparse.csr_matrix) -> torch.Tensor:
        weighed = bag.copy()
        weighed.data = weighed.data * np.exp(logs.detach().numpy())[weighed.indices]
        ctx.bag, ctx.vectors = weighed, vectors.detach().numpy()
        return torch.from_numpy(weighed @ ctx.vectors)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:  # type: ignore[override]
        vectors = ctx.bag.T.tocsr() @ np.ascontiguousarray(slope.numpy())
        # The weight of a piece scales its vector: its slope is the product of the two.
        return torch.from_numpy(vectors), torch.from_numpy((ctx.vectors * vectors).sum(1)), None


class Encoder(nn.Module):
    """Static vectors of word pieces with a weight for each side."""

    def __init__(self, start: Weights, temperature: float) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.from_numpy(start.vectors.copy()))
        self.question = nn.Parameter(torch.from_numpy(start.question.copy()))
        self.code = nn.Parameter(torch.from_numpy(start.code.copy()))
        self.scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    def forward(self, bag: sparse.csr_matrix, side: str) -> torch.Tensor:
        """Rows of length 1; `side` is "question" or "code"."""
        pooled: torch.Tensor = _Pool.apply(
            self.vectors, self.question if side == "question" else self.code, bag
        )
        return functional.normalize(pooled, dim=1)

    def weights(self) -> Weights:
        """What was learnt so far."""
        with torch.no_grad():
            return Weights(
                *(each.detach().numpy().copy() for each in (self.vectors, self.question, self.code))
            )


def seen(of: Table) -> Ints:
    """How often each piece stands in the code and the first sentences of a table."""
    columns = (of.columns[name] for name in ("code", "sentence"))
    return np.sum([np.bincount(each.pieces, minlength=of.pieces) for each in columns], axis=0, dtype=np.int64)


def fresh(of: Table, seed: int, width: int = WIDTH) -> Weights:
    """Vectors by chance, and weights that begin where frequent pieces count for little."""
    chance = np.random.default_rng(seed)
    counts = seen(of)
    share = counts / max(1, int(counts.sum()))
    logs = np.log(_RARE / (_RARE + share) + 1e-4).astype(np.float32)
    vectors = chance.standard_normal((of.pieces, width), np.float32) / np.float32(math.sqrt(width))
    return Weights(vectors, logs, logs.copy())


def fitted(of: Table, start: Weights, plan: Plan, seed: int, told: Told | None = None) -> Weights:
    """The weights after a plan; the same for the same seed and table on one machine, with one thread.

    With `told` the likeness of questions and code is learnt from the teacher too: pairs say what is right, and the
    teacher how near the wrong ones are.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    model = Encoder(start, plan.temperature)
    groups = [
        {"params": [model.vectors], "lr": plan.rate},
        {"params": [model.question, model.code], "lr": 2.5 * plan.rate},
        {"params": [model.scale], "lr": 1e-3},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0, fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    batches = _batches(of, plan, chance)
    bags = Bags(of, chance)
    texts, names = _marks(of)
    began, loss_sum = time.process_time(), 0.0
    for step in range(plan.steps):
        done = max(step / plan.steps, (time.process_time() - began) / 60 / plan.minutes)
        if done >= 1:
            break
        rows = next(batches)
        question, code = _sides(of, bags, rows, plan, chance)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            warm = min(1.0, (step + 1) / plan.warm)
            group["lr"] = rate * warm * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * done)))
        alike = model(question, "question") @ model(code, "code").T * model.scale.exp().clamp(max=60)
        alike = alike.masked_fill(torch.from_numpy(_same(rows, texts) | _same(rows, names)), -1e4)
        target = torch.arange(len(rows))
        loss = 0.5 * (functional.cross_entropy(alike, target) + functional.cross_entropy(alike.T, target))
        if told is not None:
            loss = loss + plan.taught * _diverged(model, of, bags, told, plan, chance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item()
        if (step + 1) % 100 == 0:
            told = score(of, model.weights()) if (step + 1) % 500 == 0 else None
            print(
                f"  step {step + 1}: loss {loss_sum / 100:.3f}, {time.process_time() - began:.0f} s of processor"
                + (f", sources apart MRR@10 {told:.3f}" if told is not None else ""),
                flush=True,
            )
            loss_sum = 0.0
    return model.weights()


def _batches(of: Table, plan: Plan, chance: np.random.Generator) -> Iterator[Ints]:
    """Batches made of groups from one source, in an order by chance, round after round."""
    rows = np.flatnonzero(of.learnable() & ~of.apart())
    batch = min(plan.batch, len(rows))
    shares = np.array(plan.shares)
    while True:
        shuffled = chance.permutation(rows)
        shuffled = shuffled[chance.random(len(shuffled)) < shares[of.kinds[shuffled]]]
        ordered = shuffled[np.argsort(of.sources[shuffled], kind="stable")]
        groups = [ordered[at : at + plan.group] for at in range(0, len(ordered), plan.group)]
        mixed = np.concatenate([groups[at] for at in chance.permutation(len(groups))])
        for at in range(0, max(1, len(mixed) - batch + 1), batch):
            yield mixed[at : at + batch]


def _sides(
    of: Table, bags: Bags, rows: Ints, plan: Plan, chance: np.random.Generator
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """The two bags of a batch: what is asked (a sentence, a paragraph or a name), and the code."""
    kinds, draw = of.kinds[rows], chance.random(len(rows))
    named = (kinds == KINDS.index("name")) | ((kinds == KINDS.index("doc")) & (draw < 0.15))
    long = ~named & (draw > 0.75)
    question = bags.bag(rows, [("name", named), ("paragraph", long), ("sentence", ~named & ~long)], plan.drop)
    cropped = chance.random(len(rows)) < plan.cropped
    shown = ~named & (chance.random(len(rows)) < plan.named)
    every = np.ones(len(rows), np.bool_)
    # The encoder counts the first line of code twice, and a window begins with that line.
    parts = [("name", shown), ("name", shown), ("head", every), ("head", cropped), ("code", every)]
    code = bags.bag(rows, parts, plan.drop, cropped)
    return question, code


def _diverged(
    model: Encoder, of: Table, bags: Bags, told: Told, plan: Plan, chance: np.random.Generator
) -> torch.Tensor:
    """How far our likeness of some questions and codes is from the teacher's, both as chances over a row."""
    at = np.sort(chance.choice(len(told.rows), min(_ASIDE, len(told.rows)), replace=False))
    question, code = _sides(of, bags, told.rows[at], plan, chance)
    ours = model(question, "question") @ model(code, "code").T / plan.temperature
    likeness = told.question[at].astype(np.float32) @ told.code[at].astype(np.float32).T
    theirs = torch.from_numpy(likeness) / plan.temperature
    return 0.5 * (_divergence(ours, theirs) + _divergence(ours.T, theirs.T))


def _divergence(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """Kullback and Leibler's, of the rows' chances."""
    return functional.kl_div(
        ours.log_softmax(1), theirs.log_softmax(1), reduction="batchmean", log_target=True
    )


def _marks(of: Table) -> tuple[Ints, Ints]:
    """A number for each pair's sentence and for its name: equal ones are no wrong answers for each other."""
    chance = np.random.default_rng(0).integers(1, 2**60, of.pieces)
    out = []
    for name in ("sentence", "name"):
        column = of.columns[name]
        marks = np.zeros(len(of.kinds), np.int64)
        np.add.at(marks, np.repeat(np.arange(len(of.kinds)), column.lengths()), chance[column.pieces])
        out.append(marks)
    return out[0], out[1]


def _same(rows: Ints, marks: Ints) -> npt.NDArray[np.bool_]:
    of = marks[rows]
    same = (of[:, None] == of[None]) & (of[:, None] != 0)
    np.fill_diagonal(same, False)
    return np.asarray(same, np.bool_)


def between(old: Weights, new: Weights, kept: float) -> Weights:
    """Weights on the way from `new` to `old`: what both know stays, and little is forgotten (Wortsman et al., 2022)."""

    def part(first: Floats, second: Floats) -> Floats:
        return np.asarray(kept * first + (1 - kept) * second, np.float32)

    return Weights(part(old.vectors, new.vectors), part(old.question, new.question), part(old.code, new.code))


def encoded(of: Table, weights: Weights, rows: Ints, side: str) -> Floats:
    """Rows of the table as unit vectors, whole: what is asked, or the code with its name."""
    every = np.ones(len(rows), np.bool_)
    headed = [("name", every), ("name", every), ("head", every), ("code", every)]
    parts = [("sentence", every)] if side == "question" else headed
    bag = Bags(of, np.random.default_rng(0)).bag(rows, parts)
    logs = weights.question if side == "question" else weights.code
    bag.data = bag.data * np.exp(logs)[bag.indices]
    pooled = bag @ weights.vectors
    return np.asarray(pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9), np.float32)


def score(of: Table, weights: Weights) -> float | None:
    """MRR@10 from a doc comment to its function, over sources kept apart; None without any."""
    ranks = []
    usable = of.learnable() & of.apart() & (of.of_kind("doc") | of.of_kind("name"))
    for source in np.unique(of.sources[usable]):
        rows = np.flatnonzero(usable & (of.sources == source))[:_APART_AT_MOST]
        asked = np.flatnonzero(of.of_kind("doc")[rows])[:300]
        if len(asked) >= _APART_AT_LEAST:
            alike = encoded(of, weights, rows[asked], "question") @ encoded(of, weights, rows, "code").T
            right = alike[np.arange(len(asked)), asked]
            ranks.append((alike > right[:, None]).sum(1) + 1)
    if not ranks:
        return None
    found = np.concatenate(ranks)
    return float(np.where(found <= 10, 1 / found, 0).mean())
