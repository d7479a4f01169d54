"""Outcomes of calibration questions, for the tests of gates."""

import math
from dataclasses import dataclass

from hypothesis import strategies as st

from xorag.evaluation.gate_curves import GateOutcome
from xorag.reflection.gates import (
    Gate,
    decide_by_answer,
    decide_by_token,
    mean_probability,
    min_probability,
    retrieval_probability,
)
from xorag.types import GateKind, ReflectionToken


@dataclass(frozen=True)
class Asked:
    """A question as the reader's own log-probabilities have it, and the scores of its answers."""

    first: dict[ReflectionToken, float]
    logprobs: tuple[float, ...]
    closed: float
    retrieved: float

    @property
    def outcome(self) -> GateOutcome:
        return GateOutcome(
            "q",
            retrieval_probability(self.first),
            min_probability(self.logprobs),
            mean_probability(self.logprobs),
            self.closed,
            self.retrieved,
        )

    def is_retrieved_for(self, gate: Gate) -> bool:
        """What the pipeline's own gate decides."""
        if gate.reads_answer:
            return decide_by_answer(gate, self.logprobs).retrieved
        return decide_by_token(gate, self.first).retrieved

    def score_with(self, gate: Gate) -> float:
        return self.retrieved if self.is_retrieved_for(gate) else self.closed


LOGPROBS = st.one_of(
    st.floats(-30, 0), st.sampled_from([0.0, -math.inf, -1e-17, math.log(0.5), -800.0])
)
SCORES = st.sampled_from([0.0, 1.0])
QUESTIONS = st.lists(
    st.builds(
        Asked,
        st.fixed_dictionaries(
            {ReflectionToken.RETRIEVAL: LOGPROBS, ReflectionToken.NO_RETRIEVAL: LOGPROBS}
        ),
        st.lists(LOGPROBS, max_size=4).map(tuple),
        SCORES,
        SCORES,
    ),
    min_size=1,
    max_size=12,
)
GATES = (GateKind.TOKEN, GateKind.MINP, GateKind.MEANP)


def unsure_where_wrong(count: int) -> list[GateOutcome]:
    """Half the closed answers are wrong; f_minp knows which, the others do not.

    All are answered rightly from passages. The token gate errs on every second question, and
    f_meanp is the same for all.
    """
    return [
        GateOutcome(
            f"q{place}",
            retrieval_probability=(place % 2 + 1 - place / count) / 2,
            min_probability=(place + 0.5) / count,
            mean_probability=0.5,
            closed=float(place >= count / 2),
            retrieved=1.0,
        )
        for place in range(count)
    ]
