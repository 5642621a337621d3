"""Figures over a whole store, by DuckDB on the journal's own JSON Lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

#: Where the journal's lines lie, below the store's folder.
PLACES = ("wal/*.jsonl", "seg/*/*/*.jsonl", "private/*/*/*.jsonl")
_LINES = """
insert into lines select id, m, op, parents, t, w, body from read_json(
    ?, format = 'newline_delimited', ignore_errors = true, maximum_object_size = 33554432,
    columns = {id: 'VARCHAR', m: 'VARCHAR', op: 'VARCHAR', parents: 'VARCHAR[]', t: 'BIGINT', w: 'VARCHAR',
        body: 'JSON'}
)
"""
_TABLE = """
create temp table lines (id varchar, m varchar, op varchar, parents varchar[], t bigint, w varchar, body json)
"""
#: DuckDB makes a row of NULLs of a line that it cannot read.
_DAMAGED = "select count(*) from lines where id is null or m is null or body is null"

#: Records as they stand: each once, those that a later version replaced left out, the last of several heads.
_CURRENT = """
create temp table current as
with whole as (
    select id, any_value(m) as m, any_value(op) as op, any_value(parents) as parents, any_value(t) as t,
        any_value(w) as w, any_value(body) as body
    from lines where id is not null and m is not null and body is not null group by id
), replaced as (
    select m, unnest(parents) as id from whole
), heads as (
    select * from whole anti join replaced using (m, id)
)
select m, t, body, body->>'$.kind' as kind
from heads qualify row_number() over (partition by m order by t desc, w desc, id desc) = 1 and op = 'put'
"""
_KINDS = "select kind, count(*) from current where kind is not null group by kind order by kind"
_WEEKS = """
select strftime(date_trunc('week', make_timestamp(
    case when t between 0 and 253402300799000 then t * 1000 else 0 end
)), '%Y-%m-%d') as week, count(*)
from current where kind = 'correction' group by week order by week
"""
_ACCEPTANCE = """
with outcome as (
    select body->>'$.generation' as generation, body->>'$.verdict' as verdict
    from current where kind = 'outcome'
), generation as (
    select m, body->>'$.execution' as execution from current where kind = 'generation'
), execution as (
    select m, body->>'$.agent' as agent from current where kind = 'execution'
)
select coalesce(execution.agent, '') as agent, count(*) filter (where verdict = 'accepted'),
    count(*) filter (where verdict = 'edited'), count(*) filter (where verdict = 'rejected')
from outcome left join generation on generation.m = outcome.generation
    left join execution on execution.m = generation.execution
group by 1 order by 1
"""
# A field that equals its default is left out of a body: no distance is a distance of 0.
_DISTANCE = """
select median(coalesce(try_cast(body->>'$.distance' as bigint), 0)) from current where kind = 'outcome'
"""
_REDACTED = """
select coalesce(sum((length(body::varchar) - length(replace(body::varchar, '[redacted:', ''))) // 10), 0)
from current
"""


@dataclass(frozen=True)
class Acceptance:
    """What became of one agent's generations."""

    agent: str
    accepted: int
    edited: int
    rejected: int


@dataclass(frozen=True)
class Figures:
    """Figures of one store. Weeks begin on Monday, UTC; `distance` is in millionths, None before any outcome;
    `damaged` counts lines that could not be read, `redacted` secrets that were taken out of what stands.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    corrections_by_week: tuple[tuple[str, int], ...] = ()
    acceptance: tuple[Acceptance, ...] = ()
    distance: int | None = None
    damaged: int = 0
    redacted: int = 0


def figures(store: Path) -> Figures:
    """The figures of what is in the journal now; damaged lines are passed over and counted."""
    with _plain(store) as folder:
        files = sorted(str(path) for place in PLACES for path in folder.glob(place))
        files = [file for file in files if Path(file).stat().st_size]
        if not files:
            return Figures()
        connection = duckdb.connect(
            ":memory:", config={"threads": 1, "autoinstall_known_extensions": "false"}
        )
        try:
            unread = _read(connection, files)
            connection.execute(_CURRENT)
            (damaged,) = connection.execute(_DAMAGED).fetchone() or (0,)
            (redacted,) = connection.execute(_REDACTED).fetchone() or (0,)
            (distance,) = connection.execute(_DISTANCE).fetchone() or (None,)
            return Figures(
                kinds={str(kind): int(count) for kind, count in connection.execute(_KINDS).fetchall()},
                corrections_by_week=tuple(
                    (str(week), int(count)) for week, count in connection.execute(_WEEKS).fetchall()
                ),
                acceptance=tuple(
                    Acceptance(str(agent), int(accepted), int(edited), int(rejected))
                    for agent, accepted, edited, rejected in connection.execute(_ACCEPTANCE).fetchall()
                ),
                distance=None if distance is None else round(float(distance)),
                damaged=int(damaged) + unread,
                redacted=int(redacted),
            )
        finally:
            connection.close()


def _read(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> int:
    """Fill the table of lines; how many files could not be read at all."""
    connection.execute(_TABLE)
    try:
        connection.execute(_LINES, [list(files)])
        return 0
    except duckdb.Error:
        return sum(not _read_one(connection, file) for file in files)


def _read_one(connection: duckdb.DuckDBPyConnection, file: str) -> bool:
    try:
        connection.execute(_LINES, [[file]])
    except duckdb.Error:
        return False
    return True


@contextmanager
def _plain(store: Path) -> Iterator[Path]:
    """The store under a name without `*`, `?` and `[`, which DuckDB would take for a pattern."""
    if not set("*?[") & set(str(store)):
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="cortex-") as folder:
        link = Path(folder) / "store"
        link.symlink_to(store.resolve(), target_is_directory=True)
        yield link
