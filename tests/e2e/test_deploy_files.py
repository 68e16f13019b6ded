"""deploy/, Dockerfile and units, as far as they can be checked without an engine; `make test-deploy` does the rest."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOYS = ("local", "test", "prod")
SERVICES = {
    "local": {"kafka", "postgres", "producer", "consumer"},
    "test": {"kafka", "postgres", "producer", "consumer", "sites", "tests"},
    "prod": {"producer", "consumer"},
}
OLDER_NAMES = {"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC_SUCCESS", "KAFKA_TOPIC_FAILURE", "KAFKA_CAFILE",
               "KAFKA_CERTFILE", "KAFKA_KEYFILE", "POSTGRES_DSN", "LOGURU_LEVEL"}
UNITS = sorted((ROOT / "deploy/systemd").glob("websentry-*"))
BINARIES = Path(sys.executable).parent


def compose_binary():
    """The plugin itself: the wrapper that the Python package puts beside it loses the exit code."""
    found = next((BINARIES.parent / "lib").glob("python3*/site-packages/compose/docker-compose"), None)
    assert found is not None, "scripts/setup test fetches docker compose"
    return found


def compose_config(deploy, *options, env=None):
    return subprocess.run([compose_binary(), "-f", ROOT / "deploy" / deploy / "compose.yaml", *options, "config"],
                          cwd="/", env={"PATH": os.environ["PATH"], "HOME": "/", **(env or {})},
                          capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def effective():
    """Each deploy as compose understands it, seen from another folder."""
    found = {}
    for deploy in DEPLOYS:
        done = compose_config(deploy, "--profile", "*")
        assert done.returncode == 0, done.stderr
        found[deploy] = yaml.safe_load(done.stdout)
    return found


def mounts(service):
    return {mount["target"]: mount for mount in service.get("volumes", [])}


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_compose_accepts_the_files_without_a_warning(deploy):
    done = compose_config(deploy, "--profile", "*")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_deploy_has_its_services(effective):
    assert {deploy: set(found["services"]) for deploy, found in effective.items()} == SERVICES


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_project_name_alone_separates_deploys(deploy, effective):
    source = (ROOT / "deploy" / deploy / "compose.yaml").read_text()
    assert "container_name" not in source
    assert not re.search(r"^name:", source, re.MULTILINE)
    for found in (effective[deploy], yaml.safe_load(compose_config(deploy, env={"COMPOSE_PROJECT_NAME": "x"}).stdout)):
        for group in ("networks", "volumes"):
            for name, item in (found.get(group) or {}).items():
                assert item["name"] == f"{found['name']}_{name}"
    for service in yaml.safe_load(source)["services"].values():
        for port in service.get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+_PORT:-0\}:\d+", port), port


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_program_is_confined(deploy, effective):
    for name in ("producer", "consumer"):
        service = effective[deploy]["services"][name]
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_what_the_sites_may_not_reach_is_no_matter_of_health(deploy, effective, websentry, sites):
    kind, program, *words, url = effective[deploy]["services"]["consumer"]["healthcheck"]["test"]
    assert (kind, program, url) == ("CMD", "/usr/bin/websentry", "http://127.0.0.1:8080/healthz")
    websentry.run(*words, sites.site("/healthz").url,
                  env={"WEBSENTRY_ALLOW_PRIVATE": "false", "WEBSENTRY_DENY_CIDRS": "127.0.0.0/8"})


@pytest.mark.parametrize("deploy", ("local", "prod"))
def test_configs_and_certificates_are_mounted(deploy, effective):
    for name in ("producer", "consumer"):
        mounted = mounts(effective[deploy]["services"][name])
        assert Path(mounted["/var/configs"]["source"]) == ROOT / "configs"
        assert Path(mounted["/var/certs"]["source"]) == ROOT / "certificates"
        assert mounted["/var/certs"]["read_only"] is True
    assert "--targets-file=/var/configs/sites.yaml" in effective[deploy]["services"]["producer"]["command"]
    for ignored in (".gitignore", ".dockerignore"):
        assert re.search(r"^/?certificates/?$", (ROOT / ignored).read_text(), re.MULTILINE), ignored


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_outbox_is_on_a_named_volume(deploy, effective):
    mount = mounts(effective[deploy]["services"]["producer"])["/var/lib/websentry"]
    assert (mount["type"], mount["source"]) == ("volume", "outbox")
    assert "outbox" in effective[deploy]["volumes"]


def test_prod_keeps_its_outbox_unless_told():
    script = (ROOT / "deploy/prod/cleanup.sh").read_text()
    removing = [line for line in script.splitlines() if "compose down" in line and "--volumes" in line]
    assert len(removing) == 1
    assert removing[0].startswith("--volumes)")


@pytest.mark.parametrize("deploy", DEPLOYS)
def test_env_has_the_older_names_and_reaches_the_program(deploy, effective):
    names = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / deploy / ".env").read_text(), re.MULTILINE))
    assert names >= OLDER_NAMES | {"COMPOSE_PROJECT_NAME"}
    for name in ("producer", "consumer"):
        assert set(effective[deploy]["services"][name]["environment"]) == names
    if deploy != "prod":
        database = effective[deploy]["services"]["postgres"]["environment"]
        environment = effective[deploy]["services"]["consumer"]["environment"]
        assert database == {"POSTGRES_USER": environment["POSTGRES_USER"],
                            "POSTGRES_PASSWORD": environment["POSTGRES_PASSWORD"]}


def test_image_build_gets_every_file_that_it_needs(tmp_path):
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *allowed],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    assert not [name for name in listed if name.endswith(".env") or name.startswith("certificates/")]
    for name in listed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    done = subprocess.run(["meson", "setup", "build", "-Dtests=false"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout


def test_dockerfiles_pass_hadolint():
    files = [ROOT / "Dockerfile", *(ROOT / "deploy").glob("*/**/Dockerfile")]
    assert len(files) >= 4
    done = subprocess.run([BINARIES / "hadolint", "--no-color", *files], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_shell_scripts_run_from_any_folder_and_pass_shellcheck():
    scripts = [path for path in (ROOT / "deploy").rglob("*.sh") if ".pytest" not in str(path)]
    for deploy in DEPLOYS:
        for name in ("run.sh", "cleanup.sh"):
            assert os.access(ROOT / "deploy" / deploy / name, os.X_OK), (deploy, name)
    done = subprocess.run(["shellcheck", "-x", *scripts], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_a_part_that_is_none_is_refused_before_anything_is_made():
    done = subprocess.run([ROOT / "deploy/check.sh", "image", "lokal"], cwd="/", capture_output=True, text=True,
                          timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "deploy/check.sh: found 'lokal', expected parts: image local test prod systemd\n"


def test_systemd_is_not_proven_on_an_engine_of_others():
    environment = {"PATH": os.environ["PATH"], "PROGRAM_IMAGE": "none", "TESTS_IMAGE": "none"}
    done = subprocess.run([sys.executable, ROOT / "deploy/check/prove.py", "systemd"], cwd="/", capture_output=True,
                          env=environment, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (2, "") and "ENGINE=private" in done.stderr


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units, with a program that is there: verify complains about one that is not."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        (folder / unit.name).write_text(unit.read_text().replace("/usr/bin/websentry", shutil.which("true")))
    return sorted(folder.iterdir())


def test_units_are_there():
    assert [unit.name for unit in UNITS] == ["websentry-consumer.service", "websentry-once.service",
                                             "websentry-once.timer", "websentry-producer.service"]


def test_systemd_accepts_the_units(units):
    # An unknown key is only printed, with exit code 0: any word is a failure.
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", [unit.name for unit in UNITS if unit.suffix == ".service"])
def test_services_are_hardened(name, units):
    unit = next(unit for unit in units if unit.name == name)
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
