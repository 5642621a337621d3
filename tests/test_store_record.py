"""Laws of the record: one canonical form, an id that is its hash, a checksum that finds each flipped bit."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.store import segments
from cortex.store.codec import encode
from cortex.store.kinds import Correction, Generation
from cortex.store.record import (
    LIMIT,
    DamagedLine,
    Draft,
    NotCanonicalError,
    Record,
    canonical,
    crc,
    from_line,
    make,
    to_line,
)

W = "000102030405060708090a0b0c0d0e0f"
FORMAT = Path(__file__).parent.parent / "docs" / "format.md"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(1 - LIMIT, LIMIT - 1) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def record(body: dict[str, object] | None = None, **more: object) -> Record:
    draft = Draft(Correction(before="é"), m="ab" * 16, origin="live")
    return make(draft, t=5, w=W, n=1, author="Ada", body=body or encode(draft.body))


def forge(**changes: object) -> bytes:
    """A line with a right checksum and a right id, whatever it says."""
    whole = {**json.loads(to_line(record())), **changes}
    del whole["id"], whole["crc"]
    whole = {key: each for key, each in whole.items() if each is not None}
    whole["id"] = hashlib.sha256(raw(whole)).hexdigest()
    whole["crc"] = crc(raw(whole))
    return raw(whole)


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@settings(max_examples=200, deadline=None)
@given(values)
def test_canonical_form_reads_back_and_is_the_same_again(value: object) -> None:
    form = canonical(value)
    assert json.loads(form) == value
    assert canonical(json.loads(form)) == form
    assert b"\n" not in form


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(st.characters(max_codepoint=127), min_size=1, max_size=8), values, max_size=5))
def test_a_line_reads_back_what_was_written(body: dict[str, object]) -> None:
    made = record({"kind": "x", **body})
    line = to_line(made)
    assert line.count(b"\n") == 1
    assert from_line(line, private=False) == made
    assert to_line(from_line(line, private=False)) == line


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), LIMIT, -LIMIT, {"é": 1}, {1: 2}, "\ud800", {"a": {1, 2}}, b"bytes", object()],
    ids=lambda value: repr(value).partition(" at ")[0],  # an address is another in each process
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical(value)


def test_nesting_has_a_limit() -> None:
    value: object = 1
    for _ in range(32):
        value = [value]
    canonical(value)
    with pytest.raises(NotCanonicalError, match="deeper"):
        canonical([value])


def test_the_checksum_is_castagnoli() -> None:
    assert crc(b"123456789") == "e3069283"  # RFC 3720, appendix B.4


def test_every_flipped_bit_is_found() -> None:
    line = to_line(record()).rstrip(b"\n")
    for index in range(len(line)):
        for bit in range(8):
            damaged = line[:index] + bytes([line[index] ^ (1 << bit)]) + line[index + 1 :]
            with pytest.raises(DamagedLine):
                from_line(damaged, private=False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\x00" * 300, "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"a":' * 5000, "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":1,"a":1}', "a key stands twice"),
        (b'{"a":1.5}', "not an integer"),
        (b'{"a":1e3}', "not an integer"),
        (b'{"a":NaN}', "not an integer"),
        (b'{"a":9007199254740992}', "2\\^53"),
        (b'{"a":' + b"9" * 6000 + b"}", "2\\^53"),
        (b'{"a":"\\ud800"}', "not JSON"),
        (b"{}", "checksum"),
        (b"x" * 70_000, "70000 bytes"),
        (forge(t=-1), "`t`"),
        (forge(n=True), "`n`"),
        (forge(m="x"), "`m`"),
        (forge(w="AB" * 16), "`w`"),
        (forge(parents=["x"]), "parents"),
        (forge(parents=[["x"]]), "parents"),
        (forge(body=[]), "body"),
        (forge(body=None), "body"),
        (forge(op="merge"), "op"),
        (forge(v=0), "op"),
        (forge(author=5), "author"),
        (forge(body={"é": 1}), "ASCII"),
    ],
    ids=lambda each: str(each[:24]) if isinstance(each, bytes) else None,
)
def test_a_line_that_is_no_record_says_why(line: bytes, why: str) -> None:
    with pytest.raises(DamagedLine, match=why):
        from_line(line, private=False)


@pytest.mark.parametrize("indent", [None, 1], ids=["canonical", "indented"])
def test_another_s_id_under_a_right_checksum_is_refused(indent: int | None) -> None:
    whole = json.loads(forge())
    assert from_line(json.dumps(whole, indent=indent).encode(), private=False).id == whole["id"]
    for changes in ({"id": "0" * 64}, {"body": {**whole["body"], "after": "what nobody wrote"}}):
        false = {**whole, **changes}
        del false["crc"]
        false["crc"] = crc(raw(false))
        line = json.dumps(false, indent=indent).encode() if indent else raw(false)
        with pytest.raises(DamagedLine, match="its id is not the hash"):
            from_line(line, private=False)


def test_deep_nesting_with_a_right_checksum_is_refused() -> None:
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(DamagedLine, match="deeper"):
        from_line(forge(body={"deep": deep}), private=False)


def test_white_space_and_order_do_not_change_the_record() -> None:
    line = to_line(record())
    shuffled = json.dumps(dict(reversed(json.loads(line).items())), indent=None, ensure_ascii=True).encode()
    assert from_line(shuffled, private=False) == from_line(line, private=False)


def test_a_newer_record_is_kept_whole_and_read_where_it_is_known() -> None:
    line = (
        forge(v=7, op="merge", signature="s", body={"kind": "correction", "before": "b", "new": [1]}) + b"\n"
    )
    read = from_line(line, private=False)
    assert read.v == 7 and read.extra == {"signature": "s"}
    decoded = read.decoded()
    assert isinstance(decoded, Correction) and decoded.before == "b"
    assert to_line(read) == line


def test_a_kind_decides_who_may_see_it() -> None:
    draft = Draft(Generation(path="p"))
    assert make(draft, t=1, w=W, n=1, author="", body=encode(draft.body)).private
    assert not record().private


def test_the_golden_vectors_of_the_documentation_hold() -> None:
    page = FORMAT.read_bytes().decode()
    block = re.search(r"```jsonl\n(.*?)```", page, re.DOTALL)
    path = re.search(r"^    (seg/\S+)$", page, re.MULTILINE)
    hashed = re.search(r"SHA-256 of the whole is `([0-9a-f]{64})`", page)
    assert block and path and hashed
    data = block[1].encode()
    assert hashlib.sha256(data).hexdigest() == hashed[1]
    segment = segments.parse(path[1])
    assert segment is not None and segment.fits(data)
    lines = data.splitlines(keepends=True)
    records = [from_line(line, private=False) for line in lines]
    assert len(records) == 4
    assert [to_line(each) for each in records] == lines
    assert segment.month == segments.month_of(records[0].t)
    for line in lines:  # once more, with nothing but the standard library
        whole = json.loads(line)
        del whole["crc"]
        identity = whole.pop("id")
        assert hashlib.sha256(raw(whole)).hexdigest() == identity
