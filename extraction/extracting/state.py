"""The state of an extraction: its next requests or, if there are none, its outcome.

Both are computed from stored data: the extraction, and the answers so far. So it makes no difference whether the
answers came from live requests or Message Batches, in this process or in one that has died.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversations.claude import catalogue
from conversations.content.folding import plain_text
from conversations.contract.extraction_types import Problem
from conversations.contract.wire import Request as ClaudeRequest
from conversations.database import persistently
from extraction import checks
from extraction.asking import Earlier, Question, Request, request_for, tokens_for
from extraction.extracting.content import Content
from extraction.extracting.outcomes import whole_outcome
from extraction.extracting.plan import Answered, Group, Place, Thread
from extraction.models import Answer, Extraction
from extraction.services.extractions import Outcome

TURNS_LIMIT = 100
"""The maximal number of continuations of one answer."""
CUT = "max_tokens"
FULL = "model_context_window_exceeded"
EXPLAINED = 300  # characters of Claude's explanation of a refusal that an error quotes


@dataclass(frozen=True)
class Ask:
    """A request to send, and the place of its answer."""

    place: Place
    body: ClaudeRequest
    said: str = ""
    """The answer so far."""


@dataclass(frozen=True)
class Verdict:
    """The result of an attempt."""

    outcome: Outcome
    wrong: frozenset[Thread]
    """The errors for which another attempt is worthwhile."""


class Extracting:
    """A claimed extraction, with its answers so far."""

    _content: Content

    def __init__(self, extraction: Extraction) -> None:
        self.extraction = extraction
        self._answers: dict[Place, Answered] = {}
        self._texts: dict[Place, checks.Joined] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._groups: list[Group] = []
        self._native = False
        self._question = Question("")

    async def load(self) -> None:
        """Read the stored state, and divide content and schema."""
        extraction, schema = self.extraction, self.extraction.schema
        for answer in await persistently(_stored, extraction):
            self.take(answer)
        self._content = await Content.of(extraction)
        parts = len(self._content.parts)
        self._groups = await checks.groups(
            extraction.owner_id, schema.json_schema, evidence=extraction.wants_evidence, partial=parts > 1
        )
        self._native = _may_be_native(extraction)
        self._question = Question(
            model=extraction.model,
            evidence=extraction.wants_evidence,
            instructions=schema.instructions,
            examples=schema.examples,
            parts=parts,
            divided=len(self._groups) > 1,
        )

    def take(self, answer: Answer) -> None:
        """Add a stored answer."""
        place = Place(answer.attempt.number, answer.part, answer.group, answer.turn)
        # Text blocks are parts of one text: Claude splits it at citations.
        texts = [block["text"] for block in answer.content if block.get("type") == "text" and block.get("text")]
        explanation = plain_text(answer.content)[:EXPLAINED]
        self._answers[place] = Answered(place, "".join(texts), answer.stop_reason, answer.whole, explanation)

    def ask_in_words(self) -> None:
        """Use instructions from now on, instead of structured outputs, which refused the schema."""
        self._native = False

    async def next(self) -> list[Ask] | Outcome:
        """Return the requests to send now or, if there are none, the outcome."""
        attempt, wanted = 1, self._threads()
        while True:
            asks = [ask for ask in [await self._open(attempt, thread) for thread in wanted] if ask is not None]
            if asks:
                return asks
            verdict = await self._verdict(attempt)
            if not verdict.wrong or attempt == self.extraction.max_attempts:
                return verdict.outcome
            attempt, wanted = attempt + 1, sorted(verdict.wrong)

    @property
    def ended_attempts(self) -> dict[int, list[Problem]]:
        """The judged attempts, with their problems."""
        return {number: verdict.outcome.problems for number, verdict in self._verdicts.items()}

    def _threads(self) -> list[Thread]:
        return [(part, group) for part in range(len(self._content.parts)) for group in range(len(self._groups))]

    def _turns(self, attempt: int, thread: Thread) -> list[Answered]:
        """Return an attempt's answers at a place, in order."""
        found = [each for place, each in self._answers.items() if place[:3] == (attempt, *thread)]
        return sorted(found, key=lambda each: each.place.turn)

    async def _joined(self, answers: Sequence[Answered]) -> checks.Joined:
        """Return the text of a thread's answers together."""
        last = answers[-1]
        if len(answers) == 1 and last.whole and last.stop_reason != CUT:
            return checks.Joined(last.text, complete=True, grown=True)
        if last.place not in self._texts:
            before = [(await self._joined(answers[:-1])).text] if len(answers) > 1 else []
            self._texts[last.place] = await checks.joined(self.extraction.owner_id, [*before, last.text])
        return self._texts[last.place]

    async def _open(self, attempt: int, thread: Thread) -> Ask | None:
        """Return the next request at a place, or None if it has been answered, or can't be."""
        answers = self._turns(attempt, thread)
        if not answers:
            return await self._asking(attempt, thread, 0, None)
        if not await self._is_cut(answers) or not await self._can_go_on(answers):
            return None
        said = (await self._joined(answers)).text
        return await self._asking(attempt, thread, len(answers), said if said.strip() else None)

    async def _is_cut(self, answers: Sequence[Answered]) -> bool:
        """Return whether an answer is to be continued: it was cut, and is not complete by itself."""
        last = answers[-1]
        if last.whole and last.stop_reason != CUT:
            return last.stop_reason == FULL
        return not (await self._joined(answers)).complete

    async def _can_go_on(self, answers: Sequence[Answered]) -> bool:
        """Return whether a continuation is possible: the window is not full, and the last one added something."""
        last = answers[-1]
        if last.stop_reason == FULL or len(answers) > TURNS_LIMIT:
            return False
        return not last.whole or (await self._joined(answers)).grown

    async def _asking(self, attempt: int, thread: Thread, turn: int, said: str | None) -> Ask:
        part, index = thread
        group = self._groups[index]
        native = self._native and group.grammar is not None
        body = request_for(
            self._question,
            Request(
                group=group,
                content=await self._content.blocks(part),
                max_tokens=self._max_tokens(part, group),
                native=native,
                part=part,
                earlier=[await self._earlier(number, thread) for number in self._numbers_before(attempt, thread)],
                said=said,
            ),
        )
        return Ask(Place(attempt, part, index, turn), body, said or "")

    def _numbers_before(self, attempt: int, thread: Thread) -> list[int]:
        return [number for number in range(1, attempt) if self._turns(number, thread)]

    async def _earlier(self, number: int, thread: Thread) -> Earlier:
        text = (await self._joined(self._turns(number, thread))).text
        return Earlier(text, self._verdicts[number].outcome.problems)

    def _max_tokens(self, part: int, group: Group) -> int:
        known = catalogue.find(self.extraction.model)
        most = known.max_output if known else None
        if self.extraction.max_tokens:
            return min(self.extraction.max_tokens, most or self.extraction.max_tokens)
        thinks = known is not None and known.thinking_default != "disabled"
        tokens = self._content.tokens(part)
        return tokens_for(self._question, group, content_tokens=tokens, most=most, thinks=thinks)

    async def _verdict(self, attempt: int) -> Verdict:
        """Return the result of the answers up to an attempt, with the newest one of each place."""
        if attempt not in self._verdicts:
            self._verdicts[attempt] = await self._judge(attempt)
        return self._verdicts[attempt]

    async def _judge(self, attempt: int) -> Verdict:
        newest = {thread: self._newest(attempt, thread) for thread in self._threads()}
        if ended := await self._cut_short(newest.values()):
            return Verdict(ended, frozenset())
        judgements = await asyncio.gather(*(self._judgement(thread, answers) for thread, answers in newest.items()))
        judged = dict(zip(newest, judgements, strict=True))
        wrong = frozenset(thread for thread, each in judged.items() if each.problems and not each.final)
        extraction = self.extraction
        return Verdict(await whole_outcome(extraction, self._content, judged), wrong)

    def _newest(self, attempt: int, thread: Thread) -> list[Answered]:
        return next(found for number in range(attempt, 0, -1) if (found := self._turns(number, thread)))

    async def _cut_short(self, threads: Iterable[Sequence[Answered]]) -> Outcome | None:
        """Return the outcome if Claude has refused, or an answer was cut and can't be continued."""
        for answers in threads:
            last = answers[-1]
            if last.stop_reason == "refusal":
                said = f" It said: {last.explanation}" if last.explanation else ""
                return Outcome(Extraction.Status.REFUSED, problems=[_problem(f"Claude refused to answer.{said}")])
            if await self._is_cut(answers):
                problem = _problem(f"It was cut by {last.stop_reason}, and did not go on.")
                return Outcome(Extraction.Status.TRUNCATED, problems=[problem])
        return None

    async def _judgement(self, thread: Thread, answers: Sequence[Answered]) -> checks.Judgement:
        group = self._groups[thread[1]]
        text = (await self._joined(answers)).text
        return await checks.judged(
            self.extraction.owner_id, group.schema, text, evidence=self.extraction.wants_evidence
        )


def _stored(extraction: Extraction) -> list[Answer]:
    answers = Answer.objects.filter(attempt__extraction=extraction, usage__isnull=False)
    return list(answers.select_related("attempt"))


def _may_be_native(extraction: Extraction) -> bool:
    """Return whether structured outputs can be used for the extraction: they exclude citations."""
    model = catalogue.find(extraction.model)
    cites = any((block.get("citations") or {}).get("enabled") for block in extraction.content)
    refused = extraction.model in extraction.schema.refused_by
    return model is not None and model.structured_outputs and not cites and not refused


def _problem(message: str) -> Problem:
    return {"path": "", "message": message}
