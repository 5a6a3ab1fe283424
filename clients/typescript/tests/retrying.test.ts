import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";

import { APIError, reasonOf, TransportError } from "../src/errors.js";
import { newRequestId } from "../src/ids.js";
import { away, refusal, sessionsOf } from "./serving.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Fail the first calls, then answer; and count all of them. */
function failing(times: number, error = away) {
  const met = { calls: 0, requestIds: [] as unknown[] };
  const answer = (request: object) => {
    met.calls += 1;
    met.requestIds.push("requestId" in request ? request.requestId : undefined);
    if (met.calls <= times) throw error();
    return {};
  };
  return { met, answer };
}

test("a read is tried again while nobody answers", async () => {
  const { met, answer } = failing(2);
  await sessionsOf({ getSession: answer }).sessions.getSession({ sessionId: "s" });
  assert.equal(met.calls, 3);
});

test("a write is tried again with the request id that it was given at first", async () => {
  const { met, answer } = failing(2);
  await sessionsOf({ createSession: answer }).sessions.createSession({});
  assert.equal(new Set(met.requestIds).size, 1);
  assert.match(String(met.requestIds[0]), UUID);
  assert.equal(met.calls, 3);
});

test("a caller's own request id is sent", async () => {
  const { met, answer } = failing(1);
  const requestId = newRequestId();
  await sessionsOf({ createSession: answer }).sessions.createSession({ requestId });
  assert.deepEqual(met.requestIds, [requestId, requestId]);
});

test("a write that cannot be repeated is not", async () => {
  const { met, answer } = failing(1);
  const call = sessionsOf({ deleteSession: answer }).sessions.deleteSession({ sessionId: "s" });
  await assert.rejects(call, APIError);
  assert.equal(met.calls, 1);
});

test("a lost race is tried again, a refusal is not", async () => {
  const race = failing(1, () => refusal(Code.Aborted, "CONFLICT"));
  await sessionsOf({ createSession: race.answer }).sessions.createSession({});
  assert.equal(race.met.calls, 2);
  const refused = failing(1, () => refusal(Code.NotFound, "SESSION_NOT_FOUND"));
  const call = sessionsOf({ getSession: refused.answer }).sessions.getSession({ sessionId: "s" });
  await assert.rejects(call, (error) => reasonOf(error) === "SESSION_NOT_FOUND");
  assert.equal(refused.met.calls, 1);
});

test("after so many tries the last error is thrown", async () => {
  const { met, answer } = failing(9);
  const call = sessionsOf({ getSession: answer }, 1).sessions.getSession({ sessionId: "s" });
  await assert.rejects(call, (error) => reasonOf(error) === "UNAVAILABLE");
  assert.equal(met.calls, 2);
});

test("the time-out of a call covers its retries", async () => {
  const { answer } = failing(Number.POSITIVE_INFINITY);
  const { sessions } = sessionsOf({ getSession: answer }, Number.POSITIVE_INFINITY);
  const call = sessions.getSession({ sessionId: "s" }, { timeoutMs: 300 });
  await assert.rejects(call, TransportError);
});

test("a caller who stops waiting stops the retries", async () => {
  const { answer } = failing(Number.POSITIVE_INFINITY);
  const { sessions } = sessionsOf({ getSession: answer }, Number.POSITIVE_INFINITY);
  const stopped = new AbortController();
  const call = sessions.getSession({ sessionId: "s" }, { signal: stopped.signal });
  stopped.abort();
  await assert.rejects(call, TransportError);
});
