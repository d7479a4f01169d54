"""The program `xorag`: which verb is which function, and how a run ends.

To add a verb, write a plain annotated function in `cli/<verb>.py` and give it a line in `VERBS`:

- Its parameters are `Annotated[..., typer.Argument(...)]` or `typer.Option(...)`; booleans are
  keyword-only; the option for machines is `json: output.JsonFlag = False`.
- Its docstring is its `--help`: a sentence, and a paragraph that begins with "Example:".
- It imports whatever is heavy (torch, lancedb, anything that imports them) inside its body.
- It prints by `xorag.cli.output`, raises an `XoragError` where it cannot go on, and returns None.
- `--debug` works with every verb and is taken out before the verb sees its arguments.

Knows nothing of what the verbs do.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Annotated

import typer

from xorag.artifact.storage import refusal
from xorag.cli import output
from xorag.errors import XoragError


@dataclass(frozen=True, slots=True)
class Verb:
    """Where the function of a verb is, and the line that lists it."""

    module: str
    function: str
    summary: str

    def load(self) -> Callable[..., None]:
        """Import the function."""
        function: Callable[..., None] = getattr(import_module(self.module), self.function)
        return function


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "demo": Verb("xorag.cli.demo", "demo", "See it work on Wikipedia articles."),
        "models": Verb("xorag.cli.models", "models", "List what works here without a hub."),
        "index": Verb("xorag.cli.index", "index", "Index documents, or bring an index up to date."),
        "search": Verb("xorag.cli.search", "search", "Find passages in an index."),
        "ask": Verb("xorag.cli.ask", "ask", "Answer a question over an index."),
        "serve": Verb("xorag.cli.serve", "serve", "Answer over HTTP: an API, and a page."),
        "train projector": Verb(
            "xorag.cli.train", "projector", "Train the map from a passage to its soft token."
        ),
        "eval": Verb(
            "xorag.cli.evaluate", "evaluate", "Score the answers of each mode on question sets."
        ),
        "report": Verb("xorag.cli.report", "report", "Show what an evaluation found in a page."),
        "build-data instructions": Verb(
            "xorag.cli.build_data", "instructions", "Turn question sets into training examples."
        ),
        "build-data reflections": Verb(
            "xorag.cli.build_reflections", "reflections", "Turn them into rows for a reader."
        ),
        "train distill": Verb(
            "xorag.cli.train", "distill", "Teach it to answer as the full text would be answered."
        ),
        "train reader": Verb(
            "xorag.cli.train_reader", "reader", "Teach a model to retrieve when needed and judge."
        ),
        "train judge": Verb(
            "xorag.cli.train_judge", "judge", "Teach a reader to judge passages by soft tokens."
        ),
        "import": Verb(
            "xorag.cli.import_checkpoint", "import_checkpoint", "Take over a published checkpoint."
        ),
        "merge": Verb("xorag.cli.merge", "merge", "Fold a reader's LoRA into its base model."),
        "inspect": Verb(
            "xorag.cli.inspect", "inspect", "Show what an artifact is, and how its experts fare."
        ),
        "calibrate": Verb(
            "xorag.cli.calibrate", "calibrate", "Choose when a reader retrieves, on questions."
        ),
        "plan": Verb("xorag.cli.plan", "plan", "Reckon what an index and answers will cost."),
        "adapters": Verb(
            "xorag.cli.adapters", "adapters", "Write a projector's adapters for a vLLM server."
        ),
        "push": Verb("xorag.cli.push", "push", "Put an artifact on the Hugging Face hub."),
        "profile": Verb("xorag.cli.profile", "profile", "Measure what answering costs."),
        "config show": Verb("xorag.cli.config", "show", "Print a recipe with all its options."),
    }
)
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "train": "Train a part of the system.",
        "build-data": "Turn data sets into examples for training.",
        "config": "Look at recipes.",
    }
)
EPILOG = "Every verb also takes --debug, which logs more and shows the traceback of an error."
INTERRUPTED = 130
"""What typer returns for Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with 0, 1 (the work failed) or 2 (the command is wrong)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    words, is_debug = _take_debug(given)
    output.configure_streams()
    output.configure_logging(is_debug=is_debug)
    code = _run(words or ["--help"], is_debug=is_debug)
    sys.exit(_flush(code))


def build_app(words: Sequence[str]) -> typer.Typer:
    """The program with all verbs listed, of which only the one that `words` name is imported."""
    app = typer.Typer(
        add_completion=False,
        epilog=EPILOG,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    groups = {name: typer.Typer(help=text) for name, text in GROUPS.items()}
    for name, group in groups.items():
        app.add_typer(group, name=name)
        group.callback()(_empty)
    for name, verb in VERBS.items():
        *path, last = name.split()
        parent = groups[path[0]] if path else app
        if list(words[: len(path) + 1]) == name.split():
            parent.command(last, epilog=EPILOG)(verb.load())
        else:
            parent.command(last, help=verb.summary)(_empty)
    return app


def _run(words: Sequence[str], *, is_debug: bool) -> int:
    try:
        code = build_app(words)(args=list(words), prog_name="xorag", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except typer.TyperException as error:
        output.fail(f"{error.format_message().rstrip('.?')}; see `{_help_command(words)}`")
        return 2
    except BrokenPipeError:
        return 1
    except Exception as error:
        if is_debug:
            raise
        return _report(error)
    if code == INTERRUPTED:
        output.fail("interrupted; run the same command again to go on or start over")
        return 1
    return code if isinstance(code, int) else 0


def _report(error: Exception) -> int:
    if isinstance(error, XoragError):
        output.fail(str(error))
        return error.exit_code
    refused = refusal(error)
    if refused:
        place = getattr(error, "filename", None)
        output.fail(f"cannot write {place!r}: {refused}" if place else refused)
        return 1
    output.fail(
        f"unexpected {type(error).__name__}: {error}; this is a fault of xorag, or of the machine: "
        f"run again with --debug and report what it shows"
    )
    return 1


def _take_debug(words: Sequence[str]) -> tuple[list[str], bool]:
    """Part `--debug` from the other words; after `--` all words are left alone."""
    end = words.index("--") if "--" in words else len(words)
    options = [word for word in words[:end] if word != "--debug"]
    return options + list(words[end:]), len(options) < end


def _help_command(words: Sequence[str]) -> str:
    verb = next((name for name in VERBS if list(words[: len(name.split())]) == name.split()), "")
    group = words[0] if words and words[0] in GROUPS else ""
    return " ".join(part for part in ("xorag", verb or group, "--help") if part)


def _flush(code: int) -> int:
    """Write out what is left, without a complaint if the reader of our output has gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from xorag import __version__

        output.line(f"xorag {__version__}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Answer questions over documents, with each passage read as one soft token.

    Example: `xorag index articles/ --index my-index`, then
    `xorag ask "Who wrote Emma?" --index my-index`
    """


def _empty() -> None:
    """Stand for a verb that is listed and not run."""


if __name__ == "__main__":
    main()
