"""`shangliang`: every command of the product. A command is a function of its own module in `services/commands`."""

import sys

import typer

from services.commands import doctor, due, migrate, seed, serve, up, worker
from services.commands.terminal import leave

# name, function, examples; a module's `EPILOG` shows how its command is used
COMMANDS = (
    ("up", up.up, up.EPILOG),
    ("serve", serve.serve, serve.EPILOG),
    ("worker", worker.worker, worker.EPILOG),
    ("migrate", migrate.migrate, migrate.EPILOG),
    ("seed", seed.seed, seed.EPILOG),
    ("due", due.due_at, due.EPILOG),
    ("doctor", doctor.doctor, doctor.EPILOG),
)


def build() -> typer.Typer:
    """Make the command line program."""
    app = typer.Typer(
        name="shangliang",
        help="商量:社区自治的持久流程。Durable workflows for community self-governance.",
        epilog="从 shangliang up 开始。Begin with: shangliang up",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    for name, command, examples in COMMANDS:
        app.command(name, epilog=examples)(command)
    return app


def main() -> None:
    """Run the program that people call `shangliang`; leaves the process with its exit code."""
    code = 1
    try:
        build()()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        code = 130
    except Exception:
        # A defect: we leave without the interpreter's end, which would have shown it.
        sys.excepthook(*sys.exc_info())
    leave(code)


def _root() -> None:
    """商量:社区自治的持久流程。Durable workflows for community self-governance."""


if __name__ == "__main__":
    main()
