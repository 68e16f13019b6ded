"""Settings of every Python test. scripts/test prints the one closing line, so pytest's own is left out."""
import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and config.getoption("--junitxml", None):
        reporter.summary_stats = lambda: None
