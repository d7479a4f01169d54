"""What can be asked of a language model at all, wherever it computes."""

from collections.abc import Sequence

from xorag.errors import ProjectorMismatchError, PromptTooLongError, UsageError
from xorag.types import Prompt


def check_prompts(
    prompts: Sequence[Prompt], max_new_tokens: int, *, limit: int | None, has_projector: bool
) -> None:
    """Refuse what a model cannot answer.

    Args:
        prompts: To be answered.
        max_new_tokens: That are asked for.
        limit: Tokens that the model reads and writes at most; None: not known.
        has_projector: Whether it reads soft tokens.

    Raises:
        PromptTooLongError: If a prompt and its answer exceed the limit.
        ProjectorMismatchError: If a prompt has soft tokens and there is no projector.
        UsageError: If fewer than one new token is asked for.
    """
    if max_new_tokens < 1:
        raise UsageError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
    if not has_projector and any(prompt.placeholders for prompt in prompts):
        raise ProjectorMismatchError(
            "the prompt holds soft tokens, but the generator has no projector; "
            "open it with a projector or read the passages as text"
        )
    longest = max((len(prompt.token_ids) for prompt in prompts), default=0)
    if limit is not None and longest + max_new_tokens > limit:
        raise PromptTooLongError(
            f"the prompt has {longest} tokens and {max_new_tokens} new ones are asked for, but "
            f"the language model reads {limit}; ask for fewer passages or fewer new tokens, "
            "read the passages as soft tokens (--mode xrag), or shorten the question"
        )
