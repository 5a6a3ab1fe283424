import assert from "node:assert/strict";
import { test } from "node:test";

import { SessionsAPI } from "../src/resources/sessions.js";
import { sessionsOf } from "./serving.js";

/** Serve the sessions 0 to 4, as many on a page as was asked for. */
function paged() {
  const asked: (string | undefined)[] = [];
  const api = sessionsOf({
    listSessions: ({ cursor, limit }) => {
      asked.push(cursor);
      const from = Number(cursor ?? 0);
      const next = from + (limit ?? 2);
      const items = [0, 1, 2, 3, 4].slice(from, next).map((id) => ({ id: String(id) }));
      return next < 5 ? { items, hasMore: true, nextCursor: String(next) } : { items };
    },
  });
  return { asked, sessions: new SessionsAPI(api) };
}

test("a list is read to its end, page by page", async () => {
  const { asked, sessions } = paged();
  const found: string[] = [];
  for await (const { id } of sessions.listAll()) found.push(id);
  assert.deepEqual(found, ["0", "1", "2", "3", "4"]);
  assert.deepEqual(asked, [undefined, "2", "4"]);
});

test("a page that nobody wants is not asked for", async () => {
  const { asked, sessions } = paged();
  for await (const { id } of sessions.listAll({ limit: 3, cursor: "1" })) if (id === "2") break;
  assert.deepEqual(asked, ["1"]);
});

test("a page is plain, in the dialect's names", async () => {
  const page = await paged().sessions.list({ limit: 1, cursor: null });
  assert.deepEqual([page.has_more, page.next_cursor, page.items.length], [true, "1", 1]);
  assert.equal(page.items[0]?.space_id, null);
  assert.equal(page.items[0]?.disable_task_tracking, false);
});

test("a session that is deleted while it is listed with its state is left out", async () => {
  const api = sessionsOf({
    listSessions: ({ withStates }) => ({
      items: [{ id: "kept" }, { id: "deleted" }],
      states: withStates ? { items: [{ sessionId: "kept", messages: 7 }] } : undefined,
    }),
  });
  const { items } = await new SessionsAPI(api).listWithStates();
  assert.deepEqual(
    items.map(({ session, state }) => [session.id, state.messages]),
    [["kept", 7]],
  );
});

test("a time is asked for to the millisecond, and no time is none", async () => {
  const asked: (number | undefined)[] = [];
  const api = sessionsOf({
    listSessions: ({ storedAfter, storedBefore }) => {
      asked.push(storedAfter?.nanos, storedBefore?.nanos);
      return {};
    },
  });
  await new SessionsAPI(api).list({ storedAfter: new Date(1_795_516_200_123), storedBefore: null });
  assert.deepEqual(asked, [123_000_000, undefined]);
});
