"""Takes the README's pictures: python3 pictures.py PAGE FOLDER.

PAGE is the quickstart's report. table-light.png shows the table and what the assistant brings, nodes-light.png
the learning curves and the nodes; -dark the same by night.
"""

import pathlib
import sys

from browser import Browser

WIDTH = {"table": 960, "nodes": 1280}
# From the top of one heading, or of the page, to that of the next, in pixels.
FROM, TO = {"table": None, "nodes": "Learning curves"}, {"table": "Learning curves", "nodes": "Sharpness and calibration"}
TOP = "[...document.querySelectorAll('h2')].find((h) => h.textContent === {heading!r}).getBoundingClientRect().top + scrollY"


def main(page, folder):
    folder.mkdir(parents=True, exist_ok=True)
    browser = Browser()
    for scheme in ["light", "dark"]:
        for name, width in WIDTH.items():
            browser.looks(width=width, prefers_color_scheme=scheme)
            browser.open(page)
            top = browser.run(TOP.format(heading=FROM[name])) - 16 if FROM[name] else 0
            bottom = browser.run(TOP.format(heading=TO[name])) - 16
            path = folder / f"{name}-{scheme}.png"
            browser.shoot(path, x=0, y=top, width=width, height=bottom - top)
            print(f"wrote {path}")
    browser.close()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
