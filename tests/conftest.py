"""Settings of every Python test. scripts/test prints the one closing line, so pytest's own is left out."""
import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and config.getoption("--junitxml", None):
        reporter.summary_stats = lambda: None


# The workers take whole files, one after the other: they end together when these, which take a minute or two each,
# come first.
LONGEST = ("test_pipeline", "test_canaries", "test_chaos", "test_seen_from_outside", "test_consumer_store", "test_demo",
           "test_page", "test_own_trouble", "test_kafka_adapters", "test_audit", "test_bad_inputs")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))
