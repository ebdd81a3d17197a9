"""The `pivotpoint` command: both services at once, the demo, and each service's own commands."""

import logging
from pathlib import Path

import click

from services.alerts.__main__ import alerts
from services.chassis.command import PlainGroup, data_option
from services.outcomes.__main__ import outcomes
from services.outcomes.research.change import change
from services.outcomes.research.evaluate import evaluate
from services.outcomes.research.fit import fit

PORT = click.IntRange(0, 65535)


@click.group(cls=PlainGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where a failure inside comes from.")
def main(traceback: bool) -> None:
    """Find courses of therapy that are not helping while there is still time.

    Everything stays on this machine. `pivotpoint demo` shows it with a made-up clinic.
    """


@main.command()
@data_option
@click.option(
    "--outcomes-port",
    type=PORT,
    default=8070,
    show_default=True,
    help="Where measures are posted; 0 takes a free port.",
)
@click.option(
    "--alerts-port",
    type=PORT,
    default=8071,
    show_default=True,
    help="Where people sign in; 0 takes a free port.",
)
def run(data: Path, outcomes_port: int, alerts_port: int) -> None:
    """Run both services on this machine, in one process, until stopped (Ctrl-C or SIGTERM)."""
    from services.chassis import logs
    from services.chassis.clock import SystemClock
    from services.embedded import Embedded

    logs.setup("pivotpoint")
    both = Embedded.open(data, SystemClock(), outcomes_port=outcomes_port, alerts_port=alerts_port)
    code = both.serve(lambda: _first_steps(both.outcomes_url, both.alerts_url, data))
    raise click.exceptions.Exit(code)


@main.command()
@click.option("--once", is_flag=True, help="Print the summary and end instead of serving on.")
@click.option("--port", type=PORT, default=0, help="Where people sign in; a free port if left out.")
@click.option(
    "--store",
    help="Play on this empty database (postgresql://…) and the broker, in four processes.",
)
@click.option("--broker", help="host:port of a Kafka without topics of ours; goes with --store.")
@click.option("--clients", type=click.IntRange(8, 500), default=60, hidden=True)
@click.option("--weeks", type=click.IntRange(6, 52), default=16, hidden=True)
@click.option("--seed", type=int, default=2026, hidden=True)
def demo(
    once: bool,
    port: int,
    store: str | None,
    broker: str | None,
    clients: int,
    weeks: int,
    seed: int,
) -> None:
    """Play a made-up clinic through both services, tell what came of it, and keep serving it."""
    from services.chassis import logs
    from simulation.play import Parts, play

    if bool(store) != bool(broker):
        raise click.UsageError("--store and --broker go together")
    logs.setup("demo", level=logging.ERROR)
    parts = Parts(store, broker) if store and broker else None
    play(clients=clients, weeks=weeks, seed=seed, port=port, once=once, parts=parts)


@main.group(cls=PlainGroup, help="What the services do when this machine's clock jumps.")
def clock() -> None:
    """Hold the commands about the clock."""


@clock.command("accept")
@data_option
def clock_accept(data: Path) -> None:
    """Trust the clock as it is now, after it jumped and timers stopped; of both services."""
    from services.alerts.commands.opening import opened as alerts_of
    from services.chassis.clock import SystemClock
    from services.outcomes.commands.opening import opened as outcomes_of

    moment = SystemClock()
    with outcomes_of(data) as service:
        service.store.clock_guard(moment).accept()
    with alerts_of(data) as other:
        accepted = other.store.clock_guard(moment).accept()
    click.echo(f"The clock is trusted as of {accepted:%Y-%m-%d %H:%M} UTC.")


main.add_command(outcomes)
main.add_command(alerts)
main.add_command(change)
main.add_command(evaluate)
main.add_command(fit)


def _first_steps(outcomes_url: str, alerts_url: str, data: Path) -> None:
    click.echo(
        f"Measures are taken at {outcomes_url} (described at {outcomes_url}/docs).\n"
        f"People sign in at {alerts_url}. Data is kept in {data}.\n"
        "First steps, in another terminal:\n"
        f"  pivotpoint outcomes sender add my-ehr --data {data}\n"
        f"  pivotpoint alerts person add NAME --role clinician --data {data}\n"
        f"  pivotpoint alerts person link NAME my-ehr REFERENCE --data {data}\n"
        f"  pivotpoint alerts invite NAME --data {data}\n"
        "Stop with Ctrl-C."
    )


if __name__ == "__main__":
    main()
