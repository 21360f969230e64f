"""The documentation site in a real browser: every page without an error, on a phone, and from this machine alone."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytest.importorskip("pygraphviz")
for package in ("material", "mkdocstrings", "latex2mathml"):
    pytest.importorskip(package, reason="the site needs the extra `docs`")
playwright = pytest.importorskip("playwright.sync_api")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if built := os.environ.get("CGRAPH_SITE"):  # by `.ci/run`
        return Path(built)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def page_of(site, name):
    return (site / name / "index.html").read_text(encoding="utf-8")


def test_parameters_that_share_a_line_have_types_of_their_own(site):
    text = page_of(site, "interface/reports")
    chart = text[text.index('id="cgraph.reports.charts.path_chart"') :].partition("Returns:")[0]
    types = dict(re.findall(r"<b><code>(\w+)</code></b>\s*\(<code>(.*?)</code>", chart, re.DOTALL))
    plain = {name: re.sub(r"<.*?>|\s", "", text).replace("&#39;", "'") for name, text in types.items()}
    assert plain == {
        "G": "DiGraph[Any]",
        "s": "Node",
        "t": "Node",
        "output": "str|PathLike[str]|None",
        "k": "int",
        "log": "bool",
        "derivative": "str",
    }


def test_no_markup_is_left_as_text(site):
    for path in site.glob("interface/*/index.html"):
        text = re.sub(r"<(script|pre|code)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for markup in ("=====", "`", "**", "]_", ".. [", "::"):
            assert markup not in re.sub(r"<[^>]*>", "", text), f"{markup} in {path.parent.name}"


def test_references_are_items_of_a_list(site):
    text = page_of(site, "interface/reports")
    references = text[text.index("<summary>References</summary>") :].partition("</details>")[0]
    assert re.search(r"<li>\s*(<p>)?\[1\] E. R. Gansner, ", references)


def test_formulas_are_typeset_and_code_is_highlighted(site):
    mathematics = page_of(site, "mathematics")
    assert mathematics.count("<math") >= 5
    assert "```" not in re.sub(r"<script.*?</script>", "", mathematics, flags=re.DOTALL)
    assert '<span class="kn">import</span>' in page_of(site, "analysts")


def test_the_packages_have_a_page_each(site):
    import cgraph as cg

    for package in cg._PACKAGES:
        assert f"cgraph.{package}" in page_of(site, f"interface/{package}")


CUT = """() => [...document.querySelectorAll('article *')].filter(e => {
  const place = e.getBoundingClientRect()
  if (!place.width || place.right <= innerWidth + 1) return false
  for (let box = e; box !== document.body; box = box.parentElement)
    if (getComputedStyle(box).overflowX !== 'visible') return false
  return true
}).map(e => e.outerHTML.slice(0, 80))"""
UNSEEN = """() => [...document.querySelectorAll('article math, article img')].filter(e => {
  if (e.tagName === 'IMG') e.loading = 'eager'
  return e.tagName === 'IMG' ? e.complete && !e.naturalWidth : e.getBoundingClientRect().height < 10
}).map(e => e.outerHTML.slice(0, 80))"""
SOME = (
    "index.html",
    "analysts/index.html",
    "mathematics/index.html",
    "interface/reports/index.html",
    "gallery/index.html",
)


@pytest.fixture(scope="module")
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; Debian's package is `chromium`")
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (1920, "light")])
def test_pages_open_without_an_error_and_nothing_is_cut(site, address, width, scheme):
    """Every page on a phone; on wider screens some of each kind."""
    every = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    assert len(every) > 30
    assert {*SOME} <= {*every}
    wrong = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme).new_page()
        tab.on("pageerror", lambda error: wrong.append(f"{tab.url}: {error}"))
        tab.on("console", lambda message: message.type == "error" and wrong.append(f"{tab.url}: {message.text}"))
        tab.on(
            "request",
            lambda request: request.url.startswith(address) or wrong.append(f"{tab.url} fetches {request.url}"),
        )
        for page in every if width == 390 else SOME:
            tab.goto(address + page)
            if (needed := tab.evaluate("document.documentElement.scrollWidth")) > width:
                wrong.append(f"{page} is {needed} wide")
            wrong += [f"{page}: {what} is cut" for what in tab.evaluate(CUT)]
            wrong += [f"{page}: {what} is not seen" for what in tab.evaluate(UNSEEN)]
        browser.close()
    assert wrong == []


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; Debian's package is `chromium`")
def test_pictures_can_be_read_on_a_phone(address):
    """A wide picture takes twice the width of the screen and scrolls in its place; a small one stays as it is."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        tab.goto(address + "gallery/index.html")
        widths = tab.evaluate(
            """() => [...document.querySelectorAll('article img')].map(
            e => [e.naturalWidth, e.width, e.closest('p').clientWidth, e.parentElement.href === e.src])"""
        )
        browser.close()
    assert len(widths) > 40
    for natural, width, room, opens in widths:
        assert width == pytest.approx(min(natural, 2 * room), abs=1)
        assert opens
