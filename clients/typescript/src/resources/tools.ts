// The names of tools that the project's skills know, and ready tools for an agent.

import { DISK_TOOLS } from "../agent/disk.js";
import { SkillToolPool } from "../agent/skills.js";
import { Toolkit } from "../agent/toolkit.js";
import type { AcontextClient } from "../client.js";
import { ToolNameSchema } from "../gen/acontext/space/v1/skill_pb.js";
import { RenameToolsResponseSchema } from "../gen/acontext/space/v1/skill_service_pb.js";
import type { FlagResponse, ToolReferenceData, ToolRenameItem } from "../models.js";
import type { CallOptions } from "../paging.js";
import { plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Tools that steps of skills call, and tools for an agent. */
export class ToolsAPI {
  readonly #api: Acontext;
  readonly #client: AcontextClient;

  constructor(api: Acontext, client: AcontextClient) {
    this.#api = api;
    this.#client = client;
  }

  /** Give an agent a disk: read, write, edit, list, find files, and a URL for each. */
  disk(diskId: string): Toolkit {
    return new Toolkit(DISK_TOOLS, DISK_TOOLS.formatContext(this.#client, diskId));
  }

  /** Give an agent a search in the skills of a space; what is served is noted in a session. */
  skills(spaceId: string, options: { sessionId?: string | null } = {}): Toolkit {
    const pool = new SkillToolPool();
    return new Toolkit(pool, pool.formatContext(this.#client, spaceId, options.sessionId));
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
