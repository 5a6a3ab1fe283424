// Users: whom sessions, disks and spaces belong to.

import { UserSchema } from "../gen/acontext/session/v1/project_pb.js";
import { GetUserResourcesResponseSchema } from "../gen/acontext/session/v1/project_service_pb.js";
import type { User, UserResources } from "../models.js";
import {
  type CallOptions,
  everything,
  type Page,
  type PageOptions,
  pageFields,
  pageOf,
} from "../paging.js";
import { plain } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Users, made by the first session, disk or space that names one. */
export class UsersAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List users, all of them unless a limit is given. */
  async list(options: PageOptions = {}, call?: CallOptions): Promise<Page<User>> {
    const answer = await this.#api.projects.listUsers(pageFields(options), call);
    return pageOf(answer, (user) => plain(UserSchema, user));
  }

  /** Give all users, page by page. */
  listAll(options: PageOptions = {}): AsyncGenerator<User, void, undefined> {
    return everything((page) => this.list(page), options);
  }

  /** Count what belongs to a user. */
  async getResources(identifier: string, call?: CallOptions): Promise<UserResources> {
    const answer = await this.#api.projects.getUserResources({ identifier }, call);
    return plain(GetUserResourcesResponseSchema, answer);
  }

  /** Remove a user with all sessions, disks and spaces that are its own. */
  async delete(identifier: string, call?: CallOptions): Promise<void> {
    await this.#api.projects.deleteUser({ identifier }, call);
  }
}
