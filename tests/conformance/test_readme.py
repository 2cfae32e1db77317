"""The README's example runs as it is printed, but for the port and the key."""

import asyncio
import contextlib
import io
import re
from pathlib import Path

from tests.live import WAIT_S, Live

README = Path(__file__).parents[2] / "README.md"


def test_the_example_answers(server: Live) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert "http://127.0.0.1:8000/v1" in code
    names: dict[str, object] = {}
    here = code.replace("http://127.0.0.1:8000", server.http).replace("unused", "sk-test")
    exec(here.replace("asyncio.run(main())", ""), names)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        asyncio.run(asyncio.wait_for(names["main"](), WAIT_S))  # type: ignore[operator]
    assert "Tokyo" in printed.getvalue()
