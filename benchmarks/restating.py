"""How well a projector's soft tokens restate their passages. Prints JSON.

    python -m benchmarks.restating smollm2-minilm --projector runs/smollm2-minilm-distill/projector

Measures what `xorag train projector` reports at its end, for any projector and rates: the loss of
the passages that the recipe holds out for the report, with their own soft tokens, with none and
with another passage's.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import machine
from xorag.compression.model import SoftTokenModel
from xorag.compression.pretrained import open_projector
from xorag.compression.projector_artifact import base_model_shape
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.config.reading import read_recipe
from xorag.retrieval.index import PassageIndex
from xorag.runtime.device import limit_threads
from xorag.training.parts import build_parts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--projector", type=Path, help="unset: the one that comes with xorag")
    parser.add_argument("--rates", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    rates = f"passages.rates={sorted(set(options.rates))}"
    recipe = read_recipe(ProjectorRecipe, options.recipe, [*options.overrides, rates])
    index = PassageIndex.open(recipe.passages.index)
    parts = build_parts(recipe, index, None, lambda _text: None)
    shape = base_model_shape(parts.language.model, parts.language.name)
    saved = open_projector(options.projector, shape, index.spec)
    if saved is None:
        raise SystemExit("no projector comes with xorag for this recipe; give --projector")
    model = parts.language.model
    # The words of passages are read by way of this one, if the projector reads any.
    parts.objective.reader.projector = saved.projector.to(model.device)
    reader = SoftTokenModel(model, saved.projector, saved.adapters)
    losses = parts.restating.reported_losses(
        reader, pad_id=parts.pad_id, batch_size=recipe.train.batch_size
    )
    by_rate = {rate: asdict(losses[rate]) for rate in options.rates}
    print(json.dumps({"losses_by_rate": by_rate, **machine(threads, "cpu")}, indent=2))


if __name__ == "__main__":
    main()
