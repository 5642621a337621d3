"""One contract for all implementations of `Words`, and how texts become words."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex.store.postings import PostingWords
from cortex.store.words import MemoryWords, query_terms, split, terms

Made = MemoryWords | PostingWords
MAKERS: dict[str, Callable[[Path], Made]] = {
    "memory": lambda _: MemoryWords(),
    "postings": lambda _: PostingWords(),
}
TEXTS = [
    ("timeout", "requests.get(url, timeout=10) sets a timeout on HTTP requests"),
    ("yaml", "yaml.safe_load parses untrusted YAML"),
    ("close", "defer rows.Close() closes the result set"),
    ("user", "getUserByName reads one user; HTTPServer answers"),
]


@pytest.fixture(params=MAKERS)
def words(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def keys(hits: list[tuple[str, float]]) -> list[str]:
    return [key for key, _ in hits]


def test_nothing_is_found_in_nothing(words: Made) -> None:
    assert len(words) == 0
    assert words.search("timeout", 5) == []
    words.remove(["a"])
    words.put([])


def test_the_text_with_the_rarer_words_comes_first(words: Made) -> None:
    words.put(TEXTS)
    hits = words.search("set a timeout for requests", 5)
    assert keys(hits)[0] == "timeout"
    assert all(score > 0 for _, score in hits)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)


def test_words_are_stemmed_and_identifiers_split(words: Made) -> None:
    words.put(TEXTS)
    assert keys(words.search("parsing", 5)) == ["yaml"]
    assert keys(words.search("safeLoad", 5)) == ["yaml"]
    assert keys(words.search("user name", 5)) == ["user"]
    assert keys(words.search("get_user_by_name", 5))[0] == "user"
    assert set(keys(words.search("http", 5))) == {"timeout", "user"}


def test_stop_words_find_nothing(words: Made) -> None:
    words.put(TEXTS)
    assert words.search("how do we use the", 5) == []
    assert words.search("", 5) == []
    assert words.search("  ?!* \" ' ( ) NEAR", 5) == []


def test_the_syntax_of_the_engine_is_not_reachable(words: Made) -> None:
    words.put(TEXTS)
    for query in (
        'yaml" OR "close',
        "yaml AND NOT close",
        "body:yaml",
        "yaml*",
        "yaml -close",
        "NEAR(yaml close)",
    ):
        assert "yaml" in keys(words.search(query, 5))


def test_a_text_is_replaced(words: Made) -> None:
    words.put(TEXTS)
    words.put([("yaml", "json only")])
    assert len(words) == 4
    assert words.search("yaml", 5) == []
    assert keys(words.search("json", 5)) == ["yaml"]


def test_what_was_removed_is_not_found(words: Made) -> None:
    words.put(TEXTS)
    words.remove(["yaml", "never there"])
    assert words.keys() == {"timeout", "close", "user"}
    assert words.search("yaml", 5) == []


def test_a_filter_keeps_recall(words: Made) -> None:
    words.put([(f"k{number:03}", "alpha " * (1 + number % 7)) for number in range(300)])
    assert keys(words.search("alpha", 5, {"k004", "k250"})) == keys(
        words.search("alpha", 300, {"k250", "k004"})
    )
    assert set(keys(words.search("alpha", 5, {"k004", "k250"}))) == {"k004", "k250"}
    assert len(words.search("alpha", 5)) == 5
    assert words.search("alpha", 5, set()) == []
    assert words.search("alpha", 0) == []


def test_any_text_can_be_put_and_searched(words: Made) -> None:
    for number, text in enumerate(
        (
            "",
            "\x00\x01",
            "\ud800 lone",
            "文字列を連結する",
            "naïve café",
            "a" * 200_000,
            "word " * 100_000,
            "🙂🙂",
        )
    ):
        words.put([(f"t{number}", text)])
        words.search(text, 3)
    assert keys(words.search("café", 3)) == ["t4"]
    assert keys(words.search("連結", 3)) == ["t3"]
    assert keys(words.search("lone", 3)) == ["t2"]


def test_an_identifier_gives_itself_and_its_parts() -> None:
    assert list(split("getHTTPResponse2")) == ["gethttpresponse2", "get", "http", "response"]
    assert list(split("snake_case x")) == ["snakecase", "snake", "case"]


def test_a_question_gives_each_word_once_and_a_bounded_number() -> None:
    assert query_terms("How do we close a closed connection?") == ["close", "connect"]
    assert len(query_terms(" ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(500)))) == 64
    assert terms("closing closes") == ["close", "close"]


def test_postings_rank_as_a_plain_dictionary_does(seed: int, tmp_path: Path) -> None:
    """Whatever is put, replaced, removed, merged and read back: the same texts with the same scores."""
    chance = random.Random(seed)
    known = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n % 7)}q" for n in range(300)]
    weights = [1 / (n + 1) for n in range(300)]

    def text() -> str:
        return " ".join(chance.choices(known, weights, k=chance.randint(0, 40)))

    plain, made = MemoryWords(), PostingWords()
    for turn in range(60):
        given = [(f"k{chance.randrange(900):03d}", text()) for _ in range(chance.randint(1, 40))]
        gone = [f"k{chance.randrange(900):03d}" for _ in range(chance.choice((0, 0, 3)))]
        for each in (plain, made):
            each.put(given)
            each.remove(gone)
        if turn % 10 == 9:
            names = made.keep(tmp_path)
            made = PostingWords()
            assert all(made.load(name, (tmp_path / name).read_bytes()) for name in names)
        assert made.keys() == plain.keys()
        among = frozenset(f"k{chance.randrange(900):03d}" for _ in range(200))
        for k, chosen in ((1, None), (10, None), (400, None), (10, among)):
            asked = text() or "x"
            right, found = plain.search(asked, k, chosen), made.search(asked, k, chosen)
            assert [score for _, score in found] == pytest.approx([score for _, score in right], rel=1e-4)
            if chosen is None:
                everything = dict(plain.search(asked, 900))
                assert all(score == pytest.approx(everything[key], rel=1e-4) for key, score in found)


def test_a_piece_of_words_that_is_not_whole_is_none(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    made = PostingWords()
    made.put(TEXTS)
    (name,) = made.keep(tmp_path)
    data = (tmp_path / name).read_bytes()
    for size in {chance.randrange(len(data)) for _ in range(50)}:
        assert not PostingWords().load(name, data[:size])
    assert not PostingWords().load(name, data + b"x")
    assert PostingWords().load(name, data)
