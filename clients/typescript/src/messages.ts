// Messages in Acontext's own form.

import type { FreeJson } from "./models.js";

/** What a part is made of. */
export interface MessagePartInput {
  type: string;
  text?: string | null;
  meta?: FreeJson | null;
  /** Name of the upload that the part shows. */
  file_field?: string | null;
}

/** One piece of a message. */
export class MessagePart implements MessagePartInput {
  type: string;
  text?: string | null;
  meta?: FreeJson | null;
  file_field?: string | null;

  constructor(input: MessagePartInput) {
    this.type = input.type;
    if (input.text !== undefined) this.text = input.text;
    if (input.meta !== undefined) this.meta = input.meta;
    if (input.file_field !== undefined) this.file_field = input.file_field;
  }

  /** Make a part of text. */
  static textPart(text: string, options: { meta?: FreeJson | null } = {}): MessagePart {
    return new MessagePart({ type: "text", text, ...options });
  }

  /** Make a part of an upload. */
  static fileFieldPart(fileField: string, options: { meta?: FreeJson | null } = {}): MessagePart {
    return new MessagePart({ type: "file", file_field: fileField, ...options });
  }

  toJSON(): MessagePartInput {
    return { ...this };
  }
}

/** What a message is made of. */
export interface AcontextMessageInput {
  role: "user" | "assistant";
  parts: MessagePartInput[];
  meta?: FreeJson | null;
}

/** One turn, in parts that every provider's form can be made from. */
export class AcontextMessage {
  role: "user" | "assistant";
  parts: MessagePart[];
  meta?: FreeJson | null;

  constructor(input: AcontextMessageInput) {
    this.role = input.role;
    this.parts = input.parts.map((part) => new MessagePart(part));
    if (input.meta !== undefined) this.meta = input.meta;
  }

  toJSON(): AcontextMessageInput {
    return { ...this, parts: this.parts.map((part) => part.toJSON()) };
  }
}

/** Make a message; a plain string is a part of text. */
export function buildAcontextMessage(options: {
  role: "user" | "assistant";
  parts: (MessagePart | string | MessagePartInput)[];
  meta?: FreeJson | null;
}): AcontextMessage {
  const parts = options.parts.map((part) =>
    typeof part === "string" ? MessagePart.textPart(part) : part,
  );
  return new AcontextMessage({ ...options, parts });
}
