"""The status page of `run` in Chromium, on the demo's sites: with and without scripts, followed, and on a phone."""
import json
import os
import sys
import urllib.error
import urllib.request

import pytest
import yaml
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


# The README shows it. Anew: UPDATE_SCREENSHOTS=1 build/venv/bin/python -m pytest tests/e2e/test_page.py -k with_scripts
IS_UPDATE = os.environ.get("UPDATE_SCREENSHOTS") == "1"


def update_picture(window):
    """docs/page.png: the whole page, sharp, once each site has its 50 checks (five minutes)."""
    strips = """return [...document.querySelectorAll(".strip title")].map(title => title.textContent.split(",")[0])"""
    wait_until(lambda: set(window.driver.execute_script(strips)) == {"Last 50 checks"}, "full strips", timeout=400)
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                  {"width": 1360, "height": 100, "deviceScaleFactor": 1.5, "mobile": False})
    height = window.driver.execute_script("return document.documentElement.scrollHeight")
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                  {"width": 1360, "height": height, "deviceScaleFactor": 1.5, "mobile": False})
    wait_until(lambda: not shown_otherwise(window), "the demo's states on the page", timeout=30)
    window.screenshot(ROOT / "docs/page.png")


@pytest.mark.timeout(600 if IS_UPDATE else 180)
def test_every_outcome_is_shown_with_scripts(demo, browser, folder):
    _, port = demo
    window = browser(size=(1440, 1000))
    window.open(f"http://127.0.0.1:{port}/")
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the script's words")
    assert_shows_the_demo(window)
    wait_until(lambda: {site["outcome"] for site in api_sites(port)} >= OUTCOMES, "every outcome in the API")
    window.screenshot(folder / "page.png")
    if IS_UPDATE:
        update_picture(window)


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


# What the script is given instead of /board: the present one, changed by a function of its document.
DOCTORED = """
    const change = new Function("doc", arguments[0]), done = arguments[1], real = window.fetch;
    real("/board").then(answer => answer.text()).then(text => {
        const doc = new DOMParser().parseFromString(text, "text/html");
        change(doc);
        window.fetch = async () => new Response(doc.body.innerHTML, {headers: {Date: new Date().toUTCString()}});
        done();
    });
"""


