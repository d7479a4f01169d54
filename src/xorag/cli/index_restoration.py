"""The pass of `xorag index` that measures what soft tokens restore of their passages."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.errors import UsageError

if TYPE_CHECKING:
    from xorag.pipeline.restoration import MeasuringReport

RestorationOption = Annotated[
    bool,
    typer.Option(
        "--restoration",
        help="Measure how much of each passage its soft token restores, where it is not measured "
        "yet; without SOURCES nothing else is done. `xorag inspect --index` shows it.",
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--restoration-limit", help="Measure so many more passages only, drawn at random."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help="Language model: whose vocabulary says which terms are rare (--strings), and that "
        "reads soft tokens (--restoration)."
    ),
]
ProjectorOption = Annotated[
    Path | None,
    typer.Option(help="Of the soft tokens (--restoration); unset, one in xorag that fits."),
]


@dataclass(frozen=True, slots=True)
class Restoring:
    """Whether and with what it is measured, as it was asked for."""

    is_asked: bool
    limit: int | None
    model: str | None
    projector: Path | None
    device: str | None

    def check(self, *, has_milvus: bool, has_strings: bool) -> None:
        """Refuse what does not go together."""
        given = {"--restoration-limit": self.limit, "--projector": self.projector}
        unused = [name for name, value in given.items() if value is not None]
        if unused and not self.is_asked:
            raise UsageError(f"{unused[0]} is for --restoration; give both or none")
        if self.model is not None and not (self.is_asked or has_strings):
            raise UsageError("--model is for --strings and --restoration; give one of them or none")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--restoration-limit must be at least 1, got {self.limit}")
        if self.is_asked and has_milvus:
            raise UsageError(
                "Milvus keeps nothing of what soft tokens restore; leave out --restoration, or "
                "index without --store"
            )

    def measure(self, directory: Path) -> "MeasuringReport":
        """Measure, with a bar of passages."""
        from xorag.pipeline.restoration import RestorationOptions, measure_restoration
        from xorag.runtime.device import limit_threads, pick_device, pick_dtype

        limit_threads()
        place = pick_device(self.device)
        options = RestorationOptions(self.model, self.projector, self.limit)
        with output.progress("measuring tokens", unit="passages") as bar:
            return measure_restoration(
                directory,
                options,
                device=place,
                dtype=pick_dtype(place, None),
                on_measured=lambda done, total: bar.update(done, total=total),
            )


def print_measured(report: "MeasuringReport", directory: Path) -> None:
    """Say what was measured, and where it is shown."""
    rate = report.measured / report.seconds if report.seconds > 0 else 0.0
    output.line(
        f"soft tokens: {report.measured} passages measured in {report.seconds:.1f} s "
        f"({rate:.2f}/s), {report.left} left; `xorag inspect --index {directory}` shows them"
    )
