"""Health issues as they are shown: with severity, meaning and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge_assets.health.remedies import Remedy, Severity, find_remedy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Status = Literal["ok", "degraded", "down"]
SEVERITY_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class HealthIssue:
    """A problem of a `subject` (a sport or service; "" for the whole product) since a time (UTC), if known."""

    kind: str
    subject: str
    detail: str
    since: datetime | None = None

    @property
    def remedy(self) -> Remedy:
        """The meaning of the problem and what to do about it."""
        return find_remedy(self.kind)

    @property
    def severity(self) -> Severity:
        """The severity of its kind."""
        return self.remedy.severity

    @property
    def summary(self) -> str:
        """The problem in one line."""
        what = f"{self.subject}: {self.remedy.meaning}" if self.subject else self.remedy.meaning
        return f"{what} ({self.detail})" if self.detail else what

    def as_json(self) -> dict[str, Any]:
        """The issue as JSON."""
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
    """All issues, the worst first."""

    issues: tuple[HealthIssue, ...]

    @classmethod
    def from_issues(cls, issues: Iterable[HealthIssue]) -> Health:
        """One issue for each kind and subject: the first one given."""
        first: dict[tuple[str, str], HealthIssue] = {}
        for issue in issues:
            first.setdefault((issue.kind, issue.subject), issue)
        return cls(tuple(sorted(first.values(), key=lambda f: (SEVERITY_ORDER.index(f.severity), f.kind, f.subject))))

    @property
    def problems(self) -> tuple[HealthIssue, ...]:
        """The issues without notes."""
        return tuple(issue for issue in self.issues if issue.severity is not Severity.NOTE)

    @property
    def status(self) -> Status:
        """`down`: alerts are missing or wrong; `degraded`: some are, or soon will be."""
        if not self.problems:
            return "ok"
        return "down" if self.problems[0].severity is Severity.ERROR else "degraded"

    @property
    def headline(self) -> str:
        """The health in one line."""
        if not self.issues:
            return "everything works"
        worst, *others = self.issues
        return f"{worst.summary}; and {len(others)} more" if others else worst.summary
