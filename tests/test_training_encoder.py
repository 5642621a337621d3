"""The encoder's training: what pairs are mined, what is left out, and that a file says what was learnt."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
import pygit2
import pytest

from cortex.models.descriptions import ENCODER
from cortex.models.words import parts

TRAINING = Path(__file__).parents[1] / "training"
sys.path[:0] = [str(TRAINING / "encoder"), str(TRAINING)]

import archives  # noqa: E402
import card  # noqa: E402
import changes  # noqa: E402
import collecting  # noqa: E402
import judging  # noqa: E402
import licences  # noqa: E402
import mining  # noqa: E402
import records  # noqa: E402
import sifting  # noqa: E402
from records import Pair  # noqa: E402

PYTHON = '''\
def close_pool(pool, wait):
    """Close every idle connection of the pool. Busy ones stay.

    :param pool: which one
    """
    for each in pool.idle:
        # give the socket back before the lock is taken
        each.socket.release()
        pool.count -= 1
    return pool


def undocumented_thing(first, second):
    total = first + second
    return total * 2 + first * second
'''
GO = """\
package pool

// Drain waits until every request of the pool is answered. It may be called twice.
func (p *Pool) Drain(ctx context.Context) error {
\tfor p.busy() > 0 {
\t\tselect {
\t\tcase <-ctx.Done():
\t\t\treturn ctx.Err()
\t\t}
\t}
\treturn nil
}
"""


def test_a_function_is_paired_with_the_first_paragraph_of_its_doc_and_never_holds_it() -> None:
    pairs = {pair.name: pair for pair in mining.mined([("pool.py", PYTHON), ("pool.go", GO)])}
    assert pairs["close_pool"].text == "Close every idle connection of the pool. Busy ones stay."
    assert mining.sentence(pairs["close_pool"].text) == "Close every idle connection of the pool."
    assert "Close every" not in pairs["close_pool"].code
    assert "pool.count -= 1" in pairs["close_pool"].code
    assert pairs["undocumented_thing"].kind == "name"
    assert pairs["Drain"].language == "go"
    assert pairs["Drain"].text.startswith("waits until every request")


def test_an_inline_comment_is_paired_with_the_lines_below_it() -> None:
    (pair,) = (pair for pair in mining.mined([("pool.py", PYTHON)]) if pair.kind == "comment")
    assert pair.text == "give the socket back before the lock is taken"
    assert pair.code.splitlines()[0].strip() == "each.socket.release()"
    assert len(pair.code.splitlines()) == 2


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_pool.py",
        "pool_test.go",
        "vendor/x/pool.go",
        "a/dist/b.js",
        "b.min.js",
        "types.d.ts",
        "a.rb",
    ],
)
def test_tests_and_what_others_wrote_are_passed_over(path: str) -> None:
    assert not mining.taken(path)
    assert list(mining.mined([(path, PYTHON)])) == []


def test_one_source_gives_each_code_once_and_no_kind_beyond_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = list(mining.mined([("a.py", PYTHON), ("b.py", PYTHON.replace("    ", "        "))]))
    assert Counter(pair.name for pair in twice)["close_pool"] == 1
    monkeypatch.setitem(mining.CAPS, "doc", 0)
    assert all(pair.kind != "doc" for pair in mining.mined([("a.py", PYTHON)]))


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("fix(pool): close idle sockets on exit (#12)", "close idle sockets on exit"),
        ("[core] Keep the order of headers\n\nMore.", "Keep the order of headers"),
        ("Release 1.2.0 of the thing we make", None),
        ("Fix it", None),
    ],
)
def test_a_subject_is_what_the_commit_does_without_type_and_numbers(
    message: str, subject: str | None
) -> None:
    assert changes.subject_of(message) == subject


def commit(repository: pygit2.Repository, files: dict[str, str], message: str) -> None:
    """Commit files as they are given."""
    for path, text in files.items():
        Path(repository.workdir, path).write_text(text)
    repository.index.add_all()
    repository.index.write()
    who = pygit2.Signature("A", "a@example.com", 1_700_000_000, 0)
    parents = [] if repository.head_is_unborn else [repository.head.target]
    repository.create_commit("HEAD", who, who, message, repository.index.write_tree(), parents)


@pytest.fixture
def history(tmp_path: Path) -> pygit2.Repository:
    repository = pygit2.init_repository(str(tmp_path / "r"), initial_head="main")
    commit(
        repository,
        {
            "pool.py": PYTHON,
            "LICENSE": "Permission is hereby granted, free of charge, to any person\nobtaining",
        },
        "Begin",
    )
    fixed = PYTHON.replace("each.socket.release()", "each.socket.close()")
    commit(repository, {"pool.py": fixed}, "fix: release the socket only once when closing")
    return repository


def test_a_commit_is_paired_with_the_function_it_changed_as_it_was_before(history: pygit2.Repository) -> None:
    (pair,) = changes.changed(history, str(history.head.target))
    assert (pair.kind, pair.name) == ("change", "close_pool")
    assert pair.text == "release the socket only once when closing"
    assert "each.socket.release()" in pair.code
    assert pair.code.startswith("Close every idle connection")


def test_what_the_evaluation_repositories_hold_is_left_out_by_its_content(history: pygit2.Repository) -> None:
    apart = sifting.Apart()
    apart.add_history(history, str(history.head.target))
    dropped: Counter[str] = Counter()
    copied = list(mining.mined([("elsewhere/copied.py", PYTHON.replace("    ", "  "))]))
    kept = [pair for _, pair in sifting.sifted((("other", pair) for pair in copied), apart, dropped)]
    assert {pair.kind for pair in kept} == {"comment"}
    assert dropped["set apart"] == 2
    said = Pair("change", "python", "x", "release the socket only once when closing", "def x(): return 1")
    assert apart.holds(said)


def test_near_duplicates_of_other_sources_are_left_out() -> None:
    first = Pair(
        "doc", "python", "close", "Close every connection of it", "def close(pool):\n    pool.close()"
    )
    again = Pair("doc", "python", "close", "Close all", "def close( pool ):\n\n  pool . close()")
    same_text = Pair("doc", "go", "close", "close  every connection, of it", "func close() { other() }")
    other = Pair("doc", "python", "close", "Close the file", "def close(file):\n    file.flush()")
    dropped: Counter[str] = Counter()
    kept = sifting.sifted(
        [("a", first), ("b", again), ("c", same_text), ("d", other)], sifting.Apart(), dropped
    )
    assert [source for source, _ in kept] == ["a", "d"]
    assert dropped == {"near duplicate": 2}


@pytest.mark.parametrize(
    "name",
    ["requests", "psf/requests", "Flask", "flask", "golang-github-gin-gonic-gin-dev", "golang-github-spf13-cobra-dev",
     "express", "node-express", "axios", "gin-gonic/gin"],
)  # fmt: skip
def test_what_the_encoder_is_judged_on_is_never_brought(name: str) -> None:
    assert collecting.never(name)


def test_the_lists_hold_permissive_sources_alone_each_once() -> None:
    listed = collecting.packages(frozenset({"pypi", "npm", "deb", "git"}))
    assert len(listed) > 900
    assert len({each.key for each in listed}) == len(listed)
    lines = sum(
        len((TRAINING / "encoder" / name).read_text().splitlines()) - 1
        for name in ("packages.tsv", "repositories.tsv")
    )
    assert len(listed) == lines
    assert len(collecting.packages(frozenset({"pypi", "npm", "deb"}), sample=True)) == len(collecting.SAMPLE)


@pytest.mark.parametrize(
    ("licence", "right"),
    [
        ("MIT", True), ("BSD License", True), ("Apache-2.0 OR BSD-3-Clause", True), ("Expat", True), ("ISC", True),
        ("GPL-3", False), ("LGPL-3.0", False), ("MPL-2.0", False), ("MIT AND GPL-2.0", False), ("SSPL-1.0", False),
        ("Proprietary", False), ("", False),
    ],
)  # fmt: skip
def test_permissive_licences_alone_are_taken(licence: str, right: bool) -> None:
    assert licences.permissive(licence) is right


def test_a_licence_is_told_by_its_text_and_copyleft_is_refused(history: pygit2.Repository) -> None:
    assert licences.of_text("Apache License\n   Version 2.0, January 2004") == "Apache-2.0"
    assert licences.of_text("GNU GENERAL PUBLIC LICENSE Version 3") is None
    assert licences.of_text("All rights reserved.") is None
    package = collecting.Package("git", "a/b", "MIT", str(history.head.target))
    assert collecting.Brought(package, Path(history.path)).licence() == "MIT"


def test_archives_are_read_for_code_and_licence_without_unpacking_them(tmp_path: Path) -> None:
    wheel = tmp_path / "pool-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        opened.writestr("pool/close.py", PYTHON)
        opened.writestr("tests/test_close.py", PYTHON)
        opened.writestr(
            "pool-1.0.dist-info/METADATA", "Name: pool\nLicense-Expression: MIT\n\nLicense: GPL-3\n"
        )
    assert [path for path, _ in archives.files(wheel)] == ["pool/close.py"]
    assert archives.licence(wheel) == "MIT"
    packed = tmp_path / "pool-1.0.tgz"
    with tarfile.open(packed, "w:gz") as opened_tar:
        for path, text in (
            ("package/index.js", "function a() {}\n"),
            ("package/package.json", '{"license": "ISC"}'),
        ):
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            opened_tar.addfile(entry, BytesIO(text.encode()))
    assert [path for path, _ in archives.files(packed)] == ["package/index.js"]
    assert archives.licence(packed) == "ISC"


def test_what_cannot_be_had_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = collecting.Package("pypi", "there", "MIT")
    folder = tmp_path / there.key
    folder.mkdir()
    (folder / "done").touch()
    (folder / "there-1.whl").touch()

    def refused(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 1, b"", b"")

    monkeypatch.setattr(collecting.subprocess, "run", refused)
    failed: list[str] = []
    wanted = [collecting.Package("npm", "@a/gone", "MIT"), there]
    brought = list(collecting.collected(wanted, tmp_path, tmp_path / "repositories", failed))
    assert [each.package for each in brought] == [there]
    assert failed == ["npm-a+gone"]
    assert "npm-a+gone" in capsys.readouterr().out


def test_pairs_read_back_as_they_were_written(tmp_path: Path) -> None:
    pairs = list(mining.mined([("pool.py", PYTHON), ("pool.go", GO)]))
    records.write(tmp_path / "pairs.jsonl", pairs)
    assert list(records.read(tmp_path / "pairs.jsonl")) == pairs


def test_the_card_names_every_source_with_its_licence_and_says_whether_the_file_ships() -> None:
    git = collecting.Package("git", "a/b", "MIT", "0123456789abcdef")
    counts = Counter({"doc": 3, "change": 2})
    run = card.Run(
        "the command", "chance", "a plan", [(git, "ISC", counts)], ["npm-gone"], Counter(), ["git-a+b"], "v"
    )
    better = judging.Verdict({"doc": np.ones(50), "change": np.zeros(0)}, 0.1, 0.2)
    worse = judging.Verdict({"doc": np.full(50, 0.5), "change": np.zeros(0)}, 0.1, 0.2)
    text = card.card(run, b"a model", better, worse)
    assert sha256(b"a model").hexdigest() in text
    assert "It does not ship" in text
    assert ENCODER.sha256 in text
    assert "| git | a/b | 0123456789ab | ISC | 3 | 0 | 0 | 0 | 2 |" in text
    assert "npm-gone" in text
    assert "| 1.000 (n 50) | 0.500 (n 50) | +0.500 [+0.500, +0.500] |" in text
    assert "not asked" in text


def tiny() -> list[tuple[str, Pair]]:
    """Pairs of twelve sources, whose words tell which text goes with which code."""
    chance = np.random.default_rng(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "un", "ar")]
    out = []
    for number in range(480):
        what, how, why = ("".join(chance.choice(syllables, 3)) for _ in range(3))
        code = f"def run_{what}(value):\n    {how} = value.{what}\n    return {how}.{why}(value)\n"
        out.append(
            (
                f"source{number % 12}",
                Pair("doc", "python", f"run{number}", f"say {what} by {how} of {why}", code),
            )
        )
    return out


@pytest.mark.nightly
def test_the_same_seed_learns_the_same_file_and_it_says_what_was_learnt() -> None:
    for name in ("torch", "scipy", "onnx"):
        pytest.importorskip(name)
    import bags
    import exporting
    import fitting
    import judging
    import vocabulary

    pairs = tiny()
    pieces = vocabulary.made(vocabulary.counted(pair for _, pair in pairs), 600)
    assert pieces == vocabulary.made(vocabulary.counted(pair for _, pair in pairs), 600)
    table = bags.table(pairs, pieces)
    plan = fitting.Plan(steps=60, batch=128, warm=10, rate=1e-2)
    start = fitting.fresh(table, 7, width=32)
    learnt, again, other = (fitting.fitted(table, start, plan, seed) for seed in (7, 7, 8))
    assert exporting.exported(learnt, pieces) == exporting.exported(again, pieces)
    assert exporting.exported(learnt, pieces) != exporting.exported(other, pieces)

    before, after = fitting.score(table, start), fitting.score(table, learnt)
    assert before is not None and after is not None
    assert after > before

    # The file against what torch learnt: int8 takes a little, and no more.
    data = exporting.exported(learnt, pieces)
    encoder = judging.opened(data, 32)
    model = fitting.Encoder(learnt, plan.temperature)
    rows = np.arange(len(pairs), dtype=np.int64)
    every = np.ones(len(rows), np.bool_)
    bag = bags.Bags(table, np.random.default_rng(0)).bag(rows, [("sentence", every)])
    told = model(bag, "question").detach().numpy()
    shipped = encoder.encode([mining.sentence(pair.text) for _, pair in pairs], "query")
    assert (told * shipped).sum(1).min() > 0.999

    # And back: what is read from a file gives the file's vectors.
    weights, back = exporting.imported(data)
    assert back == pieces
    assert np.allclose(fitting.encoded(table, weights, rows, "question"), shipped, atol=1e-3)

    chosen = bags.kept_apart(source for source, _ in pairs)
    verdict = judging.judged(encoder, [(source, pair) for source, pair in pairs if source in chosen])
    assert len(verdict.gains["doc"]) == 40
    assert judging.gained(verdict.gains["doc"], verdict.gains["doc"]) == (0.0, 0.0, 0.0)


@pytest.mark.nightly
def test_rare_words_lean_to_the_teacher_and_well_known_ones_stay() -> None:
    for name in ("torch", "scipy"):
        pytest.importorskip(name)
    import fitting
    import lending

    chance = np.random.default_rng(0)
    words = sorted({"".join(chance.choice(list("abcdefgh"), 6)) for _ in range(400)})
    theirs = chance.standard_normal((len(words), 12)).astype(np.float16)
    turn = np.linalg.qr(chance.standard_normal((12, 12)))[0][:, :8].astype(np.float32)
    ours = theirs.astype(np.float32) @ turn
    seen = np.where(np.arange(len(words)) < 300, 50_000, 0)
    strange = chance.standard_normal(ours.shape).astype(np.float32)
    vectors = np.concatenate([np.where(seen[:, None] > 0, ours, strange), strange[:1]])
    logs = np.zeros(len(words) + 1, np.float32)
    start = fitting.Weights(vectors, logs, logs)
    table = dict(zip(words, theirs, strict=True))
    leaned = lending.leaned(
        start, [*words, "##ab"], np.append(seen, 0), lambda asked: np.array([table[word] for word in asked])
    ).vectors

    def cosine(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)

    assert cosine(leaned[:300], ours[:300]).min() > 0.99
    assert cosine(leaned[300:-1], ours[300:]).mean() > cosine(strange[300:], ours[300:]).mean() + 0.5
    assert np.allclose(np.linalg.norm(leaned, axis=1), np.linalg.norm(vectors, axis=1), atol=1e-4)
    assert np.array_equal(leaned[-1], vectors[-1])


@pytest.mark.nightly
def test_what_the_teacher_says_brings_our_likeness_nearer_to_its_own() -> None:
    for name in ("torch", "scipy"):
        pytest.importorskip(name)
    import bags
    import fitting
    import lending
    import vocabulary

    pairs = tiny()
    table = bags.table(pairs, vocabulary.made(vocabulary.counted(pair for _, pair in pairs), 600))

    def encode(texts: Sequence[str]) -> np.ndarray:
        """A teacher that knows every word's direction, and no pair."""
        rows = [
            np.sum(
                [np.random.default_rng(crc32(word.encode())).standard_normal(6) for word in parts(text)], 0
            )
            for text in texts
        ]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float16)

    told = lending.spoken(table, pairs, encode, 5)
    assert not table.apart()[told.rows].any()
    plan = fitting.Plan(steps=80, batch=128, warm=10, rate=1e-2)
    start = fitting.fresh(table, 7, width=32)
    theirs = told.question.astype(np.float32) @ told.code.astype(np.float32).T

    def nearness(weights: fitting.Weights) -> float:
        sides = (fitting.encoded(table, weights, told.rows, side) for side in ("question", "code"))
        question, code = sides
        return float(np.corrcoef((question @ code.T).ravel(), theirs.ravel())[0, 1])

    without = fitting.fitted(table, start, plan, 7)
    assert nearness(fitting.fitted(table, start, plan, 7, told)) > nearness(without) + 0.05


@pytest.mark.nightly
def test_a_safetensors_file_reads_as_it_was_written() -> None:
    pytest.importorskip("torch")
    import teacher

    numbers = np.arange(6, dtype=np.float32)
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]},
            "b": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        }
    ).encode()
    data = len(header).to_bytes(8, "little") + header + numbers.tobytes() + (9).to_bytes(8, "little")
    read = teacher._tensors(data)
    assert read["b"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["a"].tolist() == [9]


@pytest.mark.nightly
def test_a_wheel_with_another_content_is_not_learnt_from(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    import teacher

    (tmp_path / "another.whl").write_bytes(b"not the weights")
    with pytest.raises(ValueError, match="is not the"):
        teacher.brought(tmp_path)
