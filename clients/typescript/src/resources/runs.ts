// Runs: what observing and learning did, and what it cost.

import { RunSchema, TokenUseSchema } from "../gen/acontext/observer/v1/run_pb.js";
import type { Run, TokenUse } from "../models.js";
import {
  type CallOptions,
  everything,
  given,
  type Page,
  type PageOptions,
  pageFields,
  pageOf,
} from "../paging.js";
import { plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Which observation runs to list. */
export interface RunFilter extends PageOptions {
  sessionId?: string | null;
  outcome?: "success" | "failed" | "refused" | null;
}

/** Which learning and searching runs to list. */
export interface LearningRunFilter extends RunFilter {
  spaceId?: string | null;
  role?: "distiller" | "librarian" | "searcher" | null;
}

/** Work of Acontext's own agents. */
export class RunsAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List a page of observation runs, the oldest first. */
  async list(options: RunFilter = {}, call?: CallOptions): Promise<Page<Run>> {
    const { sessionId, outcome } = options;
    const request = { ...pageFields(options), ...given({ sessionId, outcome }) };
    return pageOf(await this.#api.runs.listRuns(request, call), (run) => plain(RunSchema, run));
  }

  /** Give all observation runs, page by page. */
  listAll(options: RunFilter = {}): AsyncGenerator<Run, void, undefined> {
    return everything((page) => this.list({ ...options, ...page }), options);
  }

  /** Say what models took of a month's budget, such as `2026-11`; of this one without it. */
  async getTokenUse(
    options: { month?: string | null } = {},
    call?: CallOptions,
  ): Promise<TokenUse> {
    const { tokenUse } = await this.#api.runs.getTokenUse(given(options), call);
    return plain(TokenUseSchema, tokenUse);
  }

  /** Get an observation run. */
  async get(runId: string, call?: CallOptions): Promise<Run> {
    const { run } = await this.#api.runs.getRun({ runId }, call);
    return plain(RunSchema, run);
  }

  /** List a page of learning and searching runs, the oldest first. */
  async listLearning(options: LearningRunFilter = {}, call?: CallOptions): Promise<Page<Run>> {
    const { spaceId, sessionId, role, outcome } = options;
    const request = { ...pageFields(options), ...given({ spaceId, sessionId, role, outcome }) };
    return pageOf(await this.#api.skills.listLearningRuns(request, call), (run) =>
      plain(RunSchema, run),
    );
  }

  /** Get a learning or searching run; RUN_NOT_FOUND if there is none. */
  async getLearning(runId: string, call?: CallOptions): Promise<Run> {
    const { run } = await this.#api.skills.getLearningRun({ runId }, call);
    return plain(RunSchema, run);
  }
}
