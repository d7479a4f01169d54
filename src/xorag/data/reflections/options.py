"""How many rows of each kind a question gives."""

from dataclasses import dataclass

from xorag.errors import UsageError


@dataclass(frozen=True, slots=True)
class RowOptions:
    """How rows are made of questions.

    Raises:
        UsageError: If a share or count is out of range.
    """

    distractors: int = 1
    """Rows with a distractor, of a question that one passage answers."""
    hop_distractors: int = 2
    """The same, of a question of several hops."""
    parts: int = 2
    """Rows that show one of the passages which a question of several hops needs."""
    cuts: float = 0.1
    """Share of such questions whose distractor is a gold passage without its evidence."""
    contradictions: float = 0.03
    """Share that also gets a gold passage with another question's answer in it."""
    guesses: float = 0.7
    """Share of the distractors after which the right answer stands nevertheless, as unsupported.

    After the others the reader says that it does not know. It so learns to answer from memory, or
    from a passage that it misjudged, where it is surer than the rest of the share."""
    closed_repeats: int = 3
    """How often a row without retrieval stands, since few answers are right without passages."""
    relevant_share: float = 0.55
    """Of the rows with passages, how many show a relevant one; the surplus is left out."""
    words: int = 130
    """Words of a passage, about 180 tokens; each of several gets less."""
    seed: int = 0

    def __post_init__(self) -> None:
        both = self.cuts + self.contradictions
        shares = (self.cuts, self.contradictions, both, self.guesses)
        if not all(0 <= share <= 1 for share in shares):
            raise UsageError(
                "the shares of guesses, and of passages without evidence and of contradictions "
                f"together, must be from 0 to 1, got {self.guesses}, {self.cuts} and "
                f"{self.contradictions}"
            )
        if not 0 < self.relevant_share < 1:
            raise UsageError(
                f"the share of relevant passages must be between 0 and 1, got {self.relevant_share}"
            )
        counts = (self.distractors, self.hop_distractors, self.parts)
        if min(counts) < 0 or self.closed_repeats < 1:
            raise UsageError(
                f"numbers of rows cannot be negative, got {min(counts)}; give 0 or more"
            )
        if self.words < 1:
            raise UsageError(f"a passage needs at least 1 word, got {self.words}")
