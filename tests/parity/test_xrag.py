"""Our code reads the checkpoints that xRAG publishes and computes the numbers that it computes."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from xorag.compression.model import SoftTokenModel
from xorag.compression.projector_artifact import load_projector
from xorag.compression.published import import_published
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.conversation import Turn, background_pieces, encode_conversation
from xorag.generation.examples import PASSAGE_FIELD, encode_paraphrase, soft_token_pieces
from xorag.generation.generator import TransformersGenerator
from xorag.generation.layouts import PUBLISHED_PLACEHOLDER, layout_named
from xorag.training.distillation import Alignment, compared_positions, distillation_loss
from xorag.training.losses import predicting_positions, scored_tokens
from xorag.types import Prompt

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "golden"
GOLDEN = Path(os.environ.get("XORAG_GOLDEN") or BESIDE).resolve() / "xrag"
TOLERANCE = 1e-4
NEW_TOKENS = 12

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(
        not GOLDEN.is_dir(), reason=f"no golden numbers at {GOLDEN}; set XORAG_GOLDEN"
    ),
]
every_checkpoint = pytest.mark.parametrize("name", ["xmistral", "xmixtral"])


@dataclass(frozen=True)
class Checkpoint:
    """A published checkpoint as we read it, and what the published program makes of it."""

    model: SoftTokenModel
    expected: dict[str, Tensor]
    stated: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Tensor]:
        ids = self.expected["input_ids"]
        placeholder_id = encoder().tokenizer.convert_tokens_to_ids(PUBLISHED_PLACEHOLDER)
        is_placeholder = ids == torch.tensor(placeholder_id)
        return {
            "input_ids": ids,
            "attention_mask": self.expected["attention_mask"],
            "is_placeholder": is_placeholder,
            "passage_embeddings": self.expected["retrieval_embeds"],
        }


def stated() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    return content


def encoder() -> PromptEncoder:
    tokenizer = AutoTokenizer.from_pretrained(
        GOLDEN / "tokenizer", clean_up_tokenization_spaces=False
    )
    return PromptEncoder(tokenizer, placeholder=PUBLISHED_PLACEHOLDER)


def open_checkpoint(name: str, folder: Path) -> Checkpoint:
    imported = import_published(GOLDEN / name, folder / name)
    language_model = AutoModelForCausalLM.from_pretrained(
        str(imported.language_model), attn_implementation="eager"
    )
    model = SoftTokenModel(language_model, load_projector(imported.projector).projector)
    return Checkpoint(model, load_file(GOLDEN / f"{name}_expected.safetensors"), stated()[name])


def difference(ours: Tensor, theirs: Tensor, mask: Tensor) -> float:
    """The largest difference at positions that the mask shows."""
    return float((ours - theirs).abs()[mask.bool()].max())


@every_checkpoint
def test_logits_with_passages_are_the_published_ones(name: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(name, tmp_path)

    with torch.inference_mode():
        logits = checkpoint.model(**checkpoint.inputs).logits

    mask = checkpoint.expected["attention_mask"]
    assert difference(logits, checkpoint.expected["logits"], mask) < TOLERANCE


@every_checkpoint
def test_logits_of_the_imported_language_model_are_the_published_ones(
    name: str, tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(name, tmp_path)
    ids, mask = checkpoint.expected["input_ids"], checkpoint.expected["attention_mask"]

    with torch.inference_mode():
        logits = checkpoint.model(ids, mask).logits

    assert difference(logits, checkpoint.expected["logits_without_embeds"], mask) < TOLERANCE


@every_checkpoint
def test_generated_ids_and_texts_are_the_published_ones(name: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(name, tmp_path)
    generator = TransformersGenerator(checkpoint.model, encoder())
    expected = checkpoint.expected["generated_ids"].tolist()

    answers = generator.generate(prompts_of(checkpoint), max_new_tokens=NEW_TOKENS)

    end = encoder().tokenizer.eos_token_id
    for answer, ids, text in zip(answers, expected, checkpoint.stated["generated"], strict=True):
        kept = ids[: ids.index(end)] if end in ids else ids
        assert list(answer.token_ids) == kept
        assert encoder().tokenizer.decode(ids) == text


@every_checkpoint
def test_the_wrappers_own_generate_gives_the_published_ids(name: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(name, tmp_path)

    ids = checkpoint.model.generate(**checkpoint.inputs, max_new_tokens=NEW_TOKENS, do_sample=False)

    assert ids.tolist() == checkpoint.expected["generated_ids"].tolist()


@every_checkpoint
def test_the_published_prompts_are_encoded_alike(name: str) -> None:
    expected = load_file(GOLDEN / f"{name}_expected.safetensors")
    layout, encode = layout_named("xrag", encoder().tokenizer), encoder()

    for row, text in enumerate(stated()[name]["texts"]):
        question = text.split("Question: ")[1].split("? [/INST]")[0]
        passages = [None] * text.count(PUBLISHED_PLACEHOLDER)
        pieces = layout.question_pieces(question, passages)
        ids = encode.encode(pieces, with_bos=layout.frame.with_bos).token_ids

        shown = expected["attention_mask"][row].bool()
        assert list(ids) == expected["input_ids"][row][shown].tolist()


def test_a_paraphrase_example_has_the_published_ids_and_labels() -> None:
    case = stated()["encode"]["pretrain"]
    instruction = case["template"].replace("{xrag_token}", PASSAGE_FIELD)

    example = encode_paraphrase(
        encoder(),
        layout_named("xrag", encoder().tokenizer),
        instruction,
        case["document"],
        max_tokens=case["max_seq_length"],
    )

    assert list(example.token_ids) == case["out"]["xrag_input_ids"]
    assert list(example.labels) == case["out"]["xrag_labels"]


def prompts_of(checkpoint: Checkpoint) -> list[Prompt]:
    """The padded rows as prompts of their own."""
    inputs, prompts, taken = checkpoint.inputs, [], 0
    for ids, mask, places in zip(
        inputs["input_ids"], inputs["attention_mask"].bool(), inputs["is_placeholder"], strict=True
    ):
        positions = torch.nonzero(places[mask]).flatten().tolist()
        rows = inputs["passage_embeddings"][taken : taken + len(positions)]
        taken += len(positions)
        prompts.append(Prompt(tuple(ids[mask].tolist()), tuple(positions), tuple(rows.numpy())))
    return prompts


def test_an_instruction_example_has_the_published_ids_and_labels() -> None:
    cases = [stated()["encode"]["finetune"], *stated()["encode"]["finetune_long"]]
    for case in cases:
        example, out = case["example"], case["out"]
        tokenizer, layout = encoder().tokenizer, layout_named("xrag", encoder().tokenizer)
        said = [message["content"] for message in example["messages"]]
        turns = [Turn(*pair) for pair in zip(said[::2], said[1::2], strict=True)]

        pieces = background_pieces(tokenizer, example["background"])
        student, teacher = (
            encode_conversation(
                encoder(), layout, background, turns, max_tokens=case["max_seq_length"]
            )
            for background in (soft_token_pieces(len(pieces)), [Quoted(example["background"])])
        )

        assert pieces == out["retriever_input_text"]
        assert list(student.token_ids) == out["xrag_input_ids"]
        assert list(student.labels) == out["xrag_labels"]
        assert list(teacher.token_ids) == out["input_ids"]
        assert list(teacher.labels) == out["labels"]


def test_the_losses_are_the_published_ones() -> None:
    given, expected = load_file(GOLDEN / "losses_inputs.safetensors"), stated()["losses"]
    labels = given["student_labels"]
    student = given["student_logits"][compared_positions(labels, Alignment.PUBLISHED)]
    teacher = given["teacher_logits"][
        compared_positions(given["teacher_labels"], Alignment.PUBLISHED)
    ]

    nll = scored_tokens(given["student_logits"][predicting_positions(labels)], labels).losses
    kl = {
        "kl_T1": distillation_loss(student, teacher),
        "kl_T2": distillation_loss(student, teacher, temperature=2.0),
        "kl_T1_top5": distillation_loss(student, teacher, top_k=5),
    }

    assert float(nll.mean()) == pytest.approx(expected["nll"], abs=TOLERANCE)
    for name, losses in kl.items():
        assert float(losses.mean()) == pytest.approx(expected[name], abs=TOLERANCE)
