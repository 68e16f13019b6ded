"""The status page of `run` in Chromium, on the demo's sites: with and without scripts, followed, and on a phone."""
import json
import os
import shutil
import sys
import urllib.error
import urllib.request

import pytest
from selenium.common.exceptions import NoAlertPresentException
from support.processes import ROOT, Process, wait_until

OUTCOMES = {"up", "degraded", "down", "unknown"}
SCRIPT_NAME = "<script>alert(1)</script>"
NAMES = {"Shop", "Redirect chain", SCRIPT_NAME, "Slow search", "Certificate near its end", "Flapping", "Failing",
         "Wrong content", "Nobody listens", "Very long page"}


def api_sites(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/sites", timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 503  # the store has not answered yet
        return []


@pytest.fixture
def demo(websentry):
    """`run` beside the demo's sites, with a report of each; (running, port)."""
    folder = websentry.data_dir("demo")
    sites = Process([sys.executable, ROOT / "demo/sites.py", folder], env=websentry.environment(), cwd=folder,
                    log=folder / "sites.log")
    wait_until(lambda: "ready" in sites.output(), "the demo's sites")
    running = websentry.start("run", "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0",
                              folder / "sites.yaml")
    port = running.port()
    wait_until(lambda: {site["name"] for site in api_sites(port)} == NAMES, "a report of every site")
    yield running, port
    running.stop()
    sites.stop()


def rows(window):
    """{name: (state, the whole row's text)} as a person reads them; of one moment, since the page changes."""
    found = window.driver.execute_script("""
        return [...document.querySelectorAll("tbody tr")].map(row =>
            [".name", ".badge"].map(part => row.querySelector(part).innerText).concat(row.innerText));
    """)
    return {name: (state, text) for name, state, text in found}


EXPECTED = {
    "Shop": ("Up", ""),
    "Redirect chain": ("Up", ""),
    SCRIPT_NAME: ("Up", ""),
    "Slow search": ("Degraded", "The response took longer than it should"),
    "Certificate near its end": ("Degraded", "The certificate expires soon"),
    "Failing": ("Down", "HTTP 500"),
    "Wrong content": ("Down", "The body does not say what it should"),
    "Nobody listens": ("Down", "The connection was refused"),
    "Very long page": ("Unknown", "The body is longer than the part that is searched"),
}


def shown_otherwise(window):
    """What the page shows of the demo that it should not. On a busy machine a check is now and then `unknown`."""
    found = rows(window)
    assert set(found) == NAMES
    states = [state for state, _ in found.values()]
    assert states == sorted(states, key=["Down", "Degraded", "Unknown", "Overdue", "Waiting", "Up"].index)
    return {name: found[name] for name, (state, words) in EXPECTED.items()
            if found[name][0] != state or words not in found[name][1]}


def assert_shows_the_demo(window):
    wait_until(lambda: not shown_otherwise(window), "the demo's states on the page", timeout=30)
    assert "down" in window.texts("h1")[0]
    with pytest.raises(NoAlertPresentException):
        window.driver.switch_to.alert.dismiss()
    assert window.console() == []


def keep_screenshot(window, folder, name):
    """Beside the test's other files; with UPDATE_SCREENSHOTS=1 in docs/ too, where the README shows it."""
    window.screenshot(folder / name)
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        shutil.copy(folder / name, ROOT / "docs" / name)


def test_every_outcome_is_shown_with_scripts(demo, browser, folder):
    _, port = demo
    window = browser(size=(1440, 1000))
    window.open(f"http://127.0.0.1:{port}/")
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the script's words")
    assert_shows_the_demo(window)
    assert {site["outcome"] for site in api_sites(port)} >= OUTCOMES
    keep_screenshot(window, folder, "page.png")


def test_every_outcome_is_shown_without_scripts(demo, browser):
    _, port = demo
    window = browser(has_javascript=False)
    window.open(f"http://127.0.0.1:{port}/")
    assert_shows_the_demo(window)
    assert window.texts("#follow-text")[0].startswith("As of 20")

    # The page loads itself again, and then knows newer checks.
    def newest():
        return window.driver.execute_script("""
            return [...document.querySelectorAll(".when time")].map(time => time.dateTime).sort().pop() ?? "";
        """)

    before = newest()
    wait_until(lambda: newest() > before, "a page that was loaded again")


def test_the_page_follows_in_place(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    # What a person does to the page stays: marks on elements stand for it, and the focus on a link.
    window.driver.execute_script("""
        for (const part of document.querySelectorAll("table, tbody, header")) part.marked = true;
        window.versions = {};
        for (const row of document.querySelectorAll("tr[data-key]")) versions[row.dataset.key] = row.dataset.version;
        document.querySelector('tr[data-key="Shop"] a').focus();
    """)
    wait_until(lambda: window.driver.execute_script("""
        return [...document.querySelectorAll("tr[data-key]")]
            .every(row => row.dataset.version !== versions[row.dataset.key]);
    """), "every row renewed", timeout=30)
    assert window.driver.execute_script("""
        return [...document.querySelectorAll("table, tbody, header")].every(part => part.marked);
    """)
    assert window.driver.execute_script("return document.activeElement.closest('tr')?.dataset.key") == "Shop"
    assert_shows_the_demo(window)


def test_the_page_says_that_websentry_is_gone_and_back(demo, browser, websentry):
    running, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    before = {site["name"]: len(site["recent"]) for site in api_sites(port)}
    running.stop()
    wait_until(lambda: window.texts("#follow-text")[0].startswith("No contact since"), "the notice", timeout=30)
    again = websentry.start("run", "--data-dir", websentry.data_dir(), "--listen", f"127.0.0.1:{port}",
                            websentry.folder / "demo/sites.yaml")
    assert again.port() == port
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the page's return", timeout=30)
    assert all(len(site["recent"]) >= before[site["name"]] for site in api_sites(port))


def test_the_page_fits_a_phone_and_a_dark_room(demo, browser, folder):
    _, port = demo
    window = browser()
    driver = window.driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    window.open(f"http://127.0.0.1:{port}/")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert sum(int(part) for part in background[4:-1].split(",")) < 3 * 64
    assert_shows_the_demo(window)
    keep_screenshot(window, folder, "page-phone.png")


def test_assistive_technology_finds_the_same(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    nodes = window.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node}
    roles = [role for role, _ in names]
    assert "table" in roles and "heading" in roles
    assert any(role == "rowheader" and name.startswith("Shop") for role, name in names)
    strips = [name for role, name in names if role in ("img", "image") and name.startswith("Last ")]
    assert strips and all("newest at the right" in name for name in strips)
