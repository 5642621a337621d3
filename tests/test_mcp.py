"""The MCP server with a real client of the official SDK, over real pipes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def clone(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    for words in (
        ["init", "--no-history"],
        ["remember", "Timestamps are stored in UTC as integer milliseconds."],
    ):
        subprocess.run([sys.executable, "-m", "cortex", *words], cwd=repo, check=True, capture_output=True)
    return repo


def test_a_client_lists_the_tools_recalls_and_records(clone: Path):
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    (clone / "gen.py").write_text("x = 1\n")

    async def talk():
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "cortex", "mcp"], cwd=clone, env=dict(os.environ)
        )
        async with Client(server) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            recalled = await client.call_tool("recall", {"task": "how are timestamps stored?"})
            recorded = await client.call_tool("record_generation", {"path": "gen.py", "task": "make x"})
            refused = await client.call_tool("record_generation", {"path": "../out.py", "content": "x"})
            rumours = await client.call_tool("recall", {"task": "x", "sources": "code,rumours"})
            return tools, recalled, recorded, refused, rumours

    tools, recalled, recorded, refused, rumours = asyncio.run(talk())
    assert rumours.is_error and "memories, code, history" in rumours.content[0].text
    assert set(tools) == {"recall", "record_generation"}
    assert (
        tools["recall"].annotations.read_only_hint
        and not tools["record_generation"].annotations.destructive_hint
    )
    assert "UTC" in recalled.structured_content["context"] and recalled.structured_content["schema"] == 1
    assert recorded.structured_content["lines"] == 1
    assert refused.is_error and "outside the repository" in refused.content[0].text
