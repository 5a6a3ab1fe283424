// The names of tools that the project's skills know.

import { ToolNameSchema } from "../gen/acontext/space/v1/skill_pb.js";
import { RenameToolsResponseSchema } from "../gen/acontext/space/v1/skill_service_pb.js";
import type { FlagResponse, ToolReferenceData, ToolRenameItem } from "../models.js";
import type { CallOptions } from "../paging.js";
import { plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Tools that steps of skills call. */
export class ToolsAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** Rename tools in every step; onto a known name they merge, unknown ones are skipped. */
  async renameToolName(
    options: { rename: ToolRenameItem[] },
    call?: CallOptions,
  ): Promise<FlagResponse> {
    const answer = await this.#api.skills.renameTools({ rename: options.rename }, call);
    return plain(RenameToolsResponseSchema, answer);
  }

  /** List the tools, by name. */
  async getToolName(call?: CallOptions): Promise<ToolReferenceData[]> {
    const { items } = await this.#api.skills.listToolNames({}, call);
    return items.map((tool) => plain(ToolNameSchema, tool));
  }
}
