// Free JSON that a person edits as text.

import type { JsonObject } from "@bufbuild/protobuf";

import { TextField } from "./fields";

/** Read an object, or throw the sentence that says what is wrong with the text. */
export function readConfigs(text: string): JsonObject {
  const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error("It has to be a JSON object.");
  }
  return value as JsonObject;
}

function problemOf(text: string): string | undefined {
  try {
    readConfigs(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function ConfigsField({
  value,
  onChange,
  label = "Configs",
}: {
  value: string;
  onChange: (value: string) => void;
  label?: string;
}) {
  return (
    <TextField
      label={label}
      value={value}
      onChange={onChange}
      lines={8}
      code
      error={problemOf(value)}
      help="A JSON object. It replaces the whole."
    />
  );
}
