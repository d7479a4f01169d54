"""Options of how passages are found, chosen and judged, which `ask` and `eval` share."""

from pathlib import Path
from typing import Annotated

import typer

from xorag.pipeline.finding_options import HopBy
from xorag.pipeline.form_options import WantedForm
from xorag.types import SearchMode

CalibrationOption = Annotated[
    Path | None,
    typer.Option(help="Of the reader, or of forms for --form auto; unset, those beside them."),
]
ThresholdOption = Annotated[
    float | None, typer.Option(help="The gate's, 0 to 1; unset, as calibrated, else 0.5.")
]
AbstainOption = Annotated[
    float | None, typer.Option(help="Give no answer where every passage's path scores below this.")
]
TogetherOption = Annotated[
    bool, typer.Option("--together", help="Read all passages in one paragraph (openrag).")
]
AsRelevantOption = Annotated[
    bool, typer.Option("--as-relevant", help="Answer from each passage as if relevant (openrag).")
]
FormOption = Annotated[
    WantedForm | None,
    typer.Option(help="How passages are read, or auto, each as it needs; unset, as the mode says."),
]
BudgetOption = Annotated[
    int | None,
    typer.Option(help="Tokens that all passages may take together, for --form auto; unset, 64."),
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Show why each passage was read in its form (form auto).")
]
StringsTokensOption = Annotated[
    int, typer.Option(help="Tokens that a passage's strings may take, for --form strings.")
]
SentencesOption = Annotated[
    int, typer.Option(help="Sentences of a passage that are shown, for --form sentences.")
]
SearchOption = Annotated[
    SearchMode, typer.Option(help="Find passages by embedding, by words, or by both.")
]
HopsOption = Annotated[
    int, typer.Option(help="How often to look for passages, each time for what they name.")
]
HopByOption = Annotated[
    HopBy, typer.Option(help="Look next for names in passages, or for the model's answer.")
]
SelectOption = Annotated[
    int | None, typer.Option(help="Of the -k passages, read only so many, the best together.")
]
RerankerOption = Annotated[
    str | None, typer.Option(help="A cross-encoder, for --select-by reranker.")
]
VerifyOption = Annotated[
    bool,
    typer.Option(
        "--verify", help="Look numbers, dates and names up in the passages; read again if need be."
    ),
]
AbstainUnverifiedOption = Annotated[
    bool, typer.Option("--abstain-unverified", help="Give no answer where --verify finds a gap.")
]
KeepOption = Annotated[
    int | None, typer.Option(help="Of the -k passages, those that mode cascade reads: 3.")
]
JudgeOption = Annotated[
    Path | None,
    typer.Option(help="What `xorag train judge` made, for mode cascade; unset, the reader's own."),
]
