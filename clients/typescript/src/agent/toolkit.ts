// Tools that know what they act on, ready to be given to a model.

import { TransportError } from "../errors.js";
import type { FreeJson } from "../models.js";
import type { BaseContext, BaseToolPool } from "./tools.js";

/** Tools of which a model chooses; iterating gives their definitions for OpenAI. */
export class Toolkit implements Iterable<FreeJson> {
  readonly #pool: BaseToolPool;
  readonly #context: BaseContext;

  constructor(pool: BaseToolPool, context: BaseContext) {
    this.#pool = pool;
    this.#context = context;
  }

  [Symbol.iterator](): Iterator<FreeJson> {
    return this.openai()[Symbol.iterator]();
  }

  /** What the tools are called. */
  get names(): string[] {
    return this.#pool.names;
  }

  /** Define them for OpenAI's chat completions: `tools: client.tools.disk(diskId).openai()`. */
  openai(): FreeJson[] {
    return this.#pool.toOpenAIToolSchema();
  }

  /** Define them for Anthropic's messages. */
  anthropic(): FreeJson[] {
    return this.#pool.toAnthropicToolSchema();
  }

  /** Declare them as functions for Gemini. */
  gemini(): FreeJson[] {
    return this.#pool.toGeminiToolSchema();
  }

  /**
   * Do what the model asked for, and return what to tell it.
   *
   * The arguments are an object, or the JSON text that OpenAI's models send. What goes wrong is told
   * too, so that the model can do better; only where nobody answered this throws.
   */
  async call(name: string, given: FreeJson | string): Promise<string> {
    if (!this.#pool.toolExists(name)) {
      return `There is no tool ${name}; there are ${this.names.join(", ")}.`;
    }
    try {
      const wanted = typeof given === "string" ? (JSON.parse(given) as FreeJson) : given;
      return await this.#pool.executeTool(this.#context, name, wanted);
    } catch (error) {
      if (error instanceof TransportError) throw error;
      return `That did not work: ${error instanceof Error ? error.message : error}`;
    }
  }
}
