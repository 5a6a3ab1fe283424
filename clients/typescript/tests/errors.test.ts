import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import { APIError, errorFrom, reasonOf, TransportError } from "../src/errors.js";
import { BadRequestSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { refusal, sessionsOf } from "./serving.js";

test("a refusal is told with reason, status, fields and the request's id", async () => {
  const api = sessionsOf({
    createSession: () => {
      throw refusal(Code.InvalidArgument, "INVALID_MESSAGE", { field: "blob.content[2].type" });
    },
  });
  const error = await api.sessions.createSession({}).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof APIError);
  assert.equal(error.reason, "INVALID_MESSAGE");
  assert.deepEqual([error.statusCode, error.code, error.error], [400, 400, "INVALID_MESSAGE"]);
  assert.deepEqual(error.fields, [
    { field: "blob.content[2].type", description: "invalid_message" },
  ]);
  assert.equal(error.message, "invalid_message");
  assert.equal(error.requestId, "req-1");
  assert.equal(reasonOf(error), "INVALID_MESSAGE");
});

test("every broken rule is told", () => {
  const fieldViolations = [
    { field: "limit", description: "must be at most 200" },
    { field: "cursor", description: "is none of ours" },
  ];
  const broken = create(BadRequestSchema, { fieldViolations });
  const details = [{ desc: BadRequestSchema, value: broken }];
  const error = errorFrom(new ConnectError("no", Code.InvalidArgument, {}, details));
  assert.ok(error instanceof APIError);
  assert.deepEqual(error.fields, fieldViolations);
});

test("sizes and ranges have the status that HTTP has for them", () => {
  const statusOf = (code: Code, reason: string) =>
    (errorFrom(refusal(code, reason)) as APIError).statusCode;
  assert.equal(statusOf(Code.ResourceExhausted, "TOO_LARGE"), 413);
  assert.equal(statusOf(Code.OutOfRange, "RANGE_NOT_SATISFIABLE"), 416);
});

test("without an answer there is no reason", () => {
  const error = errorFrom(new TypeError("fetch failed"));
  assert.ok(error instanceof TransportError);
  assert.equal(reasonOf(error), undefined);
  assert.equal(reasonOf(new Error("of somebody else")), undefined);
});

test("the reason of a bare Connect error is found too", () => {
  assert.equal(reasonOf(refusal(Code.NotFound, "SESSION_NOT_FOUND")), "SESSION_NOT_FOUND");
});
