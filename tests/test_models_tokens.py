"""The laws of the token counter."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from cortex.models import TokenCounter, load_counter
from cortex.models.descriptions import COUNTER, read
from cortex.models.merges import SIGNS, Merges

#: Letters of both cases, and those of the shortened words; numbers; each kind of space, of line end and of control.
_PLAIN = "aAbZsStTrReEvVlLmMdD09 \n\r\t\x0b\x0c\x1c\x00\x7f'/\"-_.(" + SIGNS
_ANY = st.text(st.characters(blacklist_categories=()), max_size=400)

#: Texts with their count by o200k_base, taken from the public tokenizer once.
_KNOWN = (
    (
        "def read(path: Path) -> bytes:\n    with path.open('rb') as file:\n        return file.read()\n"
        "\n\nclass Store:\n    def __init__(self, folder: Path) -> None:\n        self.folder = folder\n",
        47,
    ),
    (
        "func (s *Store) Close() error {\n\tif err := s.file.Sync(); err != nil {\n"
        '\t\treturn fmt.Errorf("sync %s: %w", s.path, err)\n\t}\n\treturn s.file.Close()\n}\n',
        46,
    ),
    (
        "export async function load(url: string): Promise<Item[]> {\n  const response = await fetch(url);\n"
        "  if (!response.ok) throw new Error(`status ${response.status}`);\n  return response.json();\n}\n",
        41,
    ),
    (
        "Cortex remembers what people had to change in generated code, and sees to it that the next "
        "generation does not need it. Everything runs on the person's own machine, with no network and "
        "no key.",
        40,
    ),
)


@pytest.fixture(scope="module")
def counter() -> TokenCounter:
    return load_counter("builtin")


def test_it_has_a_name_and_counts_nothing_as_nothing(counter: TokenCounter) -> None:
    assert counter.name.startswith("bpe56k@")
    assert counter.count("") == 0
    assert counter.truncate("", 10) == ""


@pytest.mark.parametrize(("text", "public"), _KNOWN, ids=["python", "go", "typescript", "prose"])
def test_counts_are_within_a_tenth_of_a_public_tokenizer(
    counter: TokenCounter, text: str, public: int
) -> None:
    assert abs(counter.count(text) - public) <= max(1, 0.1 * public)


@given(text=_ANY, budget=st.integers(-1, 120))
@settings(max_examples=120, deadline=None)
def test_a_truncated_text_is_a_head_that_fits(text: str, budget: int) -> None:
    counter = _shared()
    head = counter.truncate(text, budget)
    assert text.startswith(head)
    assert counter.count(head) <= max(budget, 0)
    if counter.count(text) <= budget:
        assert head == text


def test_truncation_reads_no_more_of_a_huge_text_than_it_needs(counter: TokenCounter) -> None:
    text = "line of words\n" * 700_000
    head = counter.truncate(text, 500)
    assert 480 <= counter.count(head) <= 500


@given(text=st.text(_PLAIN, max_size=60) | st.text(_PLAIN + "é中\u0301\u017f\u00a0²", max_size=30))
@example("it'S we'RE 1234567 HTTPServer\r\n\n  x")
@settings(max_examples=500, deadline=None)
def test_counting_pair_by_pair_tells_what_the_tokenizer_tells(text: str) -> None:
    merges, tokenizer = _both()
    found = merges.count(text)
    assert found == len(tokenizer.encode(text, add_special_tokens=False).ids) or found is None
    if all(character in _PLAIN for character in text):
        assert found is not None


def test_this_repository_is_counted_pair_by_pair_as_the_tokenizer_counts_it() -> None:
    merges, tokenizer = _both()
    pieces = [
        text[at : at + 900]
        for path in sorted(Path(__file__).parents[1].glob("recall/*.py"))
        for text in [path.read_text()]
        for at in range(0, len(text), 900)
    ]
    found = [merges.count(piece) for piece in pieces]
    told = [len(tokenizer.encode(piece, add_special_tokens=False).ids) for piece in pieces]
    assert all(one in (None, other) for one, other in zip(found, told, strict=True))
    assert found.count(None) < len(found) / 10


def test_a_counter_tells_the_same_before_and_after_it_made_its_tokenizer() -> None:
    counter = load_counter("builtin")
    texts = [text for text, _ in _KNOWN] + ["", "…", "“quoted” — été"]
    before = [counter.count(text) for text in texts]
    counter.truncate("made now", 1)
    assert [counter.count(text) for text in texts] == before


@lru_cache(maxsize=1)
def _both() -> tuple[Merges, Tokenizer]:
    merges = Merges(read(COUNTER))
    return merges, merges.tokenizer()


_COUNTERS: list[TokenCounter] = []


def _shared() -> TokenCounter:
    if not _COUNTERS:
        _COUNTERS.append(load_counter())
    return _COUNTERS[0]
