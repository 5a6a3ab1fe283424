"""The system, the packages of ours, and a model that plans trips."""

import sys
from pathlib import Path

import pytest

from tests.templates.made import Ours
from tests.typescript.conftest import package, place, system
from tests.typescript.packed import Package, run

__all__ = ["ours", "package", "place", "system"]

CLIENT = Path(__file__).parents[2] / "clients" / "python"


@pytest.fixture(scope="session")
def ours(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """The Python client as a wheel, and the TypeScript client as a package."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run([*pip, "--wheel-dir", folder, CLIENT], folder)
    (wheel,) = folder.glob("acontext-*.whl")
    return Ours(wheel, package)
