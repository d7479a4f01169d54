"""Sets of questions and summaries: what they are called, what they hold and where they are from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xorag.data.instructions.wordings import TaskType
from xorag.data.question_sets.outcome import OnSkipped
from xorag.data.questions import LabelledPassage, Question

_DISTANT_MARK = "_distant"
_READING = "squad"


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a set comes from and under which licence, as its publishers say."""

    origin: str
    licence: str


FACTS: Mapping[str, Facts] = MappingProxyType(
    {
        "hotpotqa": Facts("HotpotQA (Yang et al. 2018)", "CC BY-SA 4.0"),
        "hotpotqa_unlabelled": Facts("HotpotQA (Yang et al. 2018)", "CC BY-SA 4.0"),
        "2wikimultihopqa": Facts("2WikiMultihopQA (Ho et al. 2020)", "Apache-2.0 (texts CC BY-SA)"),
        "musique": Facts("MuSiQue-Ans (Trivedi et al. 2022)", "CC BY 4.0 (texts CC BY-SA)"),
        "nq": Facts("NQ-open (Kwiatkowski et al. 2019; Lee et al. 2019)", "CC BY-SA 3.0"),
        "popqa": Facts("PopQA (Mallen et al. 2023)", "MIT (texts CC BY-SA)"),
        "squad": Facts(
            "SQuAD 1.1/2.0, XQuAD (Rajpurkar et al. 2016, 2018; Artetxe et al. 2020)",
            "CC BY-SA 4.0",
        ),
        "triviaqa": Facts(
            "TriviaQA (Joshi et al. 2017)",
            "Apache-2.0 (repository; the questions belong to trivia sites)",
        ),
        "webquestions": Facts("WebQuestions (Berant et al. 2013)", "CC BY 4.0"),
        "fever": Facts("FEVER (Thorne et al. 2018)", "CC BY-SA 3.0"),
        "hover": Facts("HoVer (Jiang et al. 2020)", "MIT (repository; texts CC BY-SA)"),
        "truthfulqa": Facts("TruthfulQA (Lin et al. 2022)", "Apache-2.0"),
        "arc_challenge": Facts("ARC (Clark et al. 2018)", "CC BY-SA 4.0"),
        "cnn_dailymail": Facts(
            "CNN/DailyMail (Hermann et al. 2015; See et al. 2017)",
            "Apache-2.0 (scripts; the articles belong to their publishers)",
        ),
        "xsum": Facts("XSum (Narayan et al. 2018)", "not stated (the articles belong to the BBC)"),
    }
)
UNKNOWN = Facts("not known to xorag", "not known to xorag; look it up before you publish")


@dataclass(frozen=True, slots=True)
class Summary:
    """A document and its summary, as a data set gives them."""

    id: str
    title: str
    document: str
    summary: str
    source: str = ""

    def as_question(self) -> Question:
        """The same as a question without words, so that it is kept out by the same rules."""
        document = LabelledPassage(self.title, self.document, is_supporting=True)
        return Question(self.id, "", (self.summary,), (document,), task="long", source=self.source)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """A source of rows that may become examples."""

    name: str
    """Such as `nq`."""
    location: str
    """The file or name that it was opened by."""
    read: Callable[[OnSkipped], Iterator[Question | Summary]]
    """Starts reading from the first row, each time that it is called, and tells of rows that
    are no example to anyone."""
    sha256: str | None = None
    """Of the file; None where it is no single file."""

    @property
    def facts(self) -> Facts:
        """Origin and licence, where they are known."""
        return FACTS.get(self.name) or FACTS.get(self.name.removesuffix(_DISTANT_MARK)) or UNKNOWN

    def task_of(self, row: Question | Summary) -> TaskType | None:
        """What an example of a row asks for; None where none is made."""
        if isinstance(row, Summary):
            return TaskType.SUMMARY
        if row.task == "claim":
            return TaskType.CLAIM
        if row.task != "qa":
            return None
        return TaskType.READING if self.name.startswith(_READING) else TaskType.QA


def as_question(row: Question | Summary) -> Question:
    """A row as a question; a summary has no words of its own and is kept out by the same rules."""
    if isinstance(row, Question):
        return row
    document = LabelledPassage(row.title, row.document, is_supporting=True)
    return Question(row.id, "", (row.summary,), (document,), task="long", source=row.source)
