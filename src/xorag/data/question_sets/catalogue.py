"""The question sets that have a name: where the hub keeps them, and how a row is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xorag.data.question_sets.choices import read_arc
from xorag.data.question_sets.claims import (
    gather_evidence,
    read_factkg,
    read_fever,
    read_pubhealth,
)
from xorag.data.question_sets.long_answers import read_asqa, read_truthfulqa
from xorag.data.question_sets.multi_hop import read_hotpotqa, read_musique
from xorag.data.question_sets.outcome import ReadRow
from xorag.data.question_sets.single_hop import (
    read_nq,
    read_popqa,
    read_squad,
    read_triviaqa,
    read_webquestions,
)
from xorag.data.rows import BadRow, Row

Gather = Callable[[Iterable[Row | BadRow]], Iterator[Row | BadRow]]


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A question set of the Hugging Face hub."""

    read: ReadRow
    repository: str | None
    """None: the hub has no copy in a format that can be read."""
    split: str
    """The split that results are usually reported on."""
    config: str = "default"
    other_configs: tuple[str, ...] = ()
    """Further configurations with rows of the same form."""
    id_key: str | None = None
    """Where a row has its id; None: rows are numbered from 0."""
    is_converted: bool = False
    """Whether the repository holds a program, so that the hub's own Parquet copy is read."""
    gather: Gather | None = None
    """Joins rows that make one question, where there are several."""


NAMED_SETS: Mapping[str, NamedSet] = MappingProxyType(
    {
        "nq": NamedSet(read_nq, "google-research-datasets/nq_open", "validation", config="nq_open"),
        "triviaqa": NamedSet(
            read_triviaqa,
            "mandarjoshi/trivia_qa",
            "validation",
            config="rc.nocontext",
            other_configs=(
                *("rc", "rc.web", "rc.web.nocontext", "rc.wikipedia", "rc.wikipedia.nocontext"),
                *("unfiltered", "unfiltered.nocontext"),
            ),
            id_key="question_id",
        ),
        "webquestions": NamedSet(read_webquestions, "stanfordnlp/web_questions", "test"),
        "popqa": NamedSet(read_popqa, "akariasai/PopQA", "test", id_key="id"),
        "squad": NamedSet(
            read_squad, "rajpurkar/squad", "validation", config="plain_text", id_key="id"
        ),
        "hotpotqa": NamedSet(
            read_hotpotqa,
            "hotpotqa/hotpot_qa",
            "validation",
            config="distractor",
            other_configs=("fullwiki",),
            id_key="id",
        ),
        "2wikimultihopqa": NamedSet(
            read_hotpotqa, "framolfese/2WikiMultihopQA", "validation", id_key="id"
        ),
        "musique": NamedSet(read_musique, "dgslibisey/MuSiQue", "validation", id_key="id"),
        "truthfulqa": NamedSet(
            read_truthfulqa, "truthfulqa/truthful_qa", "validation", config="generation"
        ),
        "asqa": NamedSet(read_asqa, "din0s/asqa", "dev", id_key="sample_id"),
        "arc_challenge": NamedSet(
            read_arc, "allenai/ai2_arc", "test", config="ARC-Challenge", id_key="id"
        ),
        "fever": NamedSet(
            read_fever,
            "fever/fever",
            "labelled_dev",
            config="v1.0",
            other_configs=("v2.0",),
            id_key="id",
            is_converted=True,
            gather=gather_evidence,
        ),
        "fever_gold": NamedSet(
            read_fever,
            "copenlu/fever_gold_evidence",
            "validation",
            id_key="original_id",
            gather=gather_evidence,
        ),
        "pubhealth": NamedSet(
            read_pubhealth,
            "ImperialCollegeLondon/health_fact",
            "test",
            id_key="claim_id",
            is_converted=True,
        ),
        "factkg": NamedSet(read_factkg, None, "test"),
    }
)
