"""Print what a cut of search costs: `python scripts/calibrate_search.py QUERIES.jsonl`.

Each line of the file has a skill's `domain` and `use_when`, and queries that it should answer as
`paraphrase`, `indirect` and `keywords`. Asked are a space of all skills, spaces without the skill
that is wanted, without its whole domain, and spaces of one domain only.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt

from acontext_server.kit.config import Settings
from acontext_server.space.embedder import open_embedder
from acontext_server.space.ranking import Cut, embedded_text

KINDS = ("paraphrase", "indirect", "keywords")
CUTS = [
    Cut(threshold, crowding)
    for crowding in (0.0, 0.5)
    for threshold in (0.55, 0.58, 0.6, 0.62, 0.64, 0.66, 0.7, 0.8)
]
Distances = npt.NDArray[np.float64]


async def main(text: str) -> None:
    """Embed skills and queries, and count at each cut."""
    skills = [json.loads(line) for line in text.splitlines()]
    async with open_embedder(Settings(embedder_url="local:")) as embedder:
        documents = await embedder.embed([embedded_text(skill["use_when"]) for skill in skills])
        asked = await embedder.embed([skill[kind] for kind in KINDS for skill in skills])
    distances = 1 - np.array(asked) @ np.array(documents).T
    gold = np.tile(np.arange(len(skills)), len(KINDS))
    domains = np.array([skill["domain"] for skill in skills])
    own = np.arange(len(skills)) == gold[:, None]
    alike = domains == domains[gold][:, None]
    spaces = (np.ones_like(own), ~own, ~alike, alike, alike & ~own)
    print("threshold crowding  right first     withheld   and domain   one domain     withheld")
    for cut in CUTS:
        everything, withheld, elsewhere, domain, sibling = (
            list(_first(distances, space, cut)) for space in spaces
        )
        shares = (
            np.mean([first == wanted for first, wanted in zip(everything, gold, strict=True)]),
            np.mean([first is not None for first in withheld]),
            np.mean([first is not None for first in elsewhere]),
            np.mean([first == wanted for first, wanted in zip(domain, gold, strict=True)]),
            np.mean([first is not None for first in sibling]),
        )
        told = " ".join(f"{share:12.3f}" for share in shares)
        print(f"{cut.threshold:9.2f} {cut.crowding:8.2f} {told}")


def _first(distances: Distances, spaces: npt.NDArray[np.bool_], cut: Cut) -> Iterable[int | None]:
    """Say for each query which skill of its space is nearest, if it is near enough."""
    for row, space in zip(distances, spaces, strict=True):
        near = {UUID(int=int(skill)): float(row[skill]) for skill in np.flatnonzero(space)}
        yield min((one.int for one in cut.allows(near)), key=lambda one: row[one], default=None)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text()))
