"""Draws docs/terminal.svg: what `cortex` prints, taken from a real run of the demonstration.

cortex demo --keep          # prints the folder that it keeps
python docs/terminal.py FOLDER
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMANDS = ("git commit -qm 'Track parcels'", 'cortex ask "how should I call api_client.get?"')
FORMAT = """<svg class="rich-terminal" xml:space="preserve" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def main(folder: Path) -> None:
    """Run the commands in the kept folder and draw what they print."""
    work = folder / "work"
    subprocess.run(["git", "reset", "--soft", "HEAD~2"], cwd=work, check=True)
    subprocess.run(["git", "reset", "-q", "--", "shop/prices.py"], cwd=work, check=True)
    console = Console(record=True, width=112, file=Path(os.devnull).open("w"), force_terminal=True)
    environment = {
        **os.environ,
        "CORTEX_HOME": str(folder / "home"),
        "CLICOLOR_FORCE": "1",
        "CORTEX_NO_DAEMON": "1",
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for command in COMMANDS:
        done = subprocess.run(
            ["sh", "-c", command], cwd=work, env=environment, capture_output=True, text=True, check=True
        )
        console.print(Text.from_ansi(f"\033[32m$\033[0m {command}"))
        console.print(Text.from_ansi((done.stdout + done.stderr).rstrip()))
        console.print()
    picture = console.export_svg(title="cortex", code_format=FORMAT, unique_id="cortex")
    (Path(__file__).parent / "terminal.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
