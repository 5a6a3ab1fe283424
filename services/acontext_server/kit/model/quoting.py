"""Quoting what others wrote, so that a model can tell it from what it is told to do.

Every quoted line begins with a bar. A text cannot begin a line without one, so nothing that stands
in it ends the quotation.
"""

import re

BAR = "| "
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
TEMPLATE_MARKS = re.compile(
    r"<(?=[|｜])|(?<=[|｜])>|<(?=/?(?:s|bos|eos|start_of_turn|end_of_turn|think|tool_call)>)"
    r"|<(?=</?SYS>>)|\[(?=/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)
"""What chat templates of open models separate turns with; some servers read it in content, too."""


def quoted(text: str, *, limit: int | None = None) -> str:
    """Quote a text, shortened in the middle if it is longer than the limit."""
    plain = TEMPLATE_MARKS.sub("‹", CONTROLS.sub("", text))
    lines = (shortened(plain, limit) if limit else plain).splitlines() or [""]
    return "\n".join(f"{BAR}{line}" for line in lines)


def shortened(text: str, limit: int) -> str:
    """Leave out the middle: what a text is stands at its beginning, how it went out at its end."""
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head
    return f"{text[:head]}\n[{len(text) - limit} characters left out]\n{text[-tail:]}"


def in_one_line(text: str, *, limit: int = 500) -> str:
    """Quote something short within a line."""
    plain = TEMPLATE_MARKS.sub("‹", CONTROLS.sub("", text)).replace('"', "'")
    return f'"{shortened(" ".join(plain.split()), limit).replace(chr(10), " ")}"'
