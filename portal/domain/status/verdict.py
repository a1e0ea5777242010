"""Whether the pipe is up, in one sentence; the pipe is what an accepted change order passes on its way into Spectrum."""

from dataclasses import dataclass

from portal.domain.status import parts
from portal.domain.status.facts import Facts
from portal.domain.status.parts import Health, Part


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the facts come to."""

    facts: Facts
    parts: list[Part]

    @property
    def worst(self) -> Part:
        """The first of the worst parts."""
        return max(self.parts, key=lambda part: part.health.badness)

    @property
    def health(self) -> Health:
        return self.worst.health

    @property
    def exports_are_up(self) -> bool:
        """Whether nothing but a person's pause holds accepted change orders up."""
        return self.health is not Health.DOWN

    @property
    def sentence(self) -> str:
        """At a glance: whether exports are up, else why not and what to do."""
        part, success = self.worst, self.facts.last_success
        if part.health in (Health.DOWN, Health.PAUSED):
            return f"Exports are {part.health}: {part.text} {part.action}"
        if part.health is Health.DEGRADED:
            return f"Exports are up, but: {part.text} {part.action}"
        if success is None:
            return "Exports are up. Nothing was exported yet."
        return f"Exports are up: CCO {success.number} reached Spectrum {parts.ago(success.at)}."


def of(facts: Facts) -> Verdict:
    return Verdict(facts, parts.judged(facts))
