"""How well it is told, on dev rows that text answers rightly, where a soft token answers wrongly.

    python -m benchmarks.token_probe --fit results/train --answers results/dev \
        --questions ../shared/data/nq.jsonl.gz ../shared/data/squad.jsonl.gz

Prints JSON: the area under the ROC curve with its 95 % interval, over all sets, and how
far the probabilities are from the shares; with the log-probability of the first token, and without
it. Answers are those of `xorag eval --modes text,xrag -k 1` with the projector that `--projector`
names, of `--rows train` to fit on and `--rows dev` to report on; questions without an answer there
are left out. `--text-answers` names another directory of the dev rows, for text is answered from
without the projector. `--keep-out` names passages that nothing is fitted on.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from xorag.evaluation.auc_interval import auc_interval
from xorag.evaluation.auto_answers import TEXT, TOKEN, Answered, Answers, Key
from xorag.evaluation.auto_fit import RIGHT, token_examples
from xorag.evaluation.auto_seen import kept_passages, see_gold, without_kept
from xorag.evaluation.calibration import expected_calibration_error
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.logistic_fit import Examples, fit_logistic
from xorag.evaluation.plan import Rows, Settings
from xorag.evaluation.question_sets import QuestionSet, read_sets
from xorag.pipeline import Pipeline
from xorag.pipeline.forms.features import TOKEN as TOKEN_FEATURES
from xorag.pipeline.forms.logistic import Logistic


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", nargs="+", required=True)
    parser.add_argument("--fit", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--text-answers", type=Path)
    parser.add_argument("--projector")
    parser.add_argument("--keep-out", type=Path)
    options = parser.parse_args()
    whole = read_sets(options.questions, Settings(rows=Rows.ALL))
    names = [each.name for each in whole]
    keep_out = options.keep_out.read_text().split() if options.keep_out else ()
    usable = without_kept(whole, kept_passages(whole, frozenset(keep_out)))
    pipeline = Pipeline.open(projector=options.projector)
    fitted = examples(pipeline, usable, answers_in(options.fit, options.fit, names))
    told = examples(
        pipeline, whole, answers_in(options.answers, options.text_answers or options.answers, names)
    )
    report = {
        "with_first_token": areas(fitted, told, TOKEN_FEATURES),
        "without": areas(fitted, told, TOKEN_FEATURES[:-1]),
    }
    print(json.dumps(report, indent=1))


def answers_in(token: Path, text: Path, names: Sequence[str]) -> Answers:
    """The answers from soft tokens and from text."""
    return {
        TOKEN.label: answered(token, names, TOKEN.label),
        TEXT.label: answered(text, names, TEXT.label),
    }


def examples(pipeline: Pipeline, sets: Sequence[QuestionSet], answers: Answers) -> Examples:
    """The questions that text answers rightly, with the label whether the soft token does not."""
    right = {key for key, each in answers[TEXT.label].items() if each.score >= RIGHT}
    asked = [
        replace(each, questions=tuple(q for q in each.questions if (each.name, q.id) in right))
        for each in sets
    ]
    return token_examples(see_gold(pipeline, asked, seed=0), answers)


def areas(fitted: Examples, told: Examples, names: Sequence[str]) -> dict[str, object]:
    """How well a model of so many features, the first ones, tells what it was not fitted on."""
    first = [
        replace(each, features=[row[: len(names)] for row in each.features])
        for each in (fitted, told)
    ]
    model = fit_logistic(names, first[0], "where a soft token fails and text does not").model
    return {"fitted_on": len(fitted.labels), **area(first[1], model)}


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
