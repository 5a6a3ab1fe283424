"""A skill as a file that agents read elsewhere: `SKILL.md`."""

import json

from acontext_server.space.domain.skills import Sop


def skill_file(name: str, sop: Sop) -> str:
    """Write front matter that says when to use it, then what to mind and the steps."""
    front = f"---\nname: {name}\ndescription: {json.dumps(_when(sop), ensure_ascii=False)}\n---\n"
    steps = "\n".join(
        f"{number}. `{step.tool_name}`: {step.action}"
        for number, step in enumerate(sop.steps, start=1)
    )
    preferences = f"## Preferences\n\n{sop.preferences}\n" if sop.preferences else ""
    return "\n".join(filter(None, (front, preferences, f"## Steps\n\n{steps}\n" if steps else "")))


def _when(sop: Sop) -> str:
    says_so = sop.use_when.lower().startswith("use when")
    return sop.use_when if says_so else f"Use when: {sop.use_when}"
