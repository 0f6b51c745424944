"""The command line: the same computations as in the browser. Bad input gets one sentence and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from unlearn_core import __version__, plugins
from unlearn_core.cli import app as dashboard
from unlearn_core.cli import bench, check, check_plugin, discover, export, parts, results, returns, run, store, sweep, tune
from unlearn_core.cli.options import BAD_INPUT, FAILED, INTERRUPTED, PluginOption, fail, with_plugins_first
from unlearn_core.errors import UserError

app = typer.Typer(
    help="Eunoe: corrupt data in a controlled way, unlearn it, and measure what healed.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eunoe {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    plugin: PluginOption = None,
) -> None:
    plugins.name_files(plugin or [])
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("app", context_settings=dashboard.PASSED_ON)(dashboard.app)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("discover")(discover.discover)
app.command("methods")(parts.methods)
app.add_typer(parts.datasets_app, name="datasets")
app.command("models")(parts.models)
app.command("kinds")(parts.kinds)
app.command("sweep")(sweep.sweep)
app.command("results")(results.results)
app.command("tune")(tune.tune)
app.command("returns")(returns.returns)
app.command("export")(export.export)
app.add_typer(store.store_app, name="store")
app.command("bench")(bench.bench)
app.command("check-plugin")(check_plugin.check_plugin)


def _name() -> str:
    """As the process was called, for the help's first line."""
    return "eunoe" if os.path.basename(sys.argv[0]).removesuffix(".exe") == "eunoe" else "python -m unlearn_core"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 fine, 1 a run failed, 2 bad input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a terminal may be set to ASCII; "±" must not end a run
    try:
        given = with_plugins_first(sys.argv[1:] if arguments is None else arguments)
        code = app(args=given, prog_name=_name(), standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except UserError as error:
        return fail(str(error), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing to say, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last line of defence: a person at a terminal gets a sentence
        if hasattr(error, "format_message"):  # typer's own complaints, whichever click it carries
            return fail(error.format_message().replace("Value error, ", ""), BAD_INPUT)
        if os.environ.get("UNLEARN_DEBUG"):
            raise
        return fail(f"Something went wrong inside Eunoe ({type(error).__name__}: {error})", FAILED)
