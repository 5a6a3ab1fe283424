// Tasks: what an agent works on, as it was observed.

import { TaskChangeSchema, TaskMessageSchema } from "../gen/acontext/observer/v1/task_pb.js";
import { GetStatisticsResponseSchema } from "../gen/acontext/observer/v1/task_service_pb.js";
import type { Statistics, Task, TaskChange, TaskMessage, TaskWithMessages } from "../models.js";
import {
  type CallOptions,
  everything,
  given,
  type Page,
  type PageOptions,
  pageFields,
  pageOf,
} from "../paging.js";
import { momentOf, plain, plainTask } from "../plain.js";
import type { Acontext } from "../typed.js";
import { resumed } from "../watching.js";

/** Which tasks to list. */
export interface TaskFilter extends PageOptions {
  status?: "pending" | "running" | "success" | "failed" | null;
  /** Only tasks that were first seen from this time on, and before the other. */
  seenAfter?: Date | null;
  seenBefore?: Date | null;
}

/** Which changes to watch. */
export interface WatchTasksOptions {
  /** Only of this session. */
  sessionId?: string;
  /** Changes behind it; an empty text means from the very first. Without one: from now on. */
  cursor?: string;
  signal?: AbortSignal;
}

/** What agents work on, whichever session it is in. */
export class TasksAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /**
   * List a page of the tasks of all sessions by when they were first seen, the oldest first.
   *
   * Planning sections are left out.
   */
  async list(options: TaskFilter = {}, call?: CallOptions): Promise<Page<Task>> {
    const { status } = options;
    const seenAfter = momentOf(options.seenAfter);
    const seenBefore = momentOf(options.seenBefore);
    const request = { ...pageFields(options), ...given({ status, seenAfter, seenBefore }) };
    return pageOf(await this.#api.tasks.listProjectTasks(request, call), plainTask);
  }

  /** Give all tasks of the project, page by page. */
  listAll(options: TaskFilter = {}): AsyncGenerator<Task, void, undefined> {
    return everything((page) => this.list({ ...options, ...page }), options);
  }

  /** Get a task with the messages it came from. */
  async get(taskId: string, call?: CallOptions): Promise<TaskWithMessages> {
    const { task, messages } = await this.#api.tasks.getTask({ taskId }, call);
    return {
      task: plainTask(task),
      messages: messages.map((one) => plain<TaskMessage>(TaskMessageSchema, one)),
    };
  }

  /** Set how a task ended, from outside; it wins over what is observed later. */
  async setOutcome(
    taskId: string,
    options: { status: "success" | "failed"; reason?: string | null },
    call?: CallOptions,
  ): Promise<Task> {
    const { status, reason } = options;
    const request = { taskId, status, ...given({ reason }) };
    const { task } = await this.#api.tasks.setTaskOutcome(request, call);
    return plainTask(task);
  }

  /**
   * Give every change of tasks in order, then each new one as it happens.
   *
   * It resumes by itself after a break, and ends when the loop is left or the signal aborts.
   */
  async *watch(options: WatchTasksOptions = {}): AsyncGenerator<TaskChange, void, undefined> {
    const place = given({ sessionId: options.sessionId, cursor: options.cursor });
    const open = (signal: AbortSignal) =>
      this.#api.tasks.watchTasks({ ...place, withStart: true }, { signal, timeoutMs: 0 });
    for await (const { change, start } of resumed(open, options.signal)) {
      const cursor = change?.cursor ?? start;
      if (cursor !== undefined) place.cursor = cursor;
      if (!change) continue;
      yield { ...plain<TaskChange>(TaskChangeSchema, change), task: plainTask(change.task) };
    }
  }

  /** Count the project's work per day, in the caller's time zone. */
  async getStatistics(
    options: { days?: number | null; timeZone?: string | null } = {},
    call?: CallOptions,
  ): Promise<Statistics> {
    const answer = await this.#api.tasks.getStatistics(given(options), call);
    return plain(GetStatisticsResponseSchema, answer);
  }
}
