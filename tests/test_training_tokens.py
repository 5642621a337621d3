"""What the token counter's training writes: the merges, from which the tokenizer that was trained is made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

import tokens

from cortex.models.descriptions import COUNTER, read
from cortex.models.merges import Merges

TEXT = "hello world, hello there; the theatre of the world: Straße, 東京 … def there(self): return 'hello'\n"


def test_a_tokenizer_that_was_trained_is_made_again_of_its_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "VOCABULARY", 320)
    trained = tokens.train(iter([TEXT * 20]))
    merges = Merges(tokens.pairs(trained))
    assert json.loads(merges.tokenizer().to_str()) == json.loads(trained.to_str())
    assert merges.count("hello theatre") == len(trained.encode("hello theatre").ids) < len("hello theatre")


def test_the_counter_that_ships_is_written_as_it_is_read() -> None:
    data = read(COUNTER)
    assert tokens.pairs(Merges(data).tokenizer()) == data
