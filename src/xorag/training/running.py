"""Going through a plan to its end, whatever is trained."""

from collections.abc import Callable
from pathlib import Path

from transformers import Trainer, TrainerState
from transformers.trainer import TRAINER_STATE_NAME

from xorag.training.distribution import require_as_launched
from xorag.training.progress import CountsTokens, OnTraining, ProgressCallback
from xorag.training.sharding import make_whole, require_shareable
from xorag.training.trainer import last_checkpoint


def run_to_end(
    trainer: Trainer,
    objective: CountsTokens,
    directory: Path,
    *,
    on_progress: OnTraining | None,
    begin: Callable[[], None] | None = None,
    is_shareable: bool = False,
) -> int:
    """Train, from where a run that was stopped in this directory left off; what was done is loaded.

    Args:
        trainer: Set up for the plan.
        objective: What it minimises.
        directory: Of the run, with its checkpoints.
        on_progress: Told of each step.
        begin: Called before the first step of a run that has no checkpoint yet.
        is_shareable: Whether the end of the run knows how to save weights that FSDP shares out.

    Returns:
        The steps of the whole run.

    Raises:
        TrainingError: If the processes launched do not work together, or share weights out that
            cannot be gathered.
    """
    if on_progress is not None:
        trainer.add_callback(ProgressCallback(objective, on_progress))
    require_as_launched(trainer.accelerator)
    if not is_shareable:
        require_shareable(trainer.accelerator)
    checkpoint = last_checkpoint(directory)
    if checkpoint is None and begin is not None:
        begin()
    if checkpoint is not None:
        state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
        if state.global_step >= state.max_steps:
            # transformers would train one step more; it has no public way to load alone.
            trainer._load_from_checkpoint(checkpoint)  # noqa: SLF001
            return int(state.global_step)
    trainer.train(resume_from_checkpoint=checkpoint)
    if trainer.model is not None:
        make_whole(trainer.model)
    return int(trainer.state.global_step)
