"""What is wrong, as it is shown: with severity, meaning and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge_assets.health.remedies import Remedy, Severity, remedy_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Status = Literal["ok", "degraded", "down"]
ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a `subject` (a sport, a service; "" for the whole) since a moment (UTC), if that is known."""

    kind: str
    subject: str
    detail: str
    since: datetime | None = None

    @property
    def remedy(self) -> Remedy:
        """What it means and what helps."""
        return remedy_of(self.kind)

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.remedy.severity

    @property
    def sentence(self) -> str:
        """What is wrong, in a line."""
        what = f"{self.subject}: {self.remedy.meaning}" if self.subject else self.remedy.meaning
        return f"{what} ({self.detail})" if self.detail else what

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "severity": self.severity.value,
            "since": self.since.isoformat() if self.since else None,
            "detail": self.detail,
            "meaning": self.remedy.meaning,
            "what_to_do": self.remedy.action,
        }


@dataclass(frozen=True, slots=True)
class Health:
    """All that is wrong, the worst first."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Health:
        """One finding for each kind and subject: the first that is given."""
        first: dict[tuple[str, str], Finding] = {}
        for finding in findings:
            first.setdefault((finding.kind, finding.subject), finding)
        return cls(tuple(sorted(first.values(), key=lambda f: (ORDER.index(f.severity), f.kind, f.subject))))

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Without mere notes."""
        return tuple(finding for finding in self.findings if finding.severity is not Severity.NOTE)

    @property
    def status(self) -> Status:
        """`down`: alerts are missing or wrong; `degraded`: a part of them, or soon."""
        if not self.problems:
            return "ok"
        return "down" if self.problems[0].severity is Severity.ERROR else "degraded"

    @property
    def headline(self) -> str:
        """All of it in a line."""
        if not self.findings:
            return "everything works"
        worst, *others = self.findings
        return f"{worst.sentence}; and {len(others)} more" if others else worst.sentence
