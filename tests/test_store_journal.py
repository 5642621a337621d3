"""Laws of the journal on disk: what was acknowledged is read back, and what is damaged stops nothing."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.repo.errors import PlaceError
from cortex.store import layout, segments
from cortex.store.durable import System
from cortex.store.journal import SEAL_AT, FileJournal, NewerStoreError, create, wall_ms
from cortex.store.kinds import Correction, Generation, Memory
from cortex.store.quarantine import Quarantine
from cortex.store.record import Draft, NotCanonicalError, Record, canonical, from_line, make, to_line
from cortex.store.secrets import clean

ADA = "Ada <ada@example.org>"
DAY = 24 * 60 * 60 * 1000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    create(tmp_path / "cortex")
    return tmp_path / "cortex"


def logs(store: Path) -> list[Path]:
    return sorted((store / "wal").iterdir())


def sealed(store: Path) -> list[Path]:
    return sorted(path for top in ("seg", "private") for path in (store / top).rglob("*.jsonl"))


def ids(store: Path) -> set[str]:
    return {record.id for record in FileJournal(store, ADA).records()}


def crafted(journal: FileJournal, text: str, t: int, m: str = "") -> Record:
    body = {"kind": "correction", "before": text}
    return make(Draft(Correction(), m), t=t, w="f" * 32, n=1, author="", body=body)


def test_a_journal_reads_back_what_was_appended(store: Path) -> None:
    journal = FileJournal(store, ADA)
    written = journal.append(
        [Draft(Correction(before="a")), Draft(Generation(path="b")), Draft(Memory(text="c"))]
    )
    assert list(journal.records()) == written
    assert list(FileJournal(store, "").records()) == written
    assert [record.author for record in written] == [ADA] * 3
    assert [record.private for record in written] == [False, True, False]
    assert [record.n for record in written] == [1, 2, 3]


def test_appending_nothing_writes_nothing(store: Path) -> None:
    assert FileJournal(store, ADA).append([]) == []
    assert logs(store) == []


def test_a_private_record_never_lies_among_the_shared_ones(store: Path) -> None:
    journal = FileJournal(store, ADA)
    secret = journal.put(Memory(text="for my eyes", private=True))
    journal.edit(secret.m, Memory(text="still mine", private=True))
    journal.delete(secret.m)
    journal.seal()
    assert list((store / "seg").rglob("*.jsonl")) == []
    assert len(ids(store)) == 3


def test_create_is_safe_to_repeat_and_closed_to_others(store: Path) -> None:
    before = (store / "writer").read_bytes()
    create(store)
    assert (store / "writer").read_bytes() == before
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    FileJournal(store, ADA).put(Correction(before="a"))
    assert stat.S_IMODE(logs(store)[0].stat().st_mode) == 0o600


def test_without_a_store_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlaceError) as caught:
        FileJournal(tmp_path / "none", ADA)
    assert "cortex init" in caught.value.hint


def test_an_edit_keeps_the_fields_that_this_version_does_not_know(store: Path) -> None:
    journal = FileJournal(store, ADA)
    first = journal.put(Correction(before="a"))
    newer = make(
        Draft(Correction(), first.m, (first.id,)),
        t=first.t + 1,
        w="f" * 32,
        n=1,
        author="",
        body={"kind": "correction", "before": "b", "mood": ["new", 1]},
    )
    put_segment(store, [newer])
    edited = journal.edit(first.m, Correction(before="c"))
    assert edited.parents == (newer.id,)
    assert edited.body == {"kind": "correction", "before": "c", "mood": ["new", 1]}


def test_a_deletion_reaches_whoever_has_a_shared_version(store: Path) -> None:
    journal = FileJournal(store, ADA)
    record = journal.put(Correction(before="a"))
    tombstone = journal.delete(record.m, origin="cli")
    assert (tombstone.op, tombstone.parents, tombstone.private) == ("del", (record.id,), False)
    assert journal.view().current(record.m) is None
    journal.seal()
    lines = b"".join(path.read_bytes() for path in (store / "seg").rglob("*.jsonl"))
    assert tombstone.id.encode() in lines
    with pytest.raises(PlaceError, match="no memory"):
        journal.delete("0" * 32)


def test_two_processes_take_turns(store: Path) -> None:
    one, two = FileJournal(store, ADA), FileJournal(store, "Bob <bob@example.org>")
    written = []
    for number in range(20):
        written.append((one, two)[number % 2].put(Correction(before=str(number))))
        if number % 7 == 6:
            (two, one)[number % 2].seal()
    for journal in (one, two):
        assert [record.id for record in journal.view().of_kind("correction")] == [
            record.id for record in written
        ]
    assert [record.n for record in written] == list(range(1, 21))
    assert all(a.t < b.t for a, b in itertools.pairwise(written))


def test_time_goes_forward_when_the_wall_clock_goes_back(store: Path) -> None:
    wall = itertools.chain([1_000_000] * 4, itertools.repeat(5))
    journal = FileJournal(store, ADA, clock=lambda: next(wall))
    first = journal.put(Correction(before="a"))
    second = journal.edit(first.m, Correction(before="b"))
    third = FileJournal(store, ADA, clock=lambda: first.t - 7).put(Correction(before="c"))
    assert first.t < second.t < third.t


def test_the_clock_of_what_was_taken_in_is_adopted(store: Path) -> None:
    ahead = wall_ms() + DAY // 2
    journal = FileJournal(store, ADA)
    record = crafted(journal, "ahead", ahead)
    data = to_line(record)
    segment = segments.Shelf(store).next(False, record.w, record.t, data)
    assert journal.take([(segment, data)], record.t) == 1
    assert FileJournal(store, ADA).put(Correction(before="after")).t == ahead + 1


def put_segment(store: Path, records: list[Record], writer: str = "f" * 32) -> Path:
    data = b"".join(map(to_line, records))
    segment = segments.Shelf(store).add(False, writer, records[0].t, data)
    return store / segment.path


def test_a_record_a_day_ahead_is_kept_apart_and_its_clock_is_not_adopted(store: Path) -> None:
    now = wall_ms()
    ahead = crafted(FileJournal(store, ADA), "ahead", now + DAY + 60_000)
    put_segment(store, [ahead, crafted(FileJournal(store, ADA), "fine", now)])
    (store / "clock").unlink()
    journal = FileJournal(store, ADA)
    assert [record.body["before"] for record in journal.view().of_kind("correction")] == ["fine"]
    assert "24 h ahead" in journal.problems()[0].reason
    assert any(kept.read_bytes() + b"\n" == to_line(ahead) for kept, _ in Quarantine(store).contents())
    assert journal.put(Correction(before="mine")).t < now + DAY
    later = FileJournal(store, ADA, clock=lambda: now + 2 * DAY)
    assert ahead.id in {record.id for record in later.records()}


def test_a_record_that_was_ahead_counts_when_its_time_has_come(store: Path) -> None:
    wall = [wall_ms()]
    journal = FileJournal(store, ADA, clock=lambda: wall[0])
    ahead = crafted(journal, "ahead", wall[0] + DAY + 1000)
    put_segment(store, [ahead])
    assert journal.view().current(ahead.m) is None
    wall[0] += 2000
    assert journal.view().current(ahead.m) == ahead
    assert journal.problems() == []


@pytest.mark.parametrize("sealed_meanwhile", [False, True], ids=["in the log", "sealed"])
@pytest.mark.parametrize("still_open", [False, True], ids=["opened anew", "still open"])
def test_what_is_written_after_a_clock_that_was_ahead_is_not_hidden(
    store: Path, sealed_meanwhile: bool, still_open: bool
) -> None:
    wall = [wall_ms() + 365 * DAY]
    journal = FileJournal(store, ADA, clock=lambda: wall[0])
    early = journal.put(Correction(before="next year"))
    assert journal.view().current(early.m) == early
    if sealed_meanwhile:
        journal.seal()
    wall[0] = wall_ms()
    writing = journal if still_open else FileJournal(store, ADA, clock=lambda: wall[0])
    first, second = writing.put(Correction(before="now")), writing.put(Correction(before="and then"))
    assert first.t < second.t < wall[0] + 1000
    assert early.n < first.n < second.n
    view = FileJournal(store, ADA, clock=lambda: wall[0]).view()
    assert [record.body["before"] for record in view.of_kind("correction")] == ["now", "and then"]


def test_damaged_lines_are_quarantined_with_their_bytes_and_the_rest_is_read(store: Path) -> None:
    journal = FileJournal(store, ADA)
    written = [journal.put(Correction(before=str(number))) for number in range(5)]
    (log,) = logs(store)
    lines = log.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"n":2', b'"n":9')
    lines[3] = b"\x00\xff not json"
    log.write_bytes(b"\n".join(lines))
    fresh = FileJournal(store, ADA)
    assert [record.id for record in fresh.records()] == [written[i].id for i in (0, 2, 4)]
    assert [(problem.path, problem.line) for problem in fresh.problems()] == [
        (f"wal/{log.name}", 2),
        (f"wal/{log.name}", 4),
    ]
    fresh.seal()
    kept = {path.read_bytes(): problem for path, problem in Quarantine(store).contents()}
    assert {lines[1], lines[3]} <= set(kept)
    assert kept[lines[1]].line == 2 and "checksum" in kept[lines[1]].reason
    assert ids(store) == {written[i].id for i in (0, 2, 4)}


@pytest.mark.parametrize("tail", [b'{"author":"Ada', b"\x00" * 100, b"{}", b"\xff"])
def test_a_torn_tail_is_left_apart_and_the_next_append_stands_on_its_own(store: Path, tail: bytes) -> None:
    first = FileJournal(store, ADA).put(Correction(before="a"))
    (log,) = logs(store)
    with log.open("ab") as file:
        file.write(tail)
    journal = FileJournal(store, ADA)
    assert [record.id for record in journal.records()] == [first.id]
    second = journal.put(Correction(before="b"))
    assert second.n == 2
    assert ids(store) == {first.id, second.id}
    journal.seal()
    assert ids(store) == {first.id, second.id}
    assert tail in {path.read_bytes() for path, _ in Quarantine(store).contents()}


def test_a_whole_record_without_its_line_end_is_finished_by_the_next_writer(store: Path) -> None:
    first = FileJournal(store, ADA).put(Correction(before="a"))
    (log,) = logs(store)
    log.write_bytes(log.read_bytes().rstrip(b"\n"))
    second = FileJournal(store, ADA).put(Correction(before="b"))
    assert ids(store) == {first.id, second.id} and second.n == 2 and second.t > first.t


def test_a_text_with_odd_line_ends_is_one_line(store: Path) -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\rg\nh\x1ci"
    record = FileJournal(store, ADA).put(Correction(before=text))
    (read,) = FileJournal(store, ADA).records()
    assert read == record and read.body["before"] == text


class Stopped(BaseException):
    """The process was killed at this call."""


class Stops(System):
    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Stopped

    def write(self, fd: int, data: bytes | memoryview) -> int:
        self.step()
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.step()

    def replace(self, source: Path, target: Path) -> None:
        self.step()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self.step()
        super().unlink(path)

    def mkdir(self, path: Path, mode: int = 0o700) -> None:
        self.step()
        super().mkdir(path, mode)


def test_a_seal_killed_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    origin = tmp_path / "origin"
    create(origin)
    journal = FileJournal(origin, ADA)
    written = {record.id for i in range(6) for record in journal.append([Draft(Correction(before=str(i)))])}
    written |= {journal.put(Generation(path="p")).id}
    for at in itertools.count(1):
        store = tmp_path / f"s{at}"
        shutil.copytree(origin, store)
        try:
            FileJournal(store, ADA, system=Stops(at)).seal()
        except Stopped:
            assert ids(store) == written
            FileJournal(store, ADA).seal()
            assert len(list(FileJournal(store, ADA).records())) == len(ids(store))
            assert ids(store) == written and logs(store) == []
            assert len(sealed(store)) == 2
            continue
        break
    tell(f"seal killed at each of its {at - 1} steps: 0 lost")
    assert at > 20


def test_a_long_log_is_sealed_by_itself_into_segments_that_others_accept(store: Path) -> None:
    journal = FileJournal(store, ADA)
    written = journal.append([Draft(Correction(before="x" * 1000)) for _ in range(2500)])
    assert logs(store) == []
    paths = sealed(store)
    assert len(paths) > 1 and all(path.stat().st_size <= segments.TARGET for path in paths)
    assert sum(record.t > 0 for record in journal.records()) == 2500
    more = journal.put(Correction(before="y"))
    assert more.n == 2501 and more.t > written[-1].t
    assert SEAL_AT < segments.TARGET


def test_a_log_of_an_earlier_writer_id_is_sealed_under_it(store: Path) -> None:
    first = FileJournal(store, ADA).put(Correction(before="a"))
    (store / "writer").unlink()
    create(store)
    journal = FileJournal(store, ADA)
    second = journal.put(Correction(before="b"))
    assert second.w != first.w and second.t > first.t
    journal.seal()
    assert {path.parent.parent.name for path in sealed(store)} == {first.w, second.w}
    assert ids(store) == {first.id, second.id}


def test_copied_writer_ids_lose_nothing(tmp_path: Path, tell: Callable[[str], None]) -> None:
    rounds = 50
    for number in range(rounds):
        one, two = tmp_path / f"{number}a", tmp_path / f"{number}b"
        create(one)
        FileJournal(one, ADA).put(Correction(before="common"))
        if number % 2:
            FileJournal(one, ADA).seal()
        shutil.copytree(one, two)
        clock = itertools.repeat(wall_ms() + 1000)
        for store in (one, two):  # the same clock, the same count, the same writer
            journal = FileJournal(store, ADA, clock=clock.__next__)
            for text in range(number % 4 + 1):
                journal.put(Correction(before=f"{store.name}{text}"))
            journal.seal()
        wanted = ids(one) | ids(two)
        for source, target in ((one, two), (two, one)):
            found = [(s, (source / s.path).read_bytes()) for s in segments.Shelf(source).listing()]
            FileJournal(target, ADA).take(found, 0)
        assert ids(one) == ids(two) == wanted
        assert len(wanted) == 1 + 2 * (number % 4 + 1)
    tell(f"copied writer id: {rounds} pairs of clones, 0 lost")


def test_a_store_of_a_newer_version_is_read_and_not_written(store: Path) -> None:
    record = FileJournal(store, ADA).put(Correction(before="a"))
    (store / "format.json").write_text('{"format":2,"more":true}\n')
    before = {
        path: path.read_bytes() for path in store.rglob("*") if path.is_file() and path.name != "holder"
    }
    journal = FileJournal(store, ADA)
    assert [each.id for each in journal.view().of_kind("correction")] == [record.id]
    for operation in (
        lambda: journal.put(Correction(before="b")),
        journal.seal,
        lambda: journal.delete(record.m),
    ):
        with pytest.raises(NewerStoreError) as caught:
            operation()
        assert "Update Cortex" in caught.value.hint
    after = {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and path.name != "holder"}
    assert after == before


def test_a_newer_record_survives_a_seal_byte_for_byte(store: Path) -> None:
    whole = json.loads(to_line(crafted(FileJournal(store, ADA), "x", 5)))
    del whole["id"], whole["crc"]
    whole |= {"v": 3, "op": "weave", "later": {"a": [1]}}
    import hashlib

    from cortex.store.record import crc

    whole["id"] = hashlib.sha256(canonical(whole)).hexdigest()
    whole["crc"] = crc(canonical(whole))
    line = canonical(whole) + b"\n"
    (store / "wal" / f"{'f' * 32}.jsonl").write_bytes(line)
    FileJournal(store, ADA).seal()
    (path,) = sealed(store)
    assert path.read_bytes() == line
    (read,) = FileJournal(store, ADA).records()
    assert read.v == 3 and read.extra == {"later": {"a": [1]}}


def test_what_makes_no_record_is_refused_before_anything_is_written(store: Path) -> None:
    journal = FileJournal(store, ADA)
    good = Draft(Correction(before="good"))
    for bad in (
        Draft(Correction(line=2**53)),
        Draft(Correction(before="\ud800")),
        Draft(Correction(before="x" * 70_000)),
        Draft(Correction(before="x"), m="not an id"),
        Draft(Correction(before="x"), parents=("not an id",)),
    ):
        with pytest.raises(NotCanonicalError):
            journal.append([good, bad])
    assert list(journal.records()) == [] and logs(store) == []


def test_secrets_are_taken_out_before_a_record_is_made(store: Path) -> None:
    journal = FileJournal(store, ADA, redact=clean)
    commit = "0123456789abcdef" * 2 + "01234567"
    password = "pass" + "word = 'hunter2'"
    record = journal.put(Correction(before=password, commit=commit, imports=("a", "hunter2")))
    assert record.body["before"] == "password = '[redacted:password]'"
    assert record.body["imports"] == ["a", "[redacted:password]"] and record.body["commit"] == commit
    assert journal.redactions == 2
    assert b"hunter2" not in logs(store)[0].read_bytes()
    journal.beware(["hunter2"])
    other = journal.put(Correction(before="Not hunter2 again", subject="hunter2x"))
    assert other.body["before"] == "Not [redacted:secret] again" and other.body["subject"] == "hunter2x"


def test_a_reader_follows_a_writer_without_reading_again_what_it_knows(store: Path) -> None:
    writer, reader = FileJournal(store, ADA), FileJournal(store, ADA)
    view = reader.view()
    for number in range(30):
        record = writer.put(Correction(before=str(number)))
        if number % 10 == 9:
            writer.seal()
        assert reader.view() is view and view.current(record.m) == record
    version = view.version
    reader.view()
    assert view.version == version


def test_a_missing_clock_is_found_out_from_the_records(store: Path) -> None:
    journal = FileJournal(store, ADA)
    last = [journal.put(Correction(before=str(number))) for number in range(3)][-1]
    journal.seal()
    (store / "clock").write_bytes(b"\x00\x00")
    again = FileJournal(store, ADA, clock=lambda: last.t - 7).put(Correction(before="b"))
    assert again.t == last.t + 1 and again.n == 4


def test_a_count_at_its_end_from_outside_does_not_end_the_writing(store: Path) -> None:
    journal = FileJournal(store, ADA)
    mine = journal.put(Correction(before="a"))
    body = {"kind": "correction"}
    forged = make(Draft(Correction()), t=mine.t, w=mine.w, n=2**53 - 1, author="", body=body)
    put_segment(store, [forged], mine.w)
    (store / "clock").unlink()
    assert FileJournal(store, ADA).put(Correction(before="b")).n == 2


def test_an_append_costs_the_same_in_a_large_store(store: Path) -> None:
    class Counts(System):
        read = 0

        def pread(self, fd: int, count: int, offset: int) -> bytes:
            data = super().pread(fd, count, offset)
            self.read += len(data)
            return data

    big = FileJournal(store, ADA)
    big.append([Draft(Correction(before="x" * 500)) for _ in range(3000)])
    system = Counts()
    FileJournal(store, ADA, system=system).put(Correction(before="y"))
    assert system.read < 2000


def test_a_read_only_store_can_be_read(store: Path) -> None:
    class ReadOnly(System):
        def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
            import os

            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                raise OSError(30, "Read-only file system")
            return super().open(path, flags, mode)

    record = FileJournal(store, ADA).put(Correction(before="a"))
    with logs(store)[0].open("ab") as file:
        file.write(b"damaged\n")
    journal = FileJournal(store, ADA, system=ReadOnly())
    assert journal.view().current(record.m) == record and len(journal.problems()) == 1
    with pytest.raises(PlaceError) as caught:
        journal.put(Correction(before="b"))
    assert "read-only" in caught.value.hint


def test_a_hundred_thousand_records_are_read_in_seconds(store: Path, tell: Callable[[str], None]) -> None:
    line = to_line(crafted(FileJournal(store, ADA), "x = requests.get(url, timeout=10)", 1))
    base = json.loads(line)
    count = 20_000
    lines = []
    for number in range(count):
        base["m"], base["n"], base["t"] = f"{number:032x}", number, number
        del base["id"], base["crc"]
        record = make(
            Draft(Correction(), base["m"]), t=number, w="f" * 32, n=number, author="", body=base["body"]
        )
        lines.append(to_line(record).rstrip(b"\n"))
        base["id"] = base["crc"] = ""
    for group in segments.cut(lines, 256 * 1024):
        segments.Shelf(store).add(False, "f" * 32, 0, b"\n".join(group) + b"\n")
    journal = FileJournal(store, ADA)
    start = time.perf_counter()
    assert len(journal.view()) == count
    first = time.perf_counter() - start
    start = time.perf_counter()
    journal.view()
    again = time.perf_counter() - start
    tell(f"reading {count:,} records: {first:.2f} s at first, {again * 1000:.2f} ms when nothing is new")
    assert first < 20 and again < 0.5


def test_the_parts_of_the_layout_are_what_create_lays_down(store: Path) -> None:
    assert {path.name for path in store.iterdir()} == {
        *layout.FOLDERS,
        "writer",
        "format.json",
        "clock",
        "holder",
    }
    assert from_line(to_line(crafted(FileJournal(store, ADA), "x", 1)), False).t == 1


def test_a_secret_in_the_authors_name_is_taken_out_too(store: Path) -> None:
    token = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    journal = FileJournal(store, f"Ada {token} <ada@example.org>", redact=clean)
    one = journal.put(Memory(text="a"))
    two = journal.append([Draft(Memory(text="b"), author=f"Bob <bob@{token}>")])[0]
    three = journal.put(Memory(text="c"), author="Bob <bob@example.org>")
    assert token not in one.author + two.author and one.author.startswith("Ada ")
    assert three.author == "Bob <bob@example.org>" and journal.redactions == 2
    assert token.encode() not in b"".join(file.read_bytes() for file in (store / "wal").iterdir())


def test_records_ahead_of_the_clock_are_counted_with_when_they_count(store: Path) -> None:
    day = 86_400_000
    year = 365 * day
    now = wall_ms()
    FileJournal(store, "", lambda: now).put(Memory(text="a"))
    FileJournal(store, "", lambda: now + 5).put(Memory(text="b"))
    assert FileJournal(store, "", lambda: now).waiting() == (0, 0)
    back = FileJournal(store, "", lambda: now - year)
    assert back.waiting() == (2, now - day)
    assert list(back.records()) == []
