// Runs: what observing and learning did, and what it cost.

import { RunSchema } from "../gen/acontext/observer/v1/run_pb.js";
import type { Run } from "../models.js";
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

  /** Get an observation run. */
  async get(runId: string, call?: CallOptions): Promise<Run> {
    const { run } = await this.#api.runs.getRun({ runId }, call);
    return plain(RunSchema, run);
  }

  /** List a page of learning runs, of one space or of all, the oldest first. */
  async listLearning(
    options: PageOptions & { spaceId?: string | null } = {},
    call?: CallOptions,
  ): Promise<Page<Run>> {
    const request = { ...pageFields(options), ...given({ spaceId: options.spaceId }) };
    return pageOf(await this.#api.skills.listLearningRuns(request, call), (run) =>
      plain(RunSchema, run),
    );
  }
}
