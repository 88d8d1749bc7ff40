"""Firefox as its distributor ships it, for Playwright, which drives it by WebDriver BiDi.

Started in the place of Firefox, this starts it and stands between the two: it answers what Firefox does not know yet.
"""

import asyncio
import json
import re
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
UNKNOWN = {"emulation.setMediaFeaturesOverride"}  # in Firefox 153; Playwright 1.65 sends it for each page


async def main(arguments: list[str]) -> int:
    firefox = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr
    async for line in firefox.stderr:
        if found := LISTENING.search(line):
            break
        sys.stderr.buffer.write(line)
    else:
        return await firefox.wait()
    address = found[1].decode()

    async def between(driver: ServerConnection) -> None:
        assert driver.request
        async with connect(address + driver.request.path, max_size=None) as browser:
            answers = asyncio.create_task(pass_on(browser, driver))
            async for text in driver:
                command = json.loads(text)
                if command["method"] in UNKNOWN:
                    await driver.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
                else:
                    await browser.send(text)
            answers.cancel()

    async with serve(between, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        async for _ in firefox.stderr:
            pass
        return await firefox.wait()


async def pass_on(source: ClientConnection, target: ServerConnection) -> None:
    async for text in source:
        await target.send(text)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
