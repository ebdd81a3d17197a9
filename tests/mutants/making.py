"""Makes the mutants of a file: functions by mutmut's operators, and the numbers of its head."""

import ast
import difflib
import functools
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

import libcst as cst
from mutmut.mutation.file_mutation import Mutation, create_mutations

Place = tuple[str, str, int]
"""A function: its file, its qualified name, its first line."""


class Change(NamedTuple):
    """What a mutant changes: the functions that a test must enter, and how it is put there."""

    places: Sequence[Place]
    put: Callable[[], bool]
    """False where there is nothing to change."""


@dataclass(frozen=True)
class Mutant:
    """One small change of one function."""

    root: Path
    path: Path
    source: str
    tree: cst.Module
    mutation: Mutation

    @property
    def module(self) -> str:
        return str(self.path.relative_to(self.root))

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

    def change(self) -> Change | None:
        """The function that differs gets its new code; None where no code does."""
        was = dict(functions(self.path, self.source))
        now = functions(self.path, self.changed())
        found = next((one for one in now if was.get(one[0]) != one[1]), None)
        return None if found is None else Change([found[0]], functools.partial(put, *found))


@dataclass(frozen=True)
class Constant:
    """Another number under a name of a module's head, for all who read the name later."""

    root: Path
    path: Path
    line: int
    name: str
    value: float

    @property
    def module(self) -> str:
        return str(self.path.relative_to(self.root))

    @property
    def other(self) -> float:
        """A whole number is one more, another a tenth more."""
        return self.value + 1 if isinstance(self.value, int) else self.value * 1.1 or 0.1

    def told(self) -> str:
        """The name with the number that it gets."""
        head = f"--- {self.module}\n@@ -{self.line} +{self.line} @@"
        return f"{head}\n-{self.name} = {self.value!r}\n+{self.name} = {self.other!r}"

    def change(self) -> Change | None:
        """Every module that holds the name gets the number; None where no function reads it."""
        modules = [one for one in sys.modules.values() if isinstance(one, ModuleType)]
        home = next(one for one in modules if getattr(one, "__file__", None) == str(self.path))
        held = vars(home)[self.name]
        holders = [vars(one) for one in modules if vars(one).get(self.name) is held]
        readers = {
            place(one.__code__)
            for one in gc.get_objects()
            if isinstance(one, FunctionType)
            and one.__code__.co_filename.startswith(str(self.root))
            and self.name in names(one.__code__)
        }

        def change() -> bool:
            for one in holders:
                one[self.name] = self.other
            forget()
            return True

        return Change(sorted(readers), change) if readers else None


def mutants(root: Path, module: str) -> Iterator[Mutant | Constant]:
    """All of the files of `root` whose path holds `module`."""
    for path in sorted(root.rglob("*.py")):
        if module in str(path.relative_to(root)):
            source = path.read_text("utf-8")
            tree, found, _, _ = create_mutations(str(path), source)
            for one in found:
                if isinstance(one.contained_by_top_level_function, cst.FunctionDef):
                    yield Mutant(root, path, source, tree, one)
            yield from constants(root, path, source)


def constants(root: Path, path: Path, source: str) -> Iterator[Constant]:
    """Numbers that a module names at its head, alone or several on a line."""
    for line in ast.parse(source).body:
        match line:
            case ast.Assign(targets=[ast.Tuple(elts=[*targets])], value=ast.Tuple(elts=[*values])):
                pairs = list(zip(targets, values, strict=True))
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                pairs = [(target, value)]
            case _:
                continue
        for target, value in pairs:
            number = _number(value)
            if isinstance(target, ast.Name) and number is not None:
                yield Constant(root, path, line.lineno, target.id, number)


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) in (int, float) else None


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


def names(code: CodeType) -> set[str]:
    """What a function reads by name, those inside it too."""
    inside = (names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*inside)


def put(at: Place, code: CodeType) -> bool:
    """Give the function that stands there its new code; False where there is none."""
    found = False
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and place(one.__code__) == at:
            one.__code__, found = code, True
    forget()
    return found


def forget() -> None:
    """What was remembered of calls before the change no longer counts."""
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()
