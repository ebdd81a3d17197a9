"""The house keeps its own rules: what importing does, what core may know, what is logged."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from services.chassis.logs import FIELDS

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "schemas", "simulation", "bench")

# Reaching out at import would raise here; libraries may read files, and nothing may be written.
IMPORT_ALL = """
import importlib, sys, threading

REFUSED = ("socket.", "sqlite3.connect", "subprocess.Popen", "os.system", "os.fork")

def refuse(event, args):
    if event.startswith(REFUSED):
        raise RuntimeError("importing reached out: " + event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise RuntimeError("importing wrote a file")

import uuid, tempfile, ssl, asyncio, platform; platform.uname()
names = sys.stdin.read().split()
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
sys.addaudithook(refuse)
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(f"{name}: {type(error).__name__}: {error}")
if threading.active_count() > 1:
    print("importing started a thread")
"""

# Of the standard library core has what computes; what reaches out stands nowhere in it.
_SYSTEM = ("ctypes", "os", "select", "shutil", "signal", "subprocess", "sys", "tempfile", "time")
_NETWORK = ("ftplib", "http", "smtplib", "socket", "ssl", "urllib", "xmlrpc")
_STATE = ("asyncio", "logging", "multiprocessing", "random", "secrets", "sqlite3", "threading")
REACHING_OUT = frozenset((*_SYSTEM, *_NETWORK, *_STATE))


def _files(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_importing_a_module_needs_no_environment_and_reaches_nothing() -> None:
    names = " ".join(_module(file) for file in _files(*PACKAGES))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(ROOT)],
        input=names,
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == ""


@pytest.mark.parametrize("core", ["services.outcomes.core", "services.alerts.core"])
def test_core_imports_itself_and_the_pure_standard_library_alone(core: str) -> None:
    graph = grimp.build_graph("services", include_external_packages=True, cache_dir=None)
    modules = {core} | graph.find_descendants(core)
    allowed = sys.stdlib_module_names - REACHING_OUT
    strangers = [
        f"{module} -> {imported}"
        for module in sorted(modules)
        for imported in sorted(graph.find_modules_directly_imported_by(module))
        if imported not in modules and imported.partition(".")[0] not in allowed
    ]

    assert len(modules) > 1
    assert strangers == []


def test_every_log_line_is_a_fixed_text_with_listed_fields() -> None:
    faults = [
        f"{file.relative_to(ROOT)}:{call.lineno}: {fault}"
        for file in _files("services", "simulation")
        for call in _log_calls(ast.parse(file.read_text()))
        for fault in _log_faults(call)
    ]

    assert faults == []


def _log_calls(tree: ast.Module) -> Iterator[ast.Call]:
    methods = ("debug", "info", "warning", "error", "exception", "critical", "log")
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in methods and _is_logger(node.func.value):
            yield node


def _is_logger(owner: ast.expr) -> bool:
    if isinstance(owner, ast.Call):  # logging.getLogger(__name__).warning(...)
        return getattr(owner.func, "attr", "") == "getLogger"
    named = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return named.strip("_").lower() in ("logger", "logging")


def _log_faults(call: ast.Call) -> Iterator[str]:
    texts = call.args[1:] if getattr(call.func, "attr", "") == "log" else call.args
    if len(texts) != 1 or not isinstance(texts[0], ast.Constant):
        yield "the message is not one fixed text"
    for keyword in call.keywords:
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
            for key in keyword.value.keys:
                if not (isinstance(key, ast.Constant) and key.value in FIELDS):
                    yield "a field is not listed in services.chassis.logs"
        elif keyword.arg == "extra":
            yield "extra is not written out"
