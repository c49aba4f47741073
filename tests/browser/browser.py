"""Headless Chromium through its debugging pipe: the DevTools protocol, JSON ended by a zero byte."""

import base64
import fcntl
import json
import os
import subprocess
import tempfile
import time


class Browser:
    """One page of a browser of its own; everything that it complains of or asks for is kept."""

    def __init__(self):
        pipes = [os.pipe(), os.pipe()]
        (read_theirs, self._write), (self._read, write_theirs) = [
            [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 16) for end in pipe] for pipe in pipes
        ]
        for end in {end for pipe in pipes for end in pipe}:
            os.close(end)
        # Chromium reads from descriptor 3 and writes to 4.
        os.dup2(read_theirs, 3)
        os.dup2(write_theirs, 4)
        self._profile = tempfile.TemporaryDirectory()
        command = ["chromium", "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"]
        command += ["--no-first-run", f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for end in (3, 4, read_theirs, write_theirs):
            os.close(end)
        self._number, self._buffer, self._session = 0, b"", None
        self.complaints, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self):
        while b"\0" not in self._buffer:
            chunk = os.read(self._read, 1 << 16)
            if not chunk:
                raise RuntimeError("chromium has ended")
            self._buffer += chunk
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"].get("exception", params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append([argument.get("value") for argument in params["args"]])
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        return message

    def open(self, path):
        """Loads a file and waits until its scripts have run."""
        self.requests.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self.run("location.protocol + document.readyState") != "file:complete":
            pass

    def run(self, expression):
        """The value of an expression in the page; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def click(self, selector, modifiers=0):
        """A click of the mouse in the middle of an element."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1, modifiers=modifiers)

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def looks(self, width=1280, height=900, **features):
        """Size of the window, and media features such as prefers_color_scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        media = features.pop("media", "")
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=media, features=listed)

    def shoot(self, path, whole=True, **clip):
        """A picture of the page, or of `x`, `y`, `width` and `height` in it."""
        part = {"clip": {**clip, "scale": 1}} if clip else {}
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **part)
        path.write_bytes(base64.b64decode(picture["data"]))

    def pdf(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"]))

    def close(self):
        self._process.terminate()
        self._process.wait()
        # Its children may still write there for a moment.
        for _ in range(50):
            try:
                return self._profile.cleanup()
            except OSError:
                time.sleep(0.1)
