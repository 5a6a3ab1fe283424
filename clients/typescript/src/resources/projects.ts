// Projects, their settings, and the keys that open them.
//
// A project's key acts on its own project, which need not be named; the operator's key names one.

import {
  ApiKeySchema,
  ProjectSchema,
  ProjectSettingsSchema,
  ReceiptSchema,
} from "../gen/acontext/session/v1/project_pb.js";
import { CreateProjectResponseSchema } from "../gen/acontext/session/v1/project_service_pb.js";
import type {
  ApiKey,
  CreatedApiKey,
  CreatedProject,
  Project,
  ProjectSettings,
  Receipt,
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
import { fromPlain, plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Which project; the caller's own unless one is named. */
export interface ProjectChoice {
  projectId?: string | null;
}

/** Tenants: everything stored belongs to exactly one. */
export class ProjectsAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** Get a project. */
  async get(options: ProjectChoice = {}, call?: CallOptions): Promise<Project> {
    const { project } = await this.#api.projects.getProject(given(options), call);
    return plain(ProjectSchema, project);
  }

  /** Rename a project. */
  async rename(options: ProjectChoice & { name: string }, call?: CallOptions): Promise<Project> {
    const { projectId, name } = options;
    const request = { project: { name }, ...given({ projectId }) };
    const { project } = await this.#api.projects.updateProject(request, call);
    return plain(ProjectSchema, project);
  }

  /** Get what was set; what is absent has its default. */
  async getSettings(options: ProjectChoice = {}, call?: CallOptions): Promise<ProjectSettings> {
    const { settings } = await this.#api.projects.getProjectSettings(given(options), call);
    return plain(ProjectSettingsSchema, settings);
  }

  /** Change the settings that are given; null puts one back to its default. */
  async updateSettings(
    changed: Partial<ProjectSettings>,
    options: ProjectChoice = {},
    call?: CallOptions,
  ): Promise<ProjectSettings> {
    const { settings } = await this.#api.projects.updateProjectSettings(
      {
        settings: fromPlain(ProjectSettingsSchema, changed),
        updateMask: { paths: Object.keys(changed) },
        ...given(options),
      },
      call,
    );
    return plain(ProjectSettingsSchema, settings);
  }

  /** Make an empty project and its first key. For the operator. */
  async create(options: { name: string }, call?: CallOptions): Promise<CreatedProject> {
    const request = { name: options.name, ...given({ requestId: call?.requestId }) };
    const answer = await this.#api.projects.createProject(request, call);
    return plain(CreateProjectResponseSchema, answer);
  }

  /** List a page of projects, the oldest first. For the operator. */
  async list(options: PageOptions = {}, call?: CallOptions): Promise<Page<Project>> {
    const answer = await this.#api.projects.listProjects(pageFields(options), call);
    return pageOf(answer, (project) => plain(ProjectSchema, project));
  }

  /** Give all projects, page by page. For the operator. */
  listAll(options: PageOptions = {}): AsyncGenerator<Project, void, undefined> {
    return everything((page) => this.list(page), options);
  }

  /** Remove a project with everything in it. For the operator. */
  async delete(projectId: string, call?: CallOptions): Promise<Receipt> {
    const { receipt } = await this.#api.projects.deleteProject({ projectId }, call);
    return plain(ReceiptSchema, receipt);
  }
}

/** Keys of a project. */
export class KeysAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List the keys that work, without their secrets. */
  async list(options: ProjectChoice = {}, call?: CallOptions): Promise<ApiKey[]> {
    const { items } = await this.#api.projects.listApiKeys(given(options), call);
    return items.map((key) => plain(ApiKeySchema, key));
  }

  /** Make one more key; its secret is in this answer and nowhere else. Never retried. */
  async create(options: ProjectChoice = {}, call?: CallOptions): Promise<CreatedApiKey> {
    const { key, secret } = await this.#api.projects.createApiKey(given(options), call);
    return { key: plain(ApiKeySchema, key), secret };
  }

  /** Make a key in place of an old one, which works on for the overlap. Never retried. */
  async rotate(
    keyId: string,
    options: ProjectChoice & { overlapSeconds?: number | null } = {},
    call?: CallOptions,
  ): Promise<CreatedApiKey> {
    const request = { keyId, ...given(options) };
    const { key, secret } = await this.#api.projects.rotateApiKey(request, call);
    return { key: plain(ApiKeySchema, key), secret };
  }

  /** End a key, everywhere within 5 s. */
  async revoke(keyId: string, options: ProjectChoice = {}, call?: CallOptions): Promise<void> {
    await this.#api.projects.revokeApiKey({ keyId, ...given(options) }, call);
  }
}
