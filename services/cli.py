"""`shangliang`: every command of the product. A command is a function of its own module in `services/commands`."""

import sys
from importlib import import_module

import typer
from typer.core import TyperGroup
from typer.main import get_command

from services.commands.terminal import leave, speak_any_encoding

# Name, module of `services.commands`, function in it. Only the command that somebody calls is imported: all of them
# together take seconds, which every start of a worker would pay. A module's `EPILOG` shows how its command is used.
COMMANDS = (
    ("up", "up", "up"),
    ("serve", "serve", "serve"),
    ("worker", "worker", "worker"),
    ("migrate", "migrate", "migrate"),
    ("seed", "seed", "seed"),
    ("import", "importing", "import_files"),
    ("tree", "tree", "tree"),
    ("rights", "rights", "rights"),
    ("password", "password", "password"),
    ("drive", "drive", "drive"),
    ("simulate", "simulate", "simulate"),
    ("reconcile", "reconcile", "reconcile"),
    ("overdue", "overdue", "overdue"),
    ("show", "show", "show"),
    ("export", "export", "export"),
    ("lists", "lists", "lists"),
    ("committees", "committees", "committees"),
    ("packs", "packs", "packs"),
    ("incidents", "incidents", "incidents"),
    ("notices", "notices", "notices"),
    ("due", "due", "due_at"),
    ("calendar", "calendar", "calendar"),
    ("backup", "backup", "backup"),
    ("restore", "restore", "restore"),
    ("doctor", "doctor", "doctor"),
    ("audit", "audit", "audit"),
    ("keys", "keys", "keys"),
    ("retention", "retention", "retention"),
    ("person", "person", "person"),
)


class Commands(TyperGroup):
    """The commands, each found when it is asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own context class
        """Name them in the order in which people meet them."""
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: typer.Context, cmd_name: str):  # type: ignore[no-untyped-def,override]  # as above
        """Import the command of that name; None when there is none."""
        for name, module, function in COMMANDS:
            if name == cmd_name:
                found = import_module(f"services.commands.{module}")
                alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
                alone.command(name, epilog=found.EPILOG)(getattr(found, function))
                return get_command(alone)
        return None


def build() -> typer.Typer:
    """Make the command line program."""
    app = typer.Typer(
        name="shangliang",
        cls=Commands,
        help="商量:社区自治的持久流程。Durable workflows for community self-governance.",
        epilog="从 shangliang up 开始。Begin with: shangliang up",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    return app


def main() -> None:
    """Run the program that people call `shangliang`; leaves the process with its exit code."""
    code = 1
    speak_any_encoding()
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
