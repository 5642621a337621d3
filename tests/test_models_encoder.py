"""The laws of the built-in encoder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.models import load_encoder
from cortex.models.encoder import StaticEncoder
from cortex.models.words import UNKNOWN, WordPiece, parts
from cortex.repo.errors import UsageError

#: Any string that Python can hold, lone surrogates too.
_ANY = st.text(st.characters(blacklist_categories=()), max_size=300)


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return load_encoder("builtin")


def test_rows_are_float32_of_the_width_and_of_length_one(encoder: StaticEncoder) -> None:
    rows = encoder.encode(["parse the config", "def f(): return 1", ""], kind="code")
    assert rows.dtype == np.float32
    assert rows.shape == (3, encoder.width) == (3, 256)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: StaticEncoder) -> None:
    assert encoder.encode([]).shape == (0, 256)


@given(texts=st.lists(_ANY, max_size=5), kind=st.sampled_from(["query", "code"]))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_a_finite_row_of_length_one(texts: list[str], kind: str) -> None:
    rows = _shared().encode(texts, kind)
    assert rows.shape == (len(texts), 256)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_a_row_does_not_depend_on_the_texts_beside_it(encoder: StaticEncoder) -> None:
    texts = [
        f"read the {word} file" * count for count, word in enumerate(("config", "lock", "index"), 1)
    ] * 60
    together = encoder.encode(texts, "code")
    alone = np.concatenate([encoder.encode([text], "code") for text in texts[:3]])
    assert np.allclose(together[:3], alone, atol=1e-5)
    assert np.allclose(together[177:], alone, atol=1e-5)


def test_a_question_is_nearest_to_the_code_that_answers_it(encoder: StaticEncoder) -> None:
    code = encoder.encode(
        [
            "def read_config(path):\n    with open(path) as file:\n        return json.load(file)",
            "func (s *Server) Close() error { return s.listener.Close() }",
            "const total = items.reduce((sum, item) => sum + item.price, 0)",
        ],
        kind="code",
    )
    asked = encoder.encode(["load the configuration file", "shut the server down", "add up the prices"])
    assert (asked @ code.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_kinds_differ_and_an_unknown_kind_is_refused(encoder: StaticEncoder) -> None:
    text = ["for the value of x return x"]
    assert not np.allclose(encoder.encode(text, "query"), encoder.encode(text, "code"))
    with pytest.raises(UsageError, match="prose"):
        encoder.encode(text, kind="prose")


def test_the_first_line_of_code_counts_twice_and_a_question_has_no_first_line(encoder: StaticEncoder) -> None:
    texts = ["def open_socket(host):\n    retry the pool", "    retry the pool\ndef open_socket(host):"]
    above, below = encoder.encode(texts, "code")
    head = encoder.encode(["def open_socket(host):"], "code")[0]
    assert above @ head > below @ head + 0.05
    assert np.allclose(*encoder.encode(texts, "query"), atol=1e-5)


def test_one_string_in_place_of_a_list_is_refused(encoder: StaticEncoder) -> None:
    with pytest.raises(UsageError):
        encoder.encode("one text")


def test_a_long_text_is_judged_by_its_head(encoder: StaticEncoder) -> None:
    head = "alpha beta " * 400
    rows = encoder.encode([head, head + "gamma " * 1_000_000], "code")
    assert np.allclose(rows[0], rows[1], atol=1e-6)


def test_accents_do_not_hide_a_word(encoder: StaticEncoder) -> None:
    rows = encoder.encode(["résumé parser", "resume parser"])
    assert rows[0] @ rows[1] > 0.999


def test_texts_in_another_script_are_near_only_where_they_share_words(encoder: StaticEncoder) -> None:
    rows = encoder.encode(["ошибка входа", "ошибка выхода", "修复登录", "", "fix the login"])
    assert rows[0] @ rows[1] > 0.3
    assert abs(rows[0] @ rows[2]) < 0.3
    assert abs(rows[3] @ rows[4]) < 0.3


def test_identifiers_are_split_at_case_and_underscore() -> None:
    assert list(parts("HTTPServer read_file2 camelCase")) == [
        "http",
        "server",
        "read",
        "file",
        "2",
        "camel",
        "case",
    ]


def test_words_are_cut_into_the_longest_pieces() -> None:
    pieces = WordPiece(["[PAD]", "[UNK]", "read", "re", "##ad", "##er"])
    assert pieces.ids("reader Read xq", 10) == [2, 5, 2, UNKNOWN, UNKNOWN]
    assert pieces.ids("read read read", 2) == [2, 2]


_ENCODERS: list[StaticEncoder] = []


def _shared() -> StaticEncoder:
    if not _ENCODERS:
        _ENCODERS.append(load_encoder())
    return _ENCODERS[0]
