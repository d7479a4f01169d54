"""Each passage in its own form under a budget, through the whole pipeline."""

from pathlib import Path

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import DOCUMENTS, World
from xorag.errors import UsageError
from xorag.pipeline import Pipeline
from xorag.pipeline.form_options import WantedForm
from xorag.pipeline.forms.candidates import Seen
from xorag.pipeline.forms.gain import BySimilarity
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.types import AUTO, Answer, Form, Hit, Passage

NOVEL = (
    "It is a novel of its time. Jane Austen wrote the book Emma in 1815. The king read it in Paris "
    "with his friends. No one knows why he did so."
)
PASSAGES = [
    Passage("n", "n", "Emma", NOVEL, 0),
    Passage("p", "p", "Paris", "Paris is the capital of France. The river is the Seine.", 0),
    Passage("b", "b", "Berlin", "Berlin is the capital of Germany. It has many lakes.", 0),
]
QUESTION = "Who wrote the book Emma?"


def asked(pipeline: Pipeline, budget: int) -> Answer:
    return pipeline.ask(QUESTION, passages=PASSAGES, form=AUTO, budget=budget, max_new_tokens=2)


@pytest.mark.parametrize("budget", [1, 2, 40, 120, 100_000])
def test_the_passages_stay_in_the_budget_as_the_prompt_counts_them(
    budget: int, pipeline: Pipeline
) -> None:
    answer = asked(pipeline, budget)

    nothing = pipeline.ask(QUESTION, passages=PASSAGES, form="dropped", max_new_tokens=2)
    assert answer.cost.passage_tokens_used <= budget
    assert answer.cost.passage_tokens_used == sum(item.tokens for item in answer.evidence)
    assert answer.cost.prompt_tokens >= nothing.cost.prompt_tokens


def test_more_budget_shows_more_up_to_the_whole_text(pipeline: Pipeline) -> None:
    expected = [
        sum(item.choice.gain for item in asked(pipeline, budget).evidence if item.choice)
        for budget in (1, 2, 40, 120, 100_000)
    ]
    plenty = asked(pipeline, 100_000)

    assert expected == sorted(expected)
    assert expected[0] < expected[-1]
    assert [item.form for item in plenty.evidence] == [Form.TEXT] * 3


@pytest.mark.parametrize(
    ("similarities", "best"),
    [((0.3, 0.3, 0.3), 0), ((0.3, 0.9, 0.3), 1), ((None, None, None), 0)],
)
def test_a_passage_is_the_likelier_the_more_similar_it_is_and_the_more_words_it_shares(
    similarities: tuple[float | None, ...], best: int
) -> None:
    seen = [
        Seen(QUESTION, Hit(passage, 0.0, similarity=similarity), rarity=lambda _: 1.0)
        for passage, similarity in zip(PASSAGES, similarities, strict=True)
    ]

    holds = [each.holds_answer for each in BySimilarity().expected(seen)]

    assert holds[best] == max(holds) > 0.5
    assert sum(holds) == pytest.approx(1)


def test_the_same_question_is_read_the_same_again(pipeline: Pipeline) -> None:
    first, second = (asked(pipeline, 60).evidence for _ in range(2))

    assert first == second


def test_each_passage_says_why_and_what_else_was_weighed(pipeline: Pipeline) -> None:
    evidence = asked(pipeline, 60).as_json()["evidence"]

    for item in evidence:
        chosen = item["choice"]
        weighed = {option["label"]: option for option in chosen["options"]}
        assert "by similarity" in item["reason"]
        assert {"dropped", "token", "text"} <= weighed.keys()
        assert weighed["text"]["tokens"] == item["tokens_as_text"]
        assert weighed["dropped"] == {"label": "dropped", "tokens": 0, "gain": 0.0}
        assert any(
            (option["tokens"], option["gain"]) == (item["tokens"], chosen["gain"])
            for option in chosen["options"]
        )
    assert sum(item["choice"]["holds_answer"] for item in evidence) == pytest.approx(1)


def test_a_fixed_form_says_nothing_of_a_choice(pipeline: Pipeline) -> None:
    answer = pipeline.ask(QUESTION, passages=PASSAGES, form="token", max_new_tokens=2)

    assert all("choice" not in item for item in answer.as_json()["evidence"])


def test_passages_of_an_index_are_weighed_by_what_it_stores(world: World, tmp_path: Path) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    build_index(DOCUMENTS, tmp_path / "index", encoder, IngestOptions(pieces=2))
    opened = Pipeline.open(
        tmp_path / "index", model=str(world.model), projector=world.projector, dtype="float32"
    )
    opened.embedder = None  # nothing has to be encoded

    answer = opened.ask("Which river?", k=4, form=AUTO, budget=30, max_new_tokens=2)

    assert len(answer.evidence) == 4
    assert answer.cost.passage_tokens_used <= 30
    assert any(item.form is not Form.DROPPED for item in answer.evidence)


def test_a_reader_judges_passages_in_the_forms_that_were_chosen(
    world: World, tmp_path: Path
) -> None:
    reader = save_tiny_reader(world, tmp_path / "tiny")
    opened = Pipeline.open(
        world.index, reader=reader, projector=world.projector, dtype="float32", device="cpu"
    )

    answer = opened.ask(
        QUESTION,
        passages=PASSAGES,
        mode="openrag",
        gate="always",
        form=AUTO,
        budget=60,
        max_new_tokens=2,
    )

    assert sum(item.tokens for item in answer.evidence) <= 60
    assert any(item.critique is not None for item in answer.evidence)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"form": "auto", "budget": 0}, "a budget is of 1 to 1000000 tokens, got 0"),
        ({"form": "text", "budget": 8}, "budget goes with form 'auto' only"),
        ({"budget": 8}, "budget goes with form 'auto' only"),
        ({"form": "auto", "sentences": 2}, "with form 'sentences' only, got form 'auto'"),
        ({"form": "auto", "mode": "closed"}, "form 'auto' does not go with it"),
    ],
)
def test_options_that_do_not_go_with_a_budget_are_refused(
    options: dict[str, object], reason: str, pipeline: Pipeline
) -> None:
    with pytest.raises(UsageError, match=reason):
        pipeline.ask(QUESTION, **options)  # type: ignore[arg-type]


def test_a_call_may_want_each_form_of_a_passage_and_auto() -> None:
    assert [form.value for form in WantedForm] == [*(form.value for form in Form), AUTO]
