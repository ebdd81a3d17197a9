"""Makes the mutants of a file with mutmut's operators, and puts one where its function was."""

import difflib
import functools
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import libcst as cst
from mutmut.mutation.file_mutation import Mutation, create_mutations

CORE = Path("services/outcomes/core").resolve()
Place = tuple[str, str, int]
"""A function: its file, its qualified name, its first line."""


@dataclass(frozen=True)
class Mutant:
    """One small change of one function."""

    path: Path
    source: str
    tree: cst.Module
    mutation: Mutation

    @property
    def module(self) -> str:
        return str(self.path.relative_to(CORE))

    def changed(self) -> str:
        """The file's text with the change."""
        nodes = self.mutation.original_node, self.mutation.mutated_node
        tree = self.tree.deep_replace(*nodes)
        assert isinstance(tree, cst.Module)
        return tree.code

    def told(self) -> str:
        """The lines that differ."""
        lines = difflib.unified_diff(
            self.source.splitlines(), self.changed().splitlines(), self.module, "", n=0, lineterm=""
        )
        return "\n".join(line for line in lines if not line.startswith("+++"))

    def code(self) -> tuple[Place, CodeType] | None:
        """The function that differs, and its new code; None where no code does."""
        was = dict(functions(self.path, self.source))
        now = functions(self.path, self.changed())
        return next((one for one in now if was.get(one[0]) != one[1]), None)


def mutants(module: str) -> Iterator[Mutant]:
    """All of the files of core/ whose path holds `module`."""
    for path in sorted(CORE.rglob("*.py")):
        if module in str(path.relative_to(CORE)):
            source = path.read_text("utf-8")
            tree, found, _, _ = create_mutations(str(path), source)
            for one in found:
                if isinstance(one.contained_by_top_level_function, cst.FunctionDef):
                    yield Mutant(path, source, tree, one)


def functions(path: Path, source: str) -> Iterator[tuple[Place, CodeType]]:
    """Functions and methods of a file, outermost only."""

    def inside(code: CodeType) -> Iterator[tuple[Place, CodeType]]:
        for one in code.co_consts:
            if isinstance(one, CodeType):
                if one.co_flags & 0x1:  # a function has fast locals, the body of a class has none
                    yield place(one), one
                else:
                    yield from inside(one)

    return inside(compile(source, str(path), "exec"))


def place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def put(at: Place, code: CodeType) -> bool:
    """Give the function that stands there its new code; False where there is none."""
    found = False
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and place(one.__code__) == at:
            one.__code__, found = code, True
        elif isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()
    return found
