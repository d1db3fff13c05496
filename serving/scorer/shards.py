"""Which sports a scorer process scores: all of them, or its share among several processes."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

BUCKETS = 16
"""The maximum number of shards. A sport's bucket does not depend on the number of shards and the locks are per bucket,
so no sport is scored twice while that number changes."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard number `index` of `count`."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse "index/count", with the index from 0; raises `ValueError` for anything else."""
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal() and int(index) < int(count) <= BUCKETS):
            msg = f"a shard must be index/count, such as 0/2 or 1/2, with at most {BUCKETS} shards; got {text!r}"
            raise ValueError(msg)
        return cls(int(index), int(count))

    @property
    def name(self) -> str:
        """The process name in heartbeats and connections; the first shard has that of the service."""
        return f"scorer:{self.index}" if self.index else "scorer"

    @property
    def buckets(self) -> list[int]:
        """The buckets of this shard."""
        return list(range(self.index, BUCKETS, self.count))

    def owns(self, sport: str) -> bool:
        """Whether the sport with this key belongs to this shard."""
        return crc32(sport.encode()) % BUCKETS % self.count == self.index
