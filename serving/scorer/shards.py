"""Which sports a scorer process scores: all of them, or its share of several processes'."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

BUCKETS = 16
"""The most shards there can be. A sport is in the same bucket however many shards there are, and the locks are the
buckets': so no sport is scored twice while the number of shards changes."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard number `index` of `count`."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From "index/count", the index from 0; raises `ValueError` for anything else."""
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal() and int(index) < int(count) <= BUCKETS):
            msg = f"a shard is written index/count, as 0/2 and 1/2, with at most {BUCKETS} shards; not {text!r}"
            raise ValueError(msg)
        return cls(int(index), int(count))

    @property
    def name(self) -> str:
        """How the process is called in heartbeats and connections; the first bears the name of the service."""
        return f"scorer:{self.index}" if self.index else "scorer"

    @property
    def buckets(self) -> list[int]:
        """The buckets of sports that are this shard's."""
        return list(range(self.index, BUCKETS, self.count))

    def owns(self, sport: str) -> bool:
        """Whether a sport, by its key, is this shard's."""
        return crc32(sport.encode()) % BUCKETS % self.count == self.index
