"""Debian's Chromium, headless, driven through its own chromedriver; nothing is fetched."""
import contextlib

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service

from support.processes import clean_environment


class Browser:
    """One window. driver is selenium's; console() is what a developer would see in red."""

    def __init__(self, session, *, has_javascript=True, size=(1280, 1000)):
        home = session.new_folder("browser")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-default-apps", "--hide-scrollbars", "--force-color-profile=srgb",
                     f"--user-data-dir={home}/profile", f"--window-size={size[0]},{size[1]}",
                     # Only the tests' own addresses exist.
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"):
            options.add_argument(word)
        if not has_javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service("/usr/bin/chromedriver", env=clean_environment(session, home), log_output=str(home / "log"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(30)

    def open(self, url):
        self.driver.get(url)

    def text(self):
        """What a person reads on the page."""
        return self.driver.find_element("css selector", "body").text

    def texts(self, selector):
        """Of one moment: an element that the page has replaced before it was read is looked for again."""
        while True:
            with contextlib.suppress(StaleElementReferenceException):
                return [element.text for element in self.driver.find_elements("css selector", selector)]

    def console(self):
        """Errors and warnings since the last call, a Content-Security-Policy violation among them."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        self.driver.save_screenshot(str(path))

    def close(self):
        with contextlib.suppress(Exception):
            self.driver.quit()
