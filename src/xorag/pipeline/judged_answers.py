"""From paths that were judged to the answer that is given, with its evidence and cost.

Knows nothing of models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xorag.generation.judging import Path
from xorag.generation.judging_prompts import JudgingPrompts, Paragraph
from xorag.generation.prompting import Context
from xorag.pipeline.judging_options import Judging
from xorag.pipeline.options import Asking
from xorag.reflection.scoring import choose_path, stated_answer, vote_over_closed_answers
from xorag.types import Answer, Cost, Critique, Evidence, GateDecision, Seconds


@dataclass(frozen=True, slots=True)
class Read:
    """The paragraphs of a question, and the path through each."""

    paragraphs: tuple[Paragraph, ...]
    paths: tuple[Path, ...]
    dropped: tuple[Context, ...] = ()
    """Passages that were not read."""

    @property
    def critiques(self) -> list[Critique]:
        """Of each path."""
        return [path.critique for path in self.paths if path.critique is not None]


@dataclass(frozen=True, slots=True)
class Skimmed:
    """What judging the passages of a question by their soft tokens took, and what it left out."""

    left_out: tuple[Context, ...]
    """Passages that were judged and are not read."""
    tokens: tuple[int, ...]
    """That each of them took."""
    prompt_tokens: int
    """Read for judging all of the question's passages."""


@dataclass(frozen=True, slots=True)
class Judged:
    """All that a question's answer is made of."""

    gate: GateDecision
    question_tokens: int
    read: Read | None
    """None where no passage was read."""
    closed: Path | None
    """The answer without passages, where it was written."""
    encode_seconds: float
    search_seconds: float
    skimmed: Skimmed | None = None
    """In mode cascade only."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is answered, and by which path; None: nothing, as no path is good enough."""

    text: str
    path: Path | None


def judged_answer(
    question: str, judged: Judged, asking: Asking, generate: float, prompts: JudgingPrompts
) -> Answer:
    """The best path's answer, with all passages that were read.

    Args:
        question: As the user wrote it.
        judged: Its paths.
        asking: What the call asks for.
        generate: Seconds, its share of reading and writing.
        prompts: Which can count tokens.
    """
    choice = _choose(judged, asking.judging)
    read = tuple(_evidence(judged.read, choice.path, prompts)) if judged.read else ()
    evidence = (*read, *_left_out(judged.skimmed, prompts)) if judged.skimmed else read
    total = generate + judged.encode_seconds + judged.search_seconds
    seconds = Seconds(judged.encode_seconds, judged.search_seconds, generate, total)
    return Answer(
        question,
        asking.mode,
        choice.text,
        evidence,
        _cost(judged, evidence, seconds),
        choice.path.generation.confidence if choice.path else None,
        gate=judged.gate,
        abstained=choice.path is None,
    )


def _choose(judged: Judged, judging: Judging) -> _Choice:
    """The best path, or the vote over a closed set; abstaining is for passages that were read."""
    if judged.read is None:
        if judged.closed is None:
            raise RuntimeError("a question came without a path")
        text = judged.closed.generation.text
        stated = stated_answer(text, judging.answer_set) if judging.answer_set else None
        return _Choice(text if stated is None else stated, judged.closed)
    paths, critiques = judged.read.paths, judged.read.critiques
    best = choose_path(critiques, abstain_below=judging.abstain_below)
    if best is None:
        return _Choice("", None)
    if judging.answer_set is not None:
        texts = [path.generation.text for path in paths]
        vote = vote_over_closed_answers(texts, critiques, judging.answer_set)
        if vote is not None:
            return _Choice(vote.answer, paths[vote.path])
    return _Choice(paths[best].generation.text, paths[best])


def _evidence(read: Read, chosen: Path | None, prompts: JudgingPrompts) -> Iterator[Evidence]:
    """Each passage with the judgement of its path."""
    for paragraph, path in zip(read.paragraphs, read.paths, strict=True):
        for fact in paragraph.facts:
            tokens = prompts.tokens_of(fact)
            if path.cut:
                tokens = min(tokens, path.prompt_tokens // len(paragraph.facts))
            yield Evidence(
                fact.hit.passage,
                fact.hit.score,
                fact.form,
                tokens,
                prompts.tokens_as_text(fact.hit.passage),
                path.critique,
                is_chosen=path is chosen,
                shown=fact.shown,
                reason=fact.reason,
            )
    for fact in read.dropped:
        as_text = prompts.tokens_as_text(fact.hit.passage)
        yield Evidence(
            fact.hit.passage,
            fact.hit.score,
            fact.form,
            0,
            as_text,
            is_chosen=False,
            reason=fact.reason,
        )


def _left_out(skimmed: Skimmed, prompts: JudgingPrompts) -> Iterator[Evidence]:
    """Each passage that was judged by its soft token and is not read."""
    for item, tokens in zip(skimmed.left_out, skimmed.tokens, strict=True):
        yield Evidence(
            item.hit.passage,
            item.hit.score,
            item.form,
            tokens,
            prompts.tokens_as_text(item.hit.passage),
            is_chosen=False,
            reason=item.reason,
        )


def _cost(judged: Judged, evidence: Sequence[Evidence], seconds: Seconds) -> Cost:
    """Everything that was read and written for a question, on all its paths."""
    paths = [
        *(judged.read.paths if judged.read else ()),
        *([judged.closed] if judged.closed else ()),
    ]
    skimmed = judged.skimmed.prompt_tokens if judged.skimmed else 0
    read = sum(path.prompt_tokens for path in paths)
    return Cost(
        prompt_tokens=judged.question_tokens + read + skimmed,
        passage_tokens_as_text=sum(item.tokens_as_text for item in evidence),
        passage_tokens_used=sum(item.tokens for item in evidence),
        generated_tokens=sum(len(path.token_ids) for path in paths),
        seconds=seconds,
    )
