"""Looks at the pages that pages.py has made, as a person would: python3 check.py FOLDER."""

import pathlib
import sys

from browser import Browser

# What a person takes for at once (Nielsen 1993: 0.1 s) and for no wait, on a slow machine.
LOADED_MS = 5000
ANSWERED_MS = 300
CTRL = 2
TAB, ENTER, DOWN = ("Tab", 9), ("Enter", 13), ("ArrowDown", 40)

STATES = ["running", "stopped", "missing"]
HEADING = "document.querySelector('#panel h3')?.textContent"
CURVES = "document.querySelector('#panel .chart svg')?.querySelectorAll('.mean').length ?? 0"
# Milliseconds from a click on the node at a place to the second frame after it.
CLICK = """new Promise((done) => {{
  const node = document.querySelectorAll('.node')[{place}];
  const start = performance.now();
  node.dispatchEvent(new MouseEvent('click', {{ bubbles: true }}));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
}})"""


def check(holds, what):
    if not holds:
        sys.exit(f"error: {what}")
    print(f"ok: {what}")


def quiet(browser, path):
    check(not browser.complaints, f"{path.name}: no message on the console {browser.complaints or ''}")
    others = [url for url in browser.requests if url != path.resolve().as_uri()]
    check(not others, f"{path.name}: no request {others or ''}")


def small(browser, folder):
    path = folder / "small.html"
    browser.looks(prefers_color_scheme="light")
    browser.open(path)
    light = browser.run("getComputedStyle(document.body).backgroundColor")
    check(browser.run(CURVES) == 0, "nothing is selected at first")

    browser.click('[aria-label^="ta/middle,"] rect')
    check(browser.run(HEADING) == "ta/middle", "a click on a node opens it")
    check(browser.run(CURVES) == 1, "a click on a node shows its curve")
    check("objective.kd.lambda" in browser.run("panel.textContent"), "its configuration is shown")
    for picture in ["Confusion matrix: ", "Reliability: "]:
        check(browser.run(f"document.querySelector('#panel svg[aria-label^=\"{picture}\"]') !== null"), f"{picture[:-2]} is drawn")
    check(browser.run("location.hash") == "#node-ta/middle", "the node has an address")
    check("burn" in browser.run("panel.textContent"), "its provenance is shown")
    browser.click('[aria-label^="ta/small,"] rect', CTRL)
    check(browser.run(CURVES) == 2, "a click with Ctrl lays a second curve over the first")
    browser.click('[aria-label^="nokd,"] rect')
    check(browser.run(CURVES) == 1, "a click without Ctrl starts anew")
    browser.click("#keep")
    browser.click('[aria-label^="teacher,"] rect')
    check(browser.run(CURVES) == 2, "the box keeps what is selected")
    browser.shoot(folder / "light.png")

    browser.open(path)
    for _ in range(30):
        browser.key(*TAB)
        if browser.run("document.activeElement.classList.contains('node')"):
            break
    check(browser.run("document.activeElement.classList.contains('node')"), "Tab reaches the nodes")
    check(browser.run("document.querySelectorAll('.node[tabindex=\"0\"]').length") == 1, "they are one stop")
    browser.key(*DOWN)
    browser.key(*DOWN)
    focused = browser.run("document.activeElement.getAttribute('aria-label')")
    browser.key(*ENTER)
    check(focused.startswith(f"{browser.run(HEADING)},"), f"Enter opens the focused node: {focused}")
    check(browser.run(CURVES) == 1, "Enter shows its curve")
    check(browser.run("document.querySelectorAll('[aria-pressed=\"true\"]').length") == 1, "it is marked as pressed")

    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = [node for node in tree if node.get("role", {}).get("value") in ("button", "table", "img", "image", "checkbox")]
    nameless = [node for node in named if not node.get("name", {}).get("value")]
    check(len(named) > 20 and not nameless, f"a screen reader has a name for each of {len(named)} parts {nameless or ''}")
    check(not browser.run("[...document.querySelectorAll('[id]')].some((e) => document.querySelectorAll('#' + CSS.escape(e.id)).length > 1)"), "no id comes twice")
    check(browser.run("document.querySelectorAll('main script').length") == 0, "no label became a script")

    browser.looks(prefers_color_scheme="dark")
    check(browser.run("getComputedStyle(document.body).backgroundColor") != light, "the dark has a ground of its own")
    browser.shoot(folder / "dark.png")
    browser.looks(width=420, prefers_color_scheme="light")
    check(browser.run("document.documentElement.scrollWidth <= innerWidth"), "a narrow window needs no sideways scrolling")
    browser.shoot(folder / "narrow.png")
    browser.looks(media="print", prefers_color_scheme="dark")
    check(browser.run("getComputedStyle(document.body).backgroundColor") == light, "paper is white in the dark too")
    check(browser.run("getComputedStyle(document.querySelector('nav')).display") == "none", "links are not printed")
    browser.shoot(folder / "print.png")
    browser.pdf(folder / "print.pdf")
    quiet(browser, path)


