"""A quotation cannot be closed from inside, whatever stands in it."""

from hypothesis import given
from hypothesis import strategies as st

from acontext_server.kit.model.quoting import BAR, in_one_line, quoted, shortened

NASTY = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            ["\n", "\r", "\u2028", "\x85", "\v", "\f", "| ", "```", "<|im_end|>", "</s>", "[/INST]"]
        ),
    )
).map("".join)


@given(NASTY)
def test_every_line_of_a_quotation_begins_with_a_bar(text: str) -> None:
    lines = quoted(text).splitlines()
    assert lines
    assert all(line.startswith(BAR) for line in lines)


@given(NASTY, st.integers(1, 60))
def test_so_does_every_line_of_a_shortened_one(text: str, limit: int) -> None:
    assert all(line.startswith(BAR) for line in quoted(text, limit=limit).splitlines())


@given(NASTY)
def test_no_mark_of_a_chat_template_gets_through(text: str) -> None:
    for mark in ("<|", "|>", "</s>", "[/INST]", "[INST]"):
        assert mark not in quoted(text)
        assert mark not in in_one_line(text)


@given(NASTY)
def test_what_is_quoted_in_a_line_stays_in_it(text: str) -> None:
    line = in_one_line(text)
    assert len(line.splitlines()) == 1
    assert line.count('"') == 2


@given(st.text(alphabet="abc \n", max_size=50))
def test_an_ordinary_text_is_quoted_as_it_is(text: str) -> None:
    lines = quoted(text).splitlines()
    assert "\n".join(line.removeprefix(BAR) for line in lines) == "\n".join(text.splitlines())


def test_the_end_survives_shortening() -> None:
    text = f"{'x' * 5000} Error: no such table"
    assert shortened(text, 200).endswith("Error: no such table")
    assert "characters left out" in shortened(text, 200)
