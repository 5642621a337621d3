"""What the head for prompts learns beside labelled prompts: other texts, for the teacher to say what they ask for."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasktexts import Example

#: How many texts of each kind from the histories; of subjects, of each label.
TAKEN = {"subject": 1_500, "body": 4_000, "entry": 1_000}
JOINED = 6_000
#: What a text of the histories counts, beside one made of prompts: it is further from what people ask.
FROM_HISTORIES = 0.5
_LONGEST = 250  # characters of a body
_FEWEST = 3  # words
_DROPPED = 0.2
_PARTS = re.compile(r"(?<=[.!?,;:])\s+|\n| - | because | when | if | and | but | so | with ")
_BETWEEN = (". ", ", ", " and ", "\n", " ", " - ")


@dataclass(frozen=True)
class Lesson:
    """A text, what it counts, and which prompts it is made of, by their numbers."""

    text: str
    weight: float
    made_of: tuple[int, ...] = ()


def lessons(prompts: Sequence[str], histories: Sequence[Example], seed: int) -> list[Lesson]:
    """Texts of the histories, drawn by chance, then parts of prompts and pairs of parts."""
    chance = random.Random(seed)
    return [*_drawn(histories, chance), *_made(prompts, chance)]


def _drawn(histories: Sequence[Example], chance: random.Random) -> list[Lesson]:
    left: Counter[tuple[str, str]] = Counter()
    out = []
    for each in chance.sample(histories, len(histories)):
        share = (each.kind, each.label if each.kind == "subject" else "")
        if left[share] < TAKEN[each.kind] and len(each.text.split()) >= _FEWEST:
            left[share] += 1
            out.append(Lesson(each.text[:_LONGEST], FROM_HISTORIES))
    return out


def _made(prompts: Sequence[str], chance: random.Random) -> list[Lesson]:
    parts = [pieces(prompt, chance) for prompt in prompts]
    out = [Lesson(part, 1.0, (at,)) for at, some in enumerate(parts) for part in some]
    for _ in range(JOINED if prompts else 0):
        one, other = chance.randrange(len(prompts)), chance.randrange(len(prompts))
        first, second = (chance.choice(parts[at] or [prompts[at]]) for at in (one, other))
        out.append(Lesson(first.rstrip(".") + chance.choice(_BETWEEN) + second, 1.0, (one, other)))
    return out


def pieces(prompt: str, chance: random.Random) -> list[str]:
    """Parts of a prompt, each once: its clauses, its halves, and what is left when words are dropped by chance."""
    said = prompt.split(" ")
    out = [part.strip() for part in _PARTS.split(prompt)]
    if len(said) >= 2 * _FEWEST:
        out += [" ".join(said[: len(said) // 2 + 1]), " ".join(said[len(said) // 3 :])]
    out += [" ".join(word for word in said if chance.random() >= _DROPPED) for _ in range(3)]
    kept = dict.fromkeys(part for part in out if len(part.split()) >= _FEWEST)
    return [part for part in kept if part != prompt]
