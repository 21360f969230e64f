"""The documentation site in a real browser: every page without an error, on a phone, and from this machine alone."""

import functools
import http.server
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


def test_no_table_is_left_as_text(site):
    for path in site.glob("interface/*/index.html"):
        text = re.sub(r"<pre.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "=====" not in text, path  # but in examples, where output may be underlined


def test_formulas_are_typeset_and_code_is_highlighted(site):
    mathematics = page_of(site, "mathematics")
    assert mathematics.count("<math") >= 5
    assert "```" not in re.sub(r"<script.*?</script>", "", mathematics, flags=re.DOTALL)
    assert '<span class="kn">import</span>' in page_of(site, "analysts")


def test_the_rooms_have_a_page_each(site):
    import cgraph as cg

    for room in cg._ROOMS:
        assert f"cgraph.{room}" in page_of(site, f"interface/{room}")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; Debian's package is `chromium`")
def test_every_page_opens_on_a_phone(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    assert len(pages) > 30
    wrong = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        tab.on("pageerror", lambda error: wrong.append(f"{tab.url}: {error}"))
        tab.on("console", lambda message: message.type == "error" and wrong.append(f"{tab.url}: {message.text}"))
        tab.on(
            "request", lambda request: request.url.startswith(base) or wrong.append(f"{tab.url} fetches {request.url}")
        )
        for page in pages:
            tab.goto(base + page)
            width = tab.evaluate("document.documentElement.scrollWidth")
            if width > 390:
                wrong.append(f"{page} is {width} wide")
        browser.close()
    server.shutdown()
    server.server_close()
    assert wrong == []
