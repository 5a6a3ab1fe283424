// The client in the words of the published SDKs: resources with camelCase methods and plain answers.

import { HealthSchema } from "./gen/acontext/health/v1/health_pb.js";
import type { Health } from "./models.js";
import type { CallOptions } from "./paging.js";
import { plain } from "./plain.js";
import { BlocksAPI } from "./resources/blocks.js";
import { DisksAPI } from "./resources/disks.js";
import { KeysAPI, ProjectsAPI } from "./resources/projects.js";
import { RunsAPI } from "./resources/runs.js";
import { SessionsAPI } from "./resources/sessions.js";
import { SpacesAPI } from "./resources/spaces.js";
import { TasksAPI } from "./resources/tasks.js";
import { ToolsAPI } from "./resources/tools.js";
import { UsersAPI } from "./resources/users.js";
import { settingsOf } from "./settings.js";
import { type Acontext, createAcontext } from "./typed.js";

/** Where Acontext is, and the key that opens a project there; the environment knows the rest. */
export interface AcontextClientOptions {
  /** A project's key. Default: `ACONTEXT_API_KEY` of the environment. */
  apiKey?: string | null;
  /** Default: `ACONTEXT_BASE_URL` of the environment, or `http://localhost:8029/api/v1`. */
  baseUrl?: string | null;
  /** Milliseconds that a call may take, its retries included. Default 320,000. */
  timeout?: number | null;
  /** How often a repeatable call is tried again while nobody answers. Default 4. */
  retries?: number | null;
  /** What the caller names itself to the server. */
  userAgent?: string | null;
}

/** Everything that an agent needs of Acontext. */
export class AcontextClient {
  readonly baseUrl: string;
  readonly sessions: SessionsAPI;
  readonly tasks: TasksAPI;
  readonly disks: DisksAPI;
  readonly artifacts: DisksAPI["artifacts"];
  readonly spaces: SpacesAPI;
  readonly blocks: BlocksAPI;
  readonly tools: ToolsAPI;
  readonly users: UsersAPI;
  readonly runs: RunsAPI;
  readonly projects: ProjectsAPI;
  readonly keys: KeysAPI;
  readonly #api: Acontext;

  constructor(options: AcontextClientOptions = {}) {
    const apiKey = options.apiKey || environment("ACONTEXT_API_KEY");
    if (!apiKey) throw new TypeError("apiKey is required, here or as ACONTEXT_API_KEY");
    const baseUrl = options.baseUrl || environment("ACONTEXT_BASE_URL") || HOME;
    const settings = settingsOf({
      apiKey,
      baseUrl,
      ...(options.timeout == null ? {} : { timeout: options.timeout }),
      ...(options.retries == null ? {} : { retries: options.retries }),
      ...(options.userAgent ? { userAgent: options.userAgent } : {}),
    });
    this.baseUrl = baseUrl.replace(/\/$/, "");
    this.#api = createAcontext(settings);
    this.sessions = new SessionsAPI(this.#api);
    this.tasks = new TasksAPI(this.#api);
    this.disks = new DisksAPI(this.#api, settings);
    this.artifacts = this.disks.artifacts;
    this.spaces = new SpacesAPI(this.#api);
    this.blocks = new BlocksAPI(this.#api);
    this.tools = new ToolsAPI(this.#api, this);
    this.users = new UsersAPI(this.#api);
    this.runs = new RunsAPI(this.#api);
    this.projects = new ProjectsAPI(this.#api);
    this.keys = new KeysAPI(this.#api);
  }

  /** Say `pong` if the server answers and the key is good. */
  async ping(call?: CallOptions): Promise<string> {
    return (await this.#api.projects.ping({}, call)).msg;
  }

  /** Say how every service and engine is. For the operator. */
  async health(call?: CallOptions): Promise<Health> {
    const { health } = await this.#api.health.getHealth({}, call);
    return plain(HealthSchema, health);
  }
}

const HOME = "http://localhost:8029/api/v1";

// Browsers have no environment.
function environment(name: string): string | undefined {
  const variables = (globalThis as { process?: { env?: Record<string, string | undefined> } })
    .process?.env;
  return variables?.[name];
}
