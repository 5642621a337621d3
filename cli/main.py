"""The click group, and the one place where an error becomes words and an exit status."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

import click

from .. import __version__
from ..repo.errors import EXIT_CODES, INTERRUPTED, OK, PLACE, CortexError
from . import render

#: One module a command; the first word is the command's name, which is the module's too unless named.
COMMANDS = {
    "init": "init",
    "uninit": "init",
    "connect": "connect",
    "disconnect": "connect",
    "ask": "ask",
    "check": "check",
    "fix": "fix",
    "baseline": "baseline",
    "sweep": "sweep",
    "rules": "rules",
    "record": "record",
    "run": "run",
    "learn": "learn",
    "evaluate": "evaluate",
    "log": "log",
    "show": "log",
    "graph": "graph",
    "remember": "remember",
    "forget": "remember",
    "settle": "settle",
    "feedback": "remember",
    "review": "review",
    "sync": "sync",
    "status": "status",
    "config": "config",
    "doctor": "doctor",
    "backup": "doctor",
    "restore": "doctor",
    "daemon": "daemon",
    "service": "service",
    "mcp": "mcp",
    "completion": "completion",
    "demo": "demo",
    "hook": "hook",
}
HIDDEN = {"hook"}


class Commands(click.Group):
    """The commands, each loaded when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of `COMMANDS`: the order in which one meets them."""
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called `name`."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[name]}", __package__)
        found = getattr(module, name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; raises `click.UsageError` with the nearest one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = [
                f" Did you mean '{each}'?" for each in get_close_matches(name, self.list_commands(ctx), 1)
            ]
            raise click.UsageError(f"No such command '{name}'.{''.join(near)}", ctx)
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples and exit codes."""
        with formatter.section("Examples"):
            for line in ("cortex init", "cortex connect claude-code", 'cortex ask "how do we open files?"'):
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="A git-native memory: what people corrected in generated code comes back before the next mistake.",
)
@click.version_option(__version__, "-V", "--version", prog_name="cortex")
def cortex() -> None:
    """Hold the commands together."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status; the only place that prints an error."""
    with contextlib.suppress(AttributeError, OSError):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    out = sys.stdout
    try:
        status = cortex.main(args=list(arguments), prog_name="cortex", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else OK
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted", "What was acknowledged is kept; run the command again to go on.")
        return INTERRUPTED
    except CortexError as error:
        complain(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone (`cortex log | head`): point standard output at nothing, so that closing is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except SystemExit:
        if sys.stdout is out:
            raise
        return OK  # it has gone while a command wrote: click wraps the output then, and ends with 1
    except FileNotFoundError as error:
        complain(
            f"there is no {error.filename or 'such file'}", "Check its name, and the folder that it is in."
        )
        return PLACE
    except PermissionError as error:
        complain(f"no permission: {error.filename}", "Check who owns it, and its mode.")
        return PLACE
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        complain(f"{error.strerror or error}{where}", "Nothing that was acknowledged is lost.")
        return PLACE


def complain(message: str, hint: str) -> None:
    """Print what is wrong and what to do about it, on standard error."""
    paint = render.Paint(sys.stderr, os.environ)
    render.say(f"{paint('red', 'cortex:')} {render.safe(message)}", sys.stderr)
    if hint:
        render.say(paint("dim", f"        {render.safe(hint)}"), sys.stderr)
