"""How every command of the command line fails, asks where the data is, and shows that it works."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
DATA_FOLDER = "var"
Opened = Callable[[Path], AbstractContextManager[Any]]
"""Opens a service over a data folder for the length of a block; it has `store` and `views`."""


class Move(Protocol):
    """Moves a bar of progress."""

    def __call__(self, done: int, of: int, what: str = ...) -> None:
        """So much is done, of so much."""


_WHOLE = 1_000
"""Characters of a command's first sentence in a list: as good as all."""


class PlainGroup(click.Group):
    """A group whose commands end in one line and an exit code, never in a traceback.

    1: the command could not be done. 2: it was asked for wrongly (click's own rule).
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            click.ClickException: it failed; the text says in one line what to do.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click ends without a word where nobody reads on, as behind `| head`
        except Exception as error:
            if ctx.find_root().params.get("traceback"):
                raise
            raise click.ClickException(in_one_line(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with its whole first sentence."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in named if one is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def in_one_line(error: Exception) -> str:
    """What to tell of an error: our own texts as written, the system's, else its kind alone."""
    ours = type(error).__module__.split(".")[0] in ("services", "simulation", "schemas")
    if ours and str(error):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return (
        f"this failed inside ({type(error).__name__}); --traceback before the command shows where"
    )


def data_option(command: Decorated) -> Decorated:
    """Add `--data DIR`, the folder in which both services keep everything."""
    option = click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(DATA_FOLDER),
        show_default=True,
        help="Folder in which the services keep their data.",
    )
    return option(command)


@contextmanager
def migrated(service: str) -> Iterator[None]:
    """Say which command makes the tables or topics that a block found missing.

    Raises:
        click.ClickException: they are missing, or of another version.
    """
    from services.chassis.faults import NotMigratedError

    try:
        yield
    except NotMigratedError as error:
        raise click.ClickException(with_command(str(error), service)) from error


def with_command(text: str, service: str) -> str:
    """The text with the whole command in place of "run migrate"."""
    return text.replace("run migrate", f"run `pivotpoint {service} migrate`")


@contextmanager
def progress(label: str) -> Iterator["Move"]:
    """Show a bar on the error output; the value called with (done, of) moves it.

    A third argument says what is being done from there on, in place of `label`.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)

        def move(done: int, of: int, what: str = label) -> None:
            bar.update(task, completed=done, total=max(of, 1), description=what)

        yield move


def printable(text: str) -> str:
    """The text without what a terminal would obey: escapes, line ends, turns of direction."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def rows(head: Sequence[str], body: Iterable[Sequence[str]], nothing: str) -> None:
    """Print a table in columns, or `nothing` when it has no rows."""
    lines = [tuple(map(printable, line)) for line in body]
    if not lines:
        click.echo(nothing)
        return
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in (head, *lines):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def add_upkeep(group: click.Group, opened: Opened) -> None:
    """Give a service's group the commands that every service has: verify, rebuild, parked.

    `opened` opens the service, nothing of it running.
    """

    @group.command("verify")
    @data_option
    def verify(data: Path) -> None:
        """Check every event, compare every view with a fresh fold; exit 1 on any fault."""
        from services.chassis.upkeep import check_all

        with opened(data) as service:
            check_all(service.store, service.views)

    @group.command("rebuild")
    @click.argument("views", nargs=-1)
    @data_option
    def rebuild(views: tuple[str, ...], data: Path) -> None:
        """Build VIEWS (all when left out) anew beside the old ones, then switch; intake goes on."""
        from services.chassis.upkeep import rebuild_all

        with opened(data) as service:
            rebuild_all(service.store, service.views, views)

    @group.group(cls=PlainGroup, help="Episodes set aside because an entry could not be read.")
    def parked() -> None:
        """Hold the commands about what is parked."""

    @parked.command("list")
    @data_option
    def parked_list(data: Path) -> None:
        """List what is parked: who follows the log, the episode's id, since which position, why."""
        from services.chassis.upkeep import list_parked

        with opened(data) as service:
            list_parked(service.store)

    @parked.command("replay")
    @click.argument("reader", required=False)
    @click.argument("key", type=click.UUID, required=False)
    @data_option
    def parked_replay(reader: str | None, key: UUID | None, data: Path) -> None:
        """Let the running service try again: all, those of READER, or one KEY of READER."""
        from services.chassis.upkeep import replay_parked

        with opened(data) as service:
            replay_parked(service.store, reader, key)
