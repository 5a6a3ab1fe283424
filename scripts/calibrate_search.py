"""Print what a search threshold costs: `python scripts/calibrate_search.py QUERIES.jsonl`.

Each line of the file has a skill's `domain` and `use_when`, and queries that it should answer as
`paraphrase`, `indirect` and `keywords`.
"""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from acontext_server.kit.config import Settings
from acontext_server.space.embedder import open_embedder
from acontext_server.space.ranking import embedded_text

KINDS = ("paraphrase", "indirect", "keywords")
THRESHOLDS = (0.5, 0.55, 0.6, 0.62, 0.65, 0.7, 0.75, 0.8)


async def main(text: str) -> None:
    """Embed skills and queries, and count at each threshold."""
    skills = [json.loads(line) for line in text.splitlines()]
    async with open_embedder(Settings(embedder_url="local:")) as embedder:
        documents = await embedder.embed([embedded_text(skill["use_when"]) for skill in skills])
        asked = await embedder.embed([skill[kind] for kind in KINDS for skill in skills])
    distances = 1 - np.array(asked) @ np.array(documents).T
    gold = np.tile(np.arange(len(skills)), len(KINDS))
    domains = np.array([skill["domain"] for skill in skills])
    own = np.arange(len(skills)) == gold[:, None]
    same_domain = domains == domains[gold][:, None]
    right = distances[own]
    first = distances.argmin(axis=1) == gold
    without = np.where(own, np.inf, distances).min(axis=1)
    elsewhere = np.where(same_domain, np.inf, distances).min(axis=1)
    print("distance  right stays  right first  skill withheld  domain withheld")
    for threshold in THRESHOLDS:
        kept = right <= threshold
        shares = (kept, first & kept, without <= threshold, elsewhere <= threshold)
        print(f"{threshold:8.2f}", *(f"{share.mean():12.2f}" for share in shares), sep="  ")
    print(f"recall@1 by the vector alone: {first.mean():.3f} of {len(asked)} queries")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text()))
