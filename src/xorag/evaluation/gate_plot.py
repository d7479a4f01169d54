"""A plot of gates: accuracy against retrieval rate, and the point that was chosen."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from xorag.artifact.storage import translate_os_errors
from xorag.errors import MissingExtraError, UsageError
from xorag.evaluation.gate_calibration import GateCalibration
from xorag.types import GateKind

SUFFIXES = (".svg", ".png", ".pdf")
_STYLES: Mapping[GateKind, tuple[str, str]] = MappingProxyType(
    {  # Okabe and Ito's colours, which colour-blind readers tell apart
        GateKind.TOKEN: ("#0072b2", "-"),
        GateKind.MINP: ("#d55e00", "--"),
        GateKind.MEANP: ("#009e73", "-."),
    }
)


def require_plot(path: Path) -> None:
    """Refuse, before anything is asked, what could not be drawn after it.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        UsageError: If the file's ending is of no kind of picture, or its folder is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot plot to {str(path)!r}; end the name in {', '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {str(path.parent)!r} to plot to; make it first")
    _matplotlib()


def plot_gates(calibration: GateCalibration, path: Path) -> None:
    """Draw a line for each gate, the line of retrieving at random, and the chosen point.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        StorageError: If the file cannot be written.
    """
    figure: Any = _matplotlib()(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    ends = (100 * calibration.closed_accuracy, 100 * calibration.retrieved_accuracy)
    axes.plot((0, 100), ends, color="#999999", linestyle=":", label="at random")
    for report in calibration.reports:
        colour, line = _STYLES[report.kind]
        auc = "" if report.auc is None else f" (AUC {report.auc:.2f})"
        axes.plot(
            [100 * point.retrieval_rate for point in report.curve],
            [100 * point.accuracy for point in report.curve],
            color=colour,
            linestyle=line,
            label=f"{report.kind.value}{auc}",
        )
    chosen = calibration.choice.point
    axes.plot(
        100 * chosen.retrieval_rate, 100 * chosen.accuracy, "o", color="black", label="chosen"
    )
    axes.set_xlabel("questions retrieved for, %")
    axes.set_ylabel("questions answered rightly, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with translate_os_errors(path):
        figure.savefig(path)


def _matplotlib() -> Any:  # noqa: ANN401 - the class Figure
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError(
            "a plot needs matplotlib, which is not installed; install xorag[eval]"
        ) from error
    return Figure
