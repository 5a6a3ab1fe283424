// Spaces: where sessions are learned, and where what was learned is found.

import { promptOf } from "../agent/skills.js";
import { ConfirmationSchema } from "../gen/acontext/space/v1/skill_pb.js";
import {
  GetSearchThresholdResponseSchema,
  SearchSkillsResponseSchema,
} from "../gen/acontext/space/v1/skill_service_pb.js";
import { SpaceSchema } from "../gen/acontext/space/v1/space_pb.js";
import { ExportSpaceResponseSchema } from "../gen/acontext/space/v1/space_service_pb.js";
import type {
  ExperienceConfirmation,
  FreeJson,
  SearchThreshold,
  SkillFile,
  Sop,
  Space,
  SpaceSearchResult,
} from "../models.js";
import {
  type CallOptions,
  everything,
  given,
  type Page,
  type PageOptions,
  pageFields,
  pageOf,
} from "../paging.js";
import { plain, structOf } from "../plain.js";
import type { Acontext } from "../typed.js";
import { SkillsAPI, sopFields } from "./skills.js";

/** Which spaces to list. */
export interface SpaceFilter extends PageOptions {
  /** Identifier of a user. */
  user?: string | null;
}

/** What to search for, and how. */
export interface SearchOptions {
  query: string;
  /** 1 to 50. Default 10. */
  limit?: number | null;
  /** `fast`, the default; `agentic` needs a model on the server. */
  mode?: "fast" | "agentic" | null;
  /** Cosine distance above which nothing is answered; fast only. */
  semanticThreshold?: number | null;
  /** Rounds of the model; agentic only. */
  maxIterations?: number | null;
  /** The session that is served: what is found is noted there as an exposure. */
  sessionId?: string | null;
  /** Only skills that call this tool. */
  toolName?: string | null;
  /** Only blocks in this page. */
  pageId?: string | null;
}

/** Trees of folders and pages that hold skills. */
export class SpacesAPI {
  readonly skills: SkillsAPI;
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.skills = new SkillsAPI(api);
    this.#api = api;
  }

  /** List a page of spaces, the oldest first. */
  async list(options: SpaceFilter = {}, call?: CallOptions): Promise<Page<Space>> {
    const request = { ...pageFields(options), ...given({ user: options.user }) };
    return pageOf(await this.#api.spaces.listSpaces(request, call), (space) =>
      plain(SpaceSchema, space),
    );
  }

  /** Give all spaces, page by page. */
  listAll(options: SpaceFilter = {}): AsyncGenerator<Space, void, undefined> {
    return everything((page) => this.list({ ...options, ...page }), options);
  }

  /** Make an empty space. */
  async create(
    options: { user?: string | null; configs?: FreeJson | null } = {},
    call?: CallOptions,
  ): Promise<Space> {
    const { user, configs } = options;
    const { space } = await this.#api.spaces.createSpace(
      {
        ...given({ user, requestId: call?.requestId }),
        ...(configs ? { configs: structOf(configs) } : {}),
      },
      call,
    );
    return plain(SpaceSchema, space);
  }

  /** Get a space, without its blocks. */
  async get(spaceId: string, call?: CallOptions): Promise<Space> {
    const { space } = await this.#api.spaces.getSpace({ spaceId }, call);
    return plain(SpaceSchema, space);
  }

  /** Remove a space with blocks, skills and confirmations; its sessions live on. */
  async delete(spaceId: string, call?: CallOptions): Promise<void> {
    await this.#api.spaces.deleteSpace({ spaceId }, call);
  }

  /** Replace the whole configs; `learning` in them overrides the project's settings. */
  async updateConfigs(
    spaceId: string,
    options: { configs: FreeJson },
    call?: CallOptions,
  ): Promise<void> {
    const configs = structOf(options.configs);
    await this.#api.spaces.updateSpaceConfigs({ spaceId, configs }, call);
  }

  /** As `get`. */
  getConfigs(spaceId: string, call?: CallOptions): Promise<Space> {
    return this.get(spaceId, call);
  }

  /** Find skills that fit, best first; none is an answer too. */
  async experienceSearch(
    spaceId: string,
    options: SearchOptions,
    call?: CallOptions,
  ): Promise<SpaceSearchResult> {
    const { query, ...others } = options;
    const request = { spaceId, query, ...given(others) };
    return plain(SearchSkillsResponseSchema, await this.#api.skills.searchSkills(request, call));
  }

  /**
   * Say up to which distance a fast search answers, and who set that.
   *
   * A search with a `semanticThreshold` of its own goes by that one. SPACE_NOT_FOUND if there is no
   * such space.
   */
  async getSearchThreshold(spaceId: string, call?: CallOptions): Promise<SearchThreshold> {
    const answer = await this.#api.skills.getSearchThreshold({ spaceId }, call);
    return plain(GetSearchThresholdResponseSchema, answer);
  }

  /**
   * Find skills and word them for a system message, as quoted data; empty when nothing fits.
   *
   * One to three serve an agent best; 3 unless a limit is given.
   */
  async skillsPrompt(
    spaceId: string,
    query: string,
    options: Omit<SearchOptions, "query"> = {},
    call?: CallOptions,
  ): Promise<string> {
    const search = { ...options, query, limit: options.limit ?? 3 };
    const { cited_blocks } = await this.experienceSearch(spaceId, search, call);
    return promptOf(cited_blocks);
  }

  /** List a page of the skills that wait for a person. */
  async getUnconfirmedExperiences(
    spaceId: string,
    options: PageOptions = {},
    call?: CallOptions,
  ): Promise<Page<ExperienceConfirmation>> {
    const request = { spaceId, ...pageFields(options) };
    return pageOf(await this.#api.skills.listConfirmations(request, call), (one) =>
      plain(ConfirmationSchema, one),
    );
  }

  /** Learn or discard what waits, once; `edited` is learned in place of what was proposed. */
  async confirmExperience(
    spaceId: string,
    experienceId: string,
    options: { save: boolean; edited?: Sop | null },
    call?: CallOptions,
  ): Promise<ExperienceConfirmation | null> {
    const { save, edited } = options;
    const { confirmation } = await this.#api.skills.resolveConfirmation(
      {
        spaceId,
        confirmationId: experienceId,
        save,
        ...(edited ? { edited: sopFields(edited) } : {}),
      },
      call,
    );
    return confirmation ? plain(ConfirmationSchema, confirmation) : null;
  }

  /** Give the space's skills, each as one `SKILL.md`. */
  async *export(spaceId: string, call?: CallOptions): AsyncGenerator<SkillFile, void, undefined> {
    for await (const file of this.#api.spaces.exportSpace({ spaceId }, call)) {
      yield plain(ExportSpaceResponseSchema, file);
    }
  }
}
