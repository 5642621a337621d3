"""`cortex completion`: completion for bash, zsh and fish."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from . import render
from .frame import command


@command(
    "completion",
    examples="""
cortex completion bash >> ~/.bashrc
cortex completion zsh > "${fpath[1]}/_cortex"
cortex completion fish > ~/.config/fish/completions/cortex.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    from .main import cortex

    found = get_completion_class(shell)
    assert found is not None
    render.say(found(cortex, {}, "cortex", "_CORTEX_COMPLETE").source())
