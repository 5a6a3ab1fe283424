// From typed messages to the plain objects of the REST dialect (snake_case, times as text), and back.

import {
  type DescMessage,
  fromJson,
  getOption,
  type JsonObject,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Task as TaskMessage, TaskSchema } from "./gen/acontext/observer/v1/task_pb.js";
import { nullable } from "./gen/acontext/options/v1/options_pb.js";
import type { FreeJson, Task } from "./models.js";

/** Turn a message into its model, which the caller names. */
export function plain<Model>(
  schema: DescMessage,
  message: MessageShape<DescMessage> | undefined,
): Model {
  if (message === undefined) throw new TypeError(`the answer lacks its ${schema.name}`);
  const json = toJson(schema, message, { useProtoFieldName: true, alwaysEmitImplicit: true });
  const model = json as Record<string, unknown>;
  for (const field of schema.fields) {
    if (getOption(field, nullable)) model[field.name] ??= null;
  }
  // Models stand beside the contracts; tests/models.ts compares them field by field.
  return model as Model;
}

/** Turn a task into its model; empty lists in its data are left out, as the dialect does. */
export function plainTask(task: TaskMessage | undefined): Task {
  const model = plain<Task>(TaskSchema, task);
  if (model.data.progresses?.length === 0) delete model.data.progresses;
  if (model.data.user_preferences?.length === 0) delete model.data.user_preferences;
  return model;
}

/** Turn a caller's JSON into what a request holds. */
export function structOf(json: FreeJson): JsonObject {
  return JSON.parse(JSON.stringify(json)) as JsonObject;
}

/** Turn a time into what a request holds; without one the field stays unset. */
export function momentOf(time: Date | null | undefined): Timestamp | undefined {
  return time ? timestampFromDate(time) : undefined;
}

/** Read the JSON that a door for exact JSON gave. */
export function parsed<Model>(body: { data: Uint8Array }): Model {
  return JSON.parse(new TextDecoder().decode(body.data)) as Model;
}

/** Write a JSON value as bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Turn a model, or what is given of one, into its message; what is null stays unset. */
export function fromPlain<Desc extends DescMessage>(
  schema: Desc,
  model: object,
): MessageShape<Desc> {
  return fromJson(schema, structOf({ ...model }));
}
