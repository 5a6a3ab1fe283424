// Tools that an agent is given, and the forms in which providers want to hear of them.

import type { FreeJson } from "../models.js";

/** What tools act on. */
// biome-ignore lint/suspicious/noEmptyInterface: each pool says what is in its own
export interface BaseContext {}

/** A tool as its model sees it, and what it does when it is called. */
export interface BaseTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of each argument. */
  readonly arguments: FreeJson;
  readonly requiredArguments: string[];
  execute(context: BaseContext, llmArguments: FreeJson): Promise<string>;
  toOpenAIToolSchema(): FreeJson;
  toAnthropicToolSchema(): FreeJson;
  toGeminiToolSchema(): FreeJson;
}

/** A tool with the forms of its schema. */
export abstract class AbstractBaseTool implements BaseTool {
  abstract readonly name: string;
  abstract readonly description: string;
  abstract readonly arguments: FreeJson;
  abstract readonly requiredArguments: string[];

  /** Do what the model asked for, and say what became of it. */
  abstract execute(context: BaseContext, llmArguments: FreeJson): Promise<string>;

  toOpenAIToolSchema(): FreeJson {
    return { type: "function", function: this.toGeminiToolSchema() };
  }

  toAnthropicToolSchema(): FreeJson {
    return { ...this.#named(), input_schema: this.#schema() };
  }

  toGeminiToolSchema(): FreeJson {
    return { ...this.#named(), parameters: this.#schema() };
  }

  #named(): FreeJson {
    return { name: this.name, description: this.description };
  }

  #schema(): FreeJson {
    return { type: "object", properties: this.arguments, required: this.requiredArguments };
  }
}

/** Tools by their names. */
export abstract class BaseToolPool {
  protected tools = new Map<string, BaseTool>();

  /** Make what the tools act on. */
  abstract formatContext(...args: unknown[]): BaseContext;

  addTool(tool: BaseTool): void {
    this.tools.set(tool.name, tool);
  }

  removeTool(toolName: string): void {
    this.tools.delete(toolName);
  }

  extendToolPool(pool: BaseToolPool): void {
    for (const tool of pool.tools.values()) this.addTool(tool);
  }

  /** What the tools are called. */
  get names(): string[] {
    return [...this.tools.keys()];
  }

  toolExists(toolName: string): boolean {
    return this.tools.has(toolName);
  }

  /** Call a tool by its name, as a model asked for it. */
  async executeTool(
    context: BaseContext,
    toolName: string,
    llmArguments: FreeJson,
  ): Promise<string> {
    const tool = this.tools.get(toolName);
    if (!tool) throw new Error(`there is no tool ${toolName}`);
    return (await tool.execute(context, llmArguments)).trim();
  }

  toOpenAIToolSchema(): FreeJson[] {
    return [...this.tools.values()].map((tool) => tool.toOpenAIToolSchema());
  }

  toAnthropicToolSchema(): FreeJson[] {
    return [...this.tools.values()].map((tool) => tool.toAnthropicToolSchema());
  }

  toGeminiToolSchema(): FreeJson[] {
    return [...this.tools.values()].map((tool) => tool.toGeminiToolSchema());
  }
}
