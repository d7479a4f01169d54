"""How well a calibration tells, on dev rows, where a soft token fails and text does not.

    python -m benchmarks.token_probe --calibration my-calibration \
        --questions ../shared/data/nq.jsonl.gz ../shared/data/squad.jsonl.gz \
        --answers results/dev --limit 150

Prints JSON: the area under the ROC curve with its 95 % interval, over all sets and of each, and how
far the probabilities are from the shares. The answers are those of `xorag eval --rows dev --modes
text,xrag -k 1` with the same projector. `--text-answers` names another directory of the same
rows, for text is answered from without the projector.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from xorag.evaluation.auc_interval import auc_interval
from xorag.evaluation.auto_answers import TEXT, TOKEN, Answered, Answers, Key
from xorag.evaluation.auto_fit import token_examples
from xorag.evaluation.auto_seen import see_gold
from xorag.evaluation.calibration import expected_calibration_error
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.logistic_fit import Examples
from xorag.evaluation.plan import Rows, Settings
from xorag.evaluation.question_sets import read_sets
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.calibration_artifact import load_form_calibration
from xorag.pipeline.forms.logistic import Logistic


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--questions", nargs="+", required=True)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--text-answers", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    model = load_form_calibration(options.calibration).gains.token_fails
    sets = read_sets(options.questions, Settings(rows=Rows.DEV, limit=options.limit))
    names = [each.name for each in sets]
    answers: Answers = {
        TOKEN.label: answered(options.answers, names, TOKEN.label),
        TEXT.label: answered(options.text_answers or options.answers, names, TEXT.label),
    }
    gold = see_gold(Pipeline.open(), sets, seed=0)
    report = {
        name: area(
            token_examples([each for each in gold if each.set_name in chosen], answers), model
        )
        for name, chosen in (("all", names), *((name, [name]) for name in names))
    }
    print(json.dumps(report, indent=1))


def answered(directory: Path, names: Sequence[str], label: str) -> dict[Key, Answered]:
    """The answers of an evaluation under a condition."""
    place = EvaluationDirectory(directory)
    return {
        (name, identity): Answered(result.scores["match"], result.passage_tokens_used)
        for name in names
        for identity, result in place.results(name, label).read().items()
    }


def area(examples: Examples, model: Logistic) -> dict[str, object]:
    """How well the model tells the examples."""
    told = [model(row) for row in examples.features]
    found = auc_interval(told, examples.labels, examples.groups)
    return {
        "questions": len(told),
        "failing": sum(examples.labels),
        "auc": None if found is None else asdict(found),
        "ece": expected_calibration_error(told, [float(label) for label in examples.labels]),
    }


if __name__ == "__main__":
    main()