def busy(browser, folder):
    path = folder / "busy.html"
    for scheme in ["light", "dark"]:
        browser.looks(prefers_color_scheme=scheme)
        browser.open(path)
        inks = [browser.run(f"getComputedStyle(document.querySelector('.{state} .bar')).fill") for state in STATES]
        check(len(set(inks)) == len(STATES), f"states differ in the {scheme}: {inks}")
        browser.shoot(folder / f"busy-{scheme}.png")
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    names = [node.get("name", {}).get("value", "") for node in tree]
    for name, state in [("nokd", "running"), ("teacher", "stopped")]:
        told = [n for n in names if n.startswith(f"{name}, ") and f"1 of 3 {state}, epoch " in n]
        check(told, f"a screen reader tells that {name} is {state}: {told[:1]}")
    legend = browser.run("document.querySelector('.legend').innerText")
    check(all(word in legend for word in ["running: 1 node", "stopped: 1 node"]), "the legend explains them")
    browser.click('[aria-label^="nokd,"] rect')
    check("running at epoch " in browser.run("panel.textContent"), "a click tells how far it is")
    quiet(browser, path)


def plain(browser, folder):
    path = folder / "small.html"
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.looks(prefers_color_scheme="light")
    browser.open(path)
    shown = browser.run("[...document.querySelectorAll('noscript details summary')].filter((e) => e.checkVisibility()).length")
    nodes = browser.run("document.querySelectorAll('.node').length")
    check(shown == nodes > 0, f"without JavaScript {shown} nodes have details")
    browser.shoot(folder / "plain.png")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def large(browser, folder):
    path = folder / "large.html"
    browser.looks(prefers_color_scheme="light")
    browser.open(path)
    nodes = browser.run("document.querySelectorAll('.node').length")
    check(nodes >= 1000, f"{nodes} nodes are drawn")
    loaded = browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
    check(loaded < LOADED_MS, f"they are there after {loaded:.0f} ms, {LOADED_MS} at most")
    # Networks and their measurements alternate: every place has a curve.
    times = sorted(browser.run(CLICK.format(place=place)) for place in range(1, nodes, nodes // 20))
    middle, worst = times[len(times) // 2], times[-1]
    check(browser.run(CURVES) == 1, "the last click shows a curve")
    check(middle < ANSWERED_MS, f"a click is answered in {middle:.0f} ms, {ANSWERED_MS} at most (worst {worst:.0f} ms)")
    browser.shoot(folder / "large.png", whole=False)
    quiet(browser, path)


def main():
    folder = pathlib.Path(sys.argv[1])
    browser = Browser()
    try:
        small(browser, folder)
        busy(browser, folder)
        plain(browser, folder)
        large(browser, folder)
    finally:
        browser.close()
    print("browser: ok")


main()
