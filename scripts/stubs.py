"""Write what buf does not: gRPC stubs, and an __init__.py a package that exports every name."""

import ast
import subprocess
import sys
from pathlib import Path

STUBS = Path("clients/python")


def main(descriptors: Path) -> None:
    """Write stubs and exports beside the generated messages."""
    files = sorted(str(path.relative_to("proto")) for path in Path("proto").rglob("*.proto"))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--descriptor_set_in={descriptors}",
            f"--grpc_python_out={STUBS}",
            *[file for file in files if file.endswith("_service.proto")],
        ],
        check=True,
    )
    for types in STUBS.rglob("*_pb2_grpc.pyi"):
        if not types.with_suffix(".py").exists():
            types.unlink()
    for package in sorted({Path(file).parent for file in files}):
        export(STUBS / package)


def export(folder: Path) -> None:
    """Write an __init__.py that exports every message, enum and stub of a package."""
    lines = [f'"""Generated: {".".join(folder.parts[2:])}."""', ""]
    for module in sorted(folder.glob("*_pb2.pyi")) + sorted(folder.glob("*_pb2_grpc.py")):
        names = public_names(module)
        if names:
            lines.append(f"from .{module.stem} import (")
            lines += [f"    {name} as {name}," for name in names]
            lines.append(")")
    (folder / "__init__.py").write_text("\n".join(lines) + "\n")


def public_names(module: Path) -> list[str]:
    """List what a generated module defines for its callers, enum values and extensions included."""
    grpc = module.name.endswith("_grpc.py")
    names = []
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and grpc):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    hidden = ("_", "DESCRIPTOR", "Global__")
    experimental = set() if not grpc else {name for name in names if f"{name}Stub" in names}
    return sorted(
        name for name in names if not name.startswith(hidden) and name not in experimental
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
