"""`cortex doctor`, `backup`, `restore`: is the store whole, and how it is kept safe."""

from __future__ import annotations

from pathlib import Path

import click

from ..repo import mirrors
from ..repo.errors import DAMAGED
from ..repo.layout import relink
from ..repo.places import find
from ..store import backup as archive
from ..store import doctor as medicine
from ..store.blobs import Blobs
from . import checkup, render
from .frame import command, json_option, paint, repo_option
from .probe import Capture, capture


@command(
    "doctor",
    examples="""
cortex doctor
cortex doctor --repair
cortex doctor --json | jq .problems
""",
    codes=(DAMAGED,),
)
@click.option(
    "--repair", is_flag=True, help="Quarantine what is damaged, and build the index anew; deletes nothing."
)
@json_option
@repo_option
@click.pass_context
def doctor(ctx: click.Context, repair: bool, as_json: bool, repo: str) -> None:
    """Verify every checksum of the store, and prove that a capture works from end to end.

    It looks at each file of `.cortex`: records, what was derived from them, the hooks' own, and, as far as one
    can tell an edit from damage, the settings. What has no checksum: `spool/`, where nothing is acknowledged yet.
    The proof hands a payload to the installed hook, and sees that the spool gets it. Exit status 4 when
    something is damaged.
    """
    place = find(repo)
    store = place.store if place.store.is_dir() else place.require_store()
    done = [f"made {link} again" for link in relink(place)] if repair and place.root is not None else []
    if repair:
        done += [*medicine.repair(store).repaired, *checkup.mend(place)]
    found = medicine.examine(store)
    problems = [(each.path, each.line, each.reason) for each in (*found.problems, *checkup.faults(place))]
    notes = mirrors.warnings(place)
    proof = capture(place)
    if as_json:
        render.say(
            render.as_json(
                {
                    "schema": 1,
                    "sound": not problems and proof.works,
                    "segments": found.segments,
                    "logs": found.logs,
                    "records": found.records,
                    "bytes": found.bytes,
                    "quarantined": found.quarantined,
                    "conflicts": found.conflicts,
                    "waiting": {"records": found.ahead, "until": found.until},
                    "problems": [{"path": path, "line": line, "reason": why} for path, line, why in problems],
                    "repaired": done,
                    "notes": notes,
                    "capture": {"works": proof.works, "detail": proof.detail},
                }
            )
        )
    else:
        render.say(_words(found, problems, done, proof, paint()))
        for note in notes:
            render.say(f"{paint()('yellow', 'note')}  {render.safe(note)}")
    if problems or not proof.works:
        ctx.exit(DAMAGED)


@command(
    "backup",
    examples="""
cortex backup ~/cortex-project.tar
cortex backup --without-code ~/cortex-project.tar
""",
    codes=(DAMAGED,),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-code", is_flag=True, help="Leave out the generated code that is kept.")
@json_option
@repo_option
def backup(file: Path, without_code: bool, as_json: bool, repo: str) -> None:
    """Write all records to one FILE, private ones too, and verify it by reading it back.

    The generated code that is kept goes along, as it was written: with any secret that stood in it. Up to
    512 MiB of it, newest first; what is left out is counted.
    """
    place = find(repo)
    code = None if without_code else Blobs(place)
    report = archive.backup(place.require_store(), file.absolute(), code=code)
    _report(report, as_json, "backed up to")


@command(
    "restore",
    examples="""
cortex restore ~/cortex-project.tar
""",
    codes=(DAMAGED,),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@repo_option
def restore(file: Path, as_json: bool, repo: str) -> None:
    """Unite the records of a backup with those that are here; nothing is overwritten, nothing is removed.

    Generated code in it is kept again, until it is as old as `capture.keep_days` lets it become.
    """
    place = find(repo)
    report = archive.restore(file.absolute(), place.store, code=Blobs(place))
    _report(report, as_json, "restored from")


def _report(report: archive.BackupReport, as_json: bool, verb: str) -> None:
    if as_json:
        problems = [{"path": each.path, "line": each.line, "reason": each.reason} for each in report.problems]
        render.say(
            render.as_json(
                {
                    "schema": 1,
                    "path": str(report.path),
                    "segments": report.segments,
                    "records": report.records,
                    "bytes": report.bytes,
                    "present": report.present,
                    "code": report.code,
                    "left_out": report.left_out,
                    "problems": problems,
                }
            )
        )
        return
    code = f", {render.count(report.code, 'piece')} of generated code" if report.code else ""
    left = f", {report.left_out:,} more left out" if report.left_out else ""
    were = "was" if report.present == 1 else "were"
    already = f", {render.count(report.present, 'file')} {were} here already" if report.present else ""
    render.say(
        f"{paint()('green', verb)} {render.safe(report.path)}: {render.count(report.records, 'record')} "
        f"in {render.count(report.segments, 'file')}{already}{code}{left}"
    )


def _words(
    found: medicine.Diagnosis,
    problems: list[tuple[str, int, str]],
    done: list[str],
    proof: Capture,
    colours: render.Paint,
) -> str:
    lines = [
        f"{render.count(found.records, 'record')} in {render.count(found.segments, 'segment')} and "
        f"{render.count(found.logs, 'open log')}, {found.bytes:,} bytes: "
        + (colours("green", "every checksum holds") if not problems else colours("red", "damaged"))
    ]
    lines += [
        colours("red", f"  {render.safe(path)}{f':{line}' if line else ''}: {render.safe(why)}")
        for path, line, why in problems
    ]
    lines += [f"  {colours('green', 'repaired')}  {render.safe(words)}" for words in done]
    if found.quarantined:
        lines.append(f"{render.count(found.quarantined, 'finding')} in quarantine, with their bytes")
    if found.ahead:
        lines.append(colours("yellow", render.waiting({"records": found.ahead, "until": found.until})))
    if found.conflicts:
        lines.append(render.in_conflict(found.conflicts))
    lines.append(
        f"capture: {colours('green', 'works') if proof.works else colours('red', 'does not work')} "
        f"{colours('dim', '(' + render.safe(proof.detail) + ')')}"
    )
    if problems:
        lines.append(
            colours("dim", "`cortex doctor --repair` quarantines what is damaged; it deletes nothing")
        )
    return "\n".join(lines)
