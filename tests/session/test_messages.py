"""Messages through the doors of the service, on real engines."""

from tests.session.conversation import Conversation


async def test_what_is_stored_is_listed_in_order(talk: Conversation) -> None:
    session = await talk.create()
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    stored = [await talk.put(session.id, blob) for blob in said]
    page = await talk.page(session.id)
    assert page["items"] == said
    assert page["ids"] == [message["id"] for message in stored]
    assert page["has_more"] is False