def test_the_focus_stays_with_a_site_that_moves(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    focused = """return document.activeElement.closest("tr")?.dataset.key"""
    keys = """return [...document.querySelectorAll("tr[data-key]")].map(row => row.dataset.key).join()"""
    window.driver.execute_script("""document.querySelector('tr[data-key="Shop"] a').focus()""")
    # Every row goes elsewhere, and one is another than it was, as when a site goes down.
    window.driver.execute_async_script(DOCTORED, """
        const body = doc.querySelector("tbody"), rows = [...body.children].reverse();
        rows.find(row => row.dataset.key === "Shop").dataset.version = "1";
        body.replaceChildren(...rows);
        window.expected = rows.map(row => row.dataset.key).join();
    """)
    expected = window.driver.execute_script("return expected")
    wait_until(lambda: window.driver.execute_script(keys) == expected, "the order")
    assert window.driver.execute_script(focused) == "Shop"
    # The part is made anew where its frame changed: here a notice more.
    window.driver.execute_async_script("""
        const real = window.fetch, done = arguments[0];
        real("/board").then(answer => answer.text()).then(text => {
            const changed = text.replace("</table>", "</table><p class='notice'>more</p>");
            window.fetch = async () => new Response(changed, {headers: {Date: new Date().toUTCString()}});
            done();
        });
    """)
    wait_until(lambda: window.texts("#sites .notice") == ["more"], "the notice")
    assert window.driver.execute_script(focused) == "Shop"


def test_an_answer_that_is_no_board_is_no_contact(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the script's words")
    window.driver.execute_script("""
        window.fetch = async () => new Response("<h1>Log in</h1>", {headers: {Date: new Date().toUTCString()}});
    """)
    wait_until(lambda: window.texts("#follow-text")[0].startswith("No contact since"), "the notice", timeout=30)
    assert set(rows(window)) == NAMES


def test_a_tab_behind_others_goes_on_asking(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    # The page is told that it is hidden, and what it puts off for long is done at once.
    window.driver.execute_script("""
        const real = window.setTimeout;
        window.delays = [];
        window.setTimeout = (what, delay) => { delays.push(delay); return real(what, Math.min(delay, 200)); };
        Object.defineProperty(document, "hidden", {get: () => true});
    """)
    slow = "return delays.filter(delay => delay === 30000).length"
    wait_until(lambda: window.driver.execute_script(slow) > 2, "asking")
    window.driver.execute_async_script(DOCTORED, """doc.getElementById("board").dataset.title = "told";""")
    wait_until(lambda: window.driver.title == "told", "the tab's title")


def test_a_large_page_that_asks_seldom_is_in_contact(websentry, browser):
    sites = [{"url": "http://127.0.0.1:9/", "name": f"site {number}", "interval": "1h"} for number in range(320)]
    running = websentry.start("run", "--sites", websentry.write("many.yaml", yaml.safe_dump({"sites": sites})),
                              "--data-dir", websentry.data_dir("many"), "--listen", "127.0.0.1:0")
    window = browser()
    window.open(f"http://127.0.0.1:{running.port()}/")
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the script's words")
    window.driver.execute_script("""
        window.losses = 0;
        new MutationObserver(() => losses += document.documentElement.classList.contains("is-lost"))
            .observe(document.documentElement, {attributeFilter: ["class"]});
    """)
    asked = """return performance.getEntriesByType("resource").filter(one => one.name.endsWith("/board")).length"""
    before = window.driver.execute_script(asked)
    wait_until(lambda: window.driver.execute_script(asked) >= before + 3, "two of its slow rounds", timeout=60)
    assert window.driver.execute_script("return losses") == 0
    running.stop()


def start_at(port, websentry, *words):
    """Once it is free: for a moment it may be that of somebody's outgoing connection."""
    def start():
        started = websentry.start(*words, "--listen", f"127.0.0.1:{port}")
        wait_until(lambda: started.find("listening") or not started.is_running(), "its port")
        if started.is_running():
            return started
        assert "Address already in use" in started.stderr()
        return None

    return wait_until(start, f"the port {port}", step=0.2)


def test_the_page_says_that_websentry_is_gone_and_back(demo, browser, websentry):
    running, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    before = {site["name"]: len(site["recent"]) for site in api_sites(port)}
    running.stop()
    wait_until(lambda: window.texts("#follow-text")[0].startswith("No contact since"), "the notice", timeout=30)
    assert window.driver.title.startswith("No contact \u00b7 ")
    icon = """return document.getElementById("icon").getAttribute("href")"""
    assert "warn" in window.driver.execute_script(icon)
    again = start_at(port, websentry, "run", "--data-dir", websentry.data_dir(), websentry.folder / "demo/sites.yaml")
    assert again.port() == port
    wait_until(lambda: window.texts("#follow-text") == ["Following live"], "the page's return", timeout=30)
    assert "No contact" not in window.driver.title and "warn" not in window.driver.execute_script(icon)
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
    window.screenshot(folder / "page-phone.png")


def test_assistive_technology_finds_the_same(demo, browser):
    _, port = demo
    window = browser()
    window.open(f"http://127.0.0.1:{port}/")
    nodes = window.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node}
    roles = [role for role, _ in names]
    assert "table" in roles and "heading" in roles
    assert any(role == "rowheader" and name.startswith("Shop") for role, name in names)
    # Also where rows are cards, as with a screen that is magnified.
    headers = {name for role, name in names if role == "columnheader"}
    assert headers == {"State", "Site", "Reason", "Last 50 checks", "Response time", "Checked"}
    window.driver.set_window_size(700, 900)
    wait_until(lambda: window.driver.execute_script("return innerWidth") <= 700, "a narrow window")
    narrow = window.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    assert headers == {node["name"]["value"] for node in narrow if node.get("role", {}).get("value") == "columnheader"}
    strips = [name for role, name in names if role in ("img", "image") and name.startswith("Last ")]
    assert strips and all("newest at the right" in name for name in strips)
