import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";

import { reasonOf, TransportError } from "../src/errors.js";
import { TaskService } from "../src/gen/acontext/observer/v1/task_service_pb.js";
import { SessionsAPI } from "../src/resources/sessions.js";
import { TasksAPI } from "../src/resources/tasks.js";
import { away, refusal, serving, sessionsOf } from "./serving.js";

/** Serve a log of endless messages whose stream breaks after every third. */
function breaking(end?: () => Error) {
  const opened: number[] = [];
  let closed = 0;
  const api = sessionsOf({
    async *watchSession({ afterSequence }, { signal }) {
      opened.push(afterSequence);
      signal.addEventListener("abort", () => {
        closed += 1;
      });
      for (let sequence = afterSequence + 1; sequence <= afterSequence + 3; sequence++) {
        yield { message: { sequence } };
      }
      if (opened.length === 2 && end) throw end();
      if (opened.length === 2) return;
      throw away();
    },
  });
  return { opened, closed: () => closed, sessions: new SessionsAPI(api) };
}

test("a watch goes on behind the last message, whether the stream broke or just ended", async () => {
  const { opened, closed, sessions } = breaking();
  const seen: number[] = [];
  for await (const { sequence } of sessions.watch("s", { afterSequence: 4 })) {
    seen.push(sequence);
    if (sequence === 12) break;
  }
  assert.deepEqual(seen, [5, 6, 7, 8, 9, 10, 11, 12]);
  assert.deepEqual(opened, [4, 7, 10]);
  assert.equal(closed(), 3);
});

test("a watch of what is gone ends with the reason", async () => {
  const { sessions } = breaking(() => refusal(Code.NotFound, "SESSION_NOT_FOUND"));
  const seen: number[] = [];
  const watching = async () => {
    for await (const { sequence } of sessions.watch("s")) seen.push(sequence);
  };
  await assert.rejects(watching, (error) => reasonOf(error) === "SESSION_NOT_FOUND");
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
});

test("a watch ends when its signal aborts", async () => {
  const { sessions } = breaking();
  const stop = new AbortController();
  const watching = async () => {
    for await (const { sequence } of sessions.watch("s", { signal: stop.signal })) {
      if (sequence === 2) stop.abort();
    }
  };
  await assert.rejects(watching, TransportError);
});

test("a watch of tasks that breaks before its first change goes on where it began", async () => {
  const opened: (string | undefined)[] = [];
  const api = serving((router) =>
    router.service(TaskService, {
      async *watchTasks({ cursor, withStart }) {
        opened.push(cursor);
        if (withStart) yield { start: cursor ?? "begun" };
        if (opened.length === 1) throw away();
        yield { change: { cursor: `${cursor}+1`, task: { data: {} } } };
      },
    }),
  );
  const cursors: string[] = [];
  for await (const { cursor } of new TasksAPI(api).watch()) {
    cursors.push(cursor);
    if (cursors.length === 2) break;
  }
  assert.deepEqual(opened, [undefined, "begun", "begun+1"]);
  assert.deepEqual(cursors, ["begun+1", "begun+1+1"]);
});

test("an answer that cannot be read ends a watch, and is not asked for again", async () => {
  let opened = 0;
  const api = sessionsOf({
    async *watchSession() {
      opened += 1;
      yield {};
    },
  });
  const watching = async () => {
    for await (const _ of new SessionsAPI(api).watch("s")) assert.fail("there is no message");
  };
  await assert.rejects(watching, TypeError);
  assert.equal(opened, 1);
});
