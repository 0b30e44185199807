"""Firefox as Playwright wants it: a relay between the two, run in Firefox's place with its arguments.

Playwright drives any Firefox by WebDriver BiDi, but before it opens a page it sends commands that Firefox ESR 140 does not know: to keep the
bodies of responses and to pretend another screen, another light and a folder for downloads. The relay says that these are done.
Nothing of it is: a test that needs one cannot be run in Firefox.
"""

import json
import os
import re
import subprocess
import sys
import threading

from tornado import httpserver, ioloop, netutil, web, websocket

SPARED = {"network.addDataCollector", "browser.setDownloadBehavior", "emulation.setScreenOrientationOverride", "emulation.setScreenSettingsOverride",
          "emulation.setMediaFeaturesOverride"}  # fmt: skip
LARGEST = 100 << 20  # bytes of a message


class Relay(websocket.WebSocketHandler):
    """One connection of Playwright, and the one to Firefox that belongs to it."""

    async def open(self, address):
        self.spared, (where,) = {}, self.application.settings["listening"]
        self.firefox = await websocket.websocket_connect(f"{where}/{address}", on_message_callback=self.back, max_message_size=LARGEST)

    async def on_message(self, message):
        asked = json.loads(message)
        if asked["method"] in SPARED:
            self.spared[asked["id"]] = asked["method"]
        await self.firefox.write_message(message)

    def back(self, message):
        if message is None:
            return self.close()
        told = json.loads(message)
        if told.get("error") == "unknown command" and told["id"] in self.spared:
            message = json.dumps({"type": "success", "id": told["id"], "result": {}})
        self.write_message(message)

    def on_close(self):
        self.firefox.close()


def main(firefox, *arguments):
    """Start Firefox, stand before it, and end when it ends."""
    listening = []
    (own,) = netutil.bind_sockets(0, "127.0.0.1")
    application = web.Application([("/(.*)", Relay)], listening=listening, websocket_max_message_size=LARGEST)
    httpserver.HTTPServer(application).add_socket(own)
    process = subprocess.Popen([firefox, *arguments], stderr=subprocess.PIPE, text=True)

    def told():
        for line in process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                listening.append(found[1])
                line = line.replace(found[1], f"ws://127.0.0.1:{own.getsockname()[1]}")
            print(line, end="", file=sys.stderr, flush=True)
        os._exit(process.wait())

    threading.Thread(target=told, daemon=True).start()
    ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main(*sys.argv[1:])
