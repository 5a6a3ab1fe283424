// Skills: what a space knows, with versions and with what each came from.

import { SkillSchema } from "../gen/acontext/space/v1/skill_pb.js";
import {
  GetSkillResponseSchema,
  GetSkillStatisticsResponseSchema,
  SearchSkillsResponseSchema,
  SkillUseSchema,
} from "../gen/acontext/space/v1/skill_service_pb.js";
import type {
  Skill,
  SkillStatistics,
  SkillUse,
  SkillWithHistory,
  Sop,
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
import { momentOf, plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Which skills to list. */
export interface SkillFilter extends PageOptions {
  withArchived?: boolean;
}

/** Which uses of skills to list. */
export interface SkillUseFilter extends PageOptions {
  /** The first version of a skill, a later one, or a search that served it. */
  kind?: "learned" | "improved" | "served" | null;
  /** Only uses from this time on, and before the other. */
  usedAfter?: Date | null;
  usedBefore?: Date | null;
}

/** What was learned. */
export class SkillsAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List a page of a space's skills, the oldest first. */
  async list(spaceId: string, options: SkillFilter = {}, call?: CallOptions): Promise<Page<Skill>> {
    const { withArchived = false } = options;
    const request = { spaceId, withArchived, ...pageFields(options) };
    return pageOf(await this.#api.skills.listSkills(request, call), (skill) =>
      plain(SkillSchema, skill),
    );
  }

  /** Give all skills of a space, page by page. */
  listAll(spaceId: string, options: SkillFilter = {}): AsyncGenerator<Skill, void, undefined> {
    return everything((page) => this.list(spaceId, { ...options, ...page }), options);
  }

  /** List a page of when skills of all spaces were learned, improved and served, by time. */
  async listUses(options: SkillUseFilter = {}, call?: CallOptions): Promise<Page<SkillUse>> {
    const { kind } = options;
    const usedAfter = momentOf(options.usedAfter);
    const usedBefore = momentOf(options.usedBefore);
    const request = { ...pageFields(options), ...given({ kind, usedAfter, usedBefore }) };
    return pageOf(await this.#api.skills.listSkillUses(request, call), (use) =>
      plain(SkillUseSchema, use),
    );
  }

  /** Give all uses of the project's skills, page by page. */
  listAllUses(options: SkillUseFilter = {}): AsyncGenerator<SkillUse, void, undefined> {
    return everything((page) => this.listUses({ ...options, ...page }), options);
  }

  /** Find skills that fit; `spaces.experienceSearch` has more options. */
  async search(
    spaceId: string,
    query: string,
    options: { limit?: number | null; sessionId?: string | null } = {},
    call?: CallOptions,
  ): Promise<SpaceSearchResult> {
    const request = { spaceId, query, ...given(options) };
    return plain(SearchSkillsResponseSchema, await this.#api.skills.searchSkills(request, call));
  }

  /** Count what the project learned and how it was used, per day in the caller's time zone. */
  async getStatistics(
    options: { days?: number | null; timeZone?: string | null } = {},
    call?: CallOptions,
  ): Promise<SkillStatistics> {
    const answer = await this.#api.skills.getSkillStatistics(given(options), call);
    return plain(GetSkillStatisticsResponseSchema, answer);
  }

  /** Get a skill with its versions, their sources and scores, and where it was served. */
  async get(skillId: string, call?: CallOptions): Promise<SkillWithHistory> {
    const answer = await this.#api.skills.getSkill({ skillId }, call);
    return plain(GetSkillResponseSchema, answer);
  }

  /** Make an edit the new version; only what is given changes, and learning then only proposes. */
  async update(
    skillId: string,
    options: { sop: Partial<Sop> },
    call?: CallOptions,
  ): Promise<Skill> {
    const sop = sopFields(options.sop);
    const updateMask = { paths: Object.keys(options.sop) };
    const { skill } = await this.#api.skills.updateSkill({ skillId, sop, updateMask }, call);
    return plain(SkillSchema, skill);
  }

  /** Put an older version in force again, as a new version. */
  async rollback(
    skillId: string,
    options: { version: number },
    call?: CallOptions,
  ): Promise<Skill> {
    const request = { skillId, version: options.version };
    const { skill } = await this.#api.skills.rollbackSkill(request, call);
    return plain(SkillSchema, skill);
  }

  /** Take a skill out of every search, or put it back. */
  async archive(
    skillId: string,
    options: { archived?: boolean } = {},
    call?: CallOptions,
  ): Promise<Skill> {
    const { archived = true } = options;
    const { skill } = await this.#api.skills.archiveSkill({ skillId, archived }, call);
    return plain(SkillSchema, skill);
  }

  /** Let tasks that the space tried to learn, and could not, wait again, and say how many. */
  async retryFailedLearning(
    spaceId: string,
    options: { sessionId?: string } = {},
    call?: CallOptions,
  ): Promise<number> {
    return (await this.#api.skills.retryFailedLearning({ spaceId, ...options }, call)).count;
  }
}

/** Say a skill's text in the words of a request. */
export function sopFields({ use_when, preferences, tool_sops }: Partial<Sop>) {
  return {
    useWhen: use_when ?? "",
    preferences: preferences ?? "",
    toolSops: (tool_sops ?? []).map(({ tool_name, action }) => ({ toolName: tool_name, action })),
  };
}
