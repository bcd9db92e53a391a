# SPDX-License-Identifier: GPL-2.0
"""A headless Chromium, driven over a pipe by its debugging protocol; standard library only."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio",
    "--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe",
)


def find():
    """Path of the browser, or None."""
    return next((p for p in map(shutil.which, NAMES) if p), None)


class Browser:
    """One page. `problems` collects console errors, exceptions and requests but the file's."""

    def __init__(self, width=1600, height=1000, scale=1, dark=False, motion=False):
        self.problems, self.last, self.inbox = [], 0, b""
        self.profile = tempfile.mkdtemp(prefix="kvmsched-browser-")
        self.process, self.to, self.back = self._start(width, height)
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget",
                                 {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
        self.colours(dark, motion)

    def _start(self, width, height):
        down_r, down_w = os.pipe()
        up_r, up_w = os.pipe()

        def place():
            # The browser reads from 3 and writes to 4; first out of each other's way.
            r, w = os.dup(down_r), os.dup(up_w)
            hi_r, hi_w = 60, 61
            os.dup2(r, hi_r)
            os.dup2(w, hi_w)
            os.dup2(hi_r, 3)
            os.dup2(hi_w, 4)

        args = [find(), *FLAGS, f"--user-data-dir={self.profile}",
                f"--window-size={width},{height}"]
        process = subprocess.Popen(args, preexec_fn=place, close_fds=False,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down_r)
        os.close(up_w)
        return process, down_w, up_r

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.session = None
            self.call("Browser.close", timeout=5)
            self.process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _message(self, deadline):
        while b"\0" not in self.inbox:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self.back, 1 << 20)
            if not part:
                raise OSError("the browser is gone")
            self.inbox += part
        text, self.inbox = self.inbox.split(b"\0", 1)
        return json.loads(text)

    def _note(self, m):
        p = m.get("params", {})
        if m["method"] == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            text = d.get("exception", {}).get("description", d["text"])
            self.problems.append("exception: " + text)
        elif m["method"] == "Runtime.consoleAPICalled":
            if p["type"] not in ("error", "assert", "warning"):
                return
            self.problems.append("console: " + json.dumps([a.get("value") for a in p["args"]]))
        elif m["method"] == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.problems.append("log: " + p["entry"]["text"])
        elif m["method"] == "Network.requestWillBeSent":
            url = p["request"]["url"]
            if not url.startswith(("file:", "about:")):
                self.problems.append("request: " + url)

    def call(self, method, params=None, timeout=60):
        self.last += 1
        m = {"id": self.last, "method": method, "params": params or {}}
        if getattr(self, "session", None):
            m["sessionId"] = self.session
        os.write(self.to, json.dumps(m).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            r = self._message(deadline)
            if "method" in r:
                self._note(r)
            elif r.get("id") == self.last:
                if "error" in r:
                    raise OSError(f"{method}: {r['error']['message']}")
                return r["result"]

    def colours(self, dark, motion=False):
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                    {"name": "prefers-reduced-motion",
                     "value": "no-preference" if motion else "reduce"}]
        self.call("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path):
        self.call("Page.navigate", {"url": "file://" + os.path.abspath(path)})
        end = time.monotonic() + 60
        while self.run("document.readyState") != "complete" or not self.run("location.href")[5:]:
            if time.monotonic() > end:
                raise TimeoutError("the page does not load")
            time.sleep(.02)
        self.settle()

    def run(self, script):
        """The value of an expression; a promise is awaited."""
        r = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True,
                                           "awaitPromise": True})
        if "exceptionDetails" in r:
            raise OSError(r["exceptionDetails"]["exception"].get("description", "exception"))
        return r["result"].get("value")

    def settle(self):
        self.run("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def key(self, key, shift=False):
        text = key if len(key) == 1 else ""
        p = {"key": key, "text": text, "modifiers": 8 if shift else 0}
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39,
                 "ArrowUp": 38, "ArrowDown": 40, "PageDown": 34, "PageUp": 33}
        p["windowsVirtualKeyCode"] = codes.get(key, ord(key[0].upper()))
        self.call("Input.dispatchKeyEvent", {"type": "keyDown" if text else "rawKeyDown", **p})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **p})
        self.settle()

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **more})

    def move(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.settle()

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="none" if kind == "mouseMoved" else "left", clickCount=1)
        self.settle()

    def drag(self, x0, y0, x1, y1, steps=10, shift=False):
        m = {"modifiers": 8 if shift else 0}
        self.mouse("mousePressed", x0, y0, button="left", clickCount=1, **m)
        for k in range(1, steps + 1):
            self.mouse("mouseMoved", x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps,
                       button="left", buttons=1, **m)
        self.mouse("mouseReleased", x1, y1, button="left", clickCount=1, **m)
        self.settle()

    def wheel(self, x, y, dy, dx=0, shift=False):
        self.mouse("mouseWheel", x, y, deltaX=dx, deltaY=dy, modifiers=8 if shift else 0)
        self.settle()

    def shot(self, path):
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
