// Sessions, their messages, and what was observed of them.

import {
  FlushSessionResponseSchema,
  GetLearningStatusResponseSchema,
  GetObservingStatusResponseSchema,
} from "../gen/acontext/observer/v1/task_service_pb.js";
import { MessageSchema } from "../gen/acontext/session/v1/message_pb.js";
import { GetTokenCountsResponseSchema } from "../gen/acontext/session/v1/session_messages_pb.js";
import { SessionSchema, SessionStateSchema } from "../gen/acontext/session/v1/session_pb.js";
import { GetSessionStatisticsResponseSchema } from "../gen/acontext/session/v1/session_service_pb.js";
import type { AcontextMessage, AcontextMessageInput } from "../messages.js";
import type {
  EditStrategy,
  FlushResult,
  Format,
  FreeJson,
  GetMessagesOutput,
  LearningStatus,
  Message,
  MessageObservingStatus,
  Reobservation,
  Session,
  SessionContext,
  SessionState,
  SessionStatistics,
  SessionWithState,
  Task,
  TokenCounts,
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
import { jsonBytes, momentOf, parsed, plain, plainTask, structOf } from "../plain.js";
import type { Acontext } from "../typed.js";
import { blobOf, type FileUpload } from "../uploads.js";
import { resumed } from "../watching.js";

/** A message as a provider's library gives or takes it, or in Acontext's own form. */
export type MessageBlob = AcontextMessage | AcontextMessageInput | object;

/** Which sessions to list. */
export interface SessionFilter extends PageOptions {
  /** Identifier of a user. */
  user?: string | null;
  spaceId?: string | null;
  /** Only sessions without a space; wins over spaceId. */
  notConnected?: boolean | null;
  /** Only sessions whose configs contain it. */
  filterByConfigs?: FreeJson | null;
  /** Only sessions that are so far. */
  observing?: "observed" | "pending" | "failed" | null;
  /** What the session's id, or its user's identifier, begins with; up to 1024 characters. */
  search?: string | null;
  /** Only sessions in which a message was stored from this time on, and before the other. */
  storedAfter?: Date | null;
  storedBefore?: Date | null;
}

/** How a message is given. */
export interface StoreOptions {
  /** Default `openai`. */
  format?: Format;
  /** Name by which a part shows the file. */
  fileField?: string | null;
  file?: FileUpload | null;
}

/** Messages that are stored together. */
export interface Exchange {
  /** Add messages in the order in which they were said. */
  add(...blobs: MessageBlob[]): void;
}

/** Which messages to read, and how. */
export interface ReadOptions extends PageOptions {
  /** Default `openai`. */
  format?: Format;
  /** Default true. */
  withAssetPublicUrl?: boolean | null;
  editStrategies?: EditStrategy[] | null;
  /** Message up to which the strategies apply. */
  pinEditingStrategiesAtMessage?: string | null;
}

/** Conversations: ordered logs of messages, observed in the background. */
export class SessionsAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List a page of sessions, the oldest first. */
  async list(options: SessionFilter = {}, call?: CallOptions): Promise<Page<Session>> {
    const answer = await this.#api.sessions.listSessions(filterFields(options), call);
    return pageOf(answer, (session) => plain(SessionSchema, session));
  }

  /** Give all sessions, page by page. */
  listAll(options: SessionFilter = {}): AsyncGenerator<Session, void, undefined> {
    return everything((page) => this.list({ ...options, ...page }), options);
  }

  /**
   * List a page as `list` does, each session with how far it is observed, in one call.
   *
   * A session that is deleted meanwhile is left out, so a page may be short and not the last.
   */
  async listWithStates(
    options: SessionFilter = {},
    call?: CallOptions,
  ): Promise<Page<SessionWithState>> {
    const request = { ...filterFields(options), withStates: true };
    const answer = await this.#api.sessions.listSessions(request, call);
    const states = new Map(answer.states?.items.map((state) => [state.sessionId, state]));
    const items = answer.items.filter(({ id }) => states.has(id));
    return pageOf({ ...answer, items }, (session) => ({
      session: plain<Session>(SessionSchema, session),
      state: plain<SessionState>(SessionStateSchema, states.get(session.id)),
    }));
  }

  /** Give all sessions with how far they are observed, page by page. */
  listAllWithStates(
    options: SessionFilter = {},
  ): AsyncGenerator<SessionWithState, void, undefined> {
    return everything((page) => this.listWithStates({ ...options, ...page }), options);
  }

  /** Open an empty session. */
  async create(
    options: {
      /** Free identifier of a user, made on first sight. */
      user?: string | null;
      /** Where its completed tasks are learned. */
      spaceId?: string | null;
      disableTaskTracking?: boolean | null;
      configs?: FreeJson | null;
    } = {},
    call?: CallOptions,
  ): Promise<Session> {
    const { user, spaceId, disableTaskTracking, configs } = options;
    const { session } = await this.#api.sessions.createSession(
      {
        ...given({ user, spaceId, disableTaskTracking, requestId: call?.requestId }),
        ...(configs ? { configs: structOf(configs) } : {}),
      },
      call,
    );
    return plain(SessionSchema, session);
  }

  /** Get a session, without its messages. */
  async get(sessionId: string, call?: CallOptions): Promise<Session> {
    const { session } = await this.#api.sessions.getSession({ sessionId }, call);
    return plain(SessionSchema, session);
  }

  /** Say of some sessions how long they are and how far they are observed; unknown ids are left out. */
  async getStates(sessionIds: string[], call?: CallOptions): Promise<SessionState[]> {
    const { items } = await this.#api.sessions.listSessionStates({ sessionIds }, call);
    return items.map((state) => plain(SessionStateSchema, state));
  }

  /** Count what the project keeps in sessions. */
  async getStatistics(call?: CallOptions): Promise<SessionStatistics> {
    return plain(
      GetSessionStatisticsResponseSchema,
      await this.#api.sessions.getSessionStatistics({}, call),
    );
  }

  /** Remove a session with its messages and tasks. */
  async delete(sessionId: string, call?: CallOptions): Promise<void> {
    await this.#api.sessions.deleteSession({ sessionId }, call);
  }

  /** Replace the whole configs. */
  async updateConfigs(
    sessionId: string,
    options: { configs: FreeJson },
    call?: CallOptions,
  ): Promise<void> {
    const configs = structOf(options.configs);
    await this.#api.sessions.updateSessionConfigs({ sessionId, configs }, call);
  }

  /** As `get`. */
  getConfigs(sessionId: string, call?: CallOptions): Promise<Session> {
    return this.get(sessionId, call);
  }

  /** Let a space learn from the session, in place of an earlier one. */
  async connectToSpace(
    sessionId: string,
    options: { spaceId: string },
    call?: CallOptions,
  ): Promise<void> {
    const { spaceId } = options;
    await this.#api.sessions.connectToSpace({ sessionId, spaceId }, call);
  }

  /**
   * Append one message; it is durable once answered.
   *
   * A retry stores it once. `blob` is what a provider's library hands out or takes.
   */
  async storeMessage(
    sessionId: string,
    blob: MessageBlob,
    options: StoreOptions = {},
    call?: CallOptions,
  ): Promise<Message> {
    const { format = "openai", file, fileField } = options;
    if (file && !fileField) throw new TypeError("fileField is required when file is given");
    const { message } = await this.#api.sessions.storeMessage(
      {
        sessionId,
        format,
        blobJson: jsonBytes(blob),
        files: file && fileField ? [await uploaded(fileField, file)] : [],
        ...given({ requestId: call?.requestId }),
      },
      call,
    );
    return plain(MessageSchema, message);
  }

  /** As `storeMessage`. */
  sendMessage(
    sessionId: string,
    blob: MessageBlob,
    options: StoreOptions = {},
    call?: CallOptions,
  ): Promise<Message> {
    return this.storeMessage(sessionId, blob, options, call);
  }

  /** Append messages in order, a call each; those before a failure are kept. */
  async storeMessages(
    sessionId: string,
    blobs: Iterable<MessageBlob> | AsyncIterable<MessageBlob>,
    options: { format?: Format } = {},
    call?: CallOptions,
  ): Promise<Message[]> {
    const stored: Message[] = [];
    for await (const blob of blobs) {
      stored.push(await this.storeMessage(sessionId, blob, options, call));
    }
    return stored;
  }

  /**
   * Collect the messages of a whole exchange and store them together when `talk` is done.
   *
   * If it throws, nothing is stored.
   */
  async exchange(
    sessionId: string,
    talk: (exchange: Exchange) => void | Promise<void>,
    options: { format?: Format } = {},
    call?: CallOptions,
  ): Promise<Message[]> {
    const said: MessageBlob[] = [];
    await talk({ add: (...blobs) => void said.push(...blobs) });
    return this.storeMessages(sessionId, said, options, call);
  }

  /** Read messages, always oldest to newest; all of them without a limit. */
  async getMessages<Item = unknown>(
    sessionId: string,
    options: ReadOptions = {},
    call?: CallOptions,
  ): Promise<GetMessagesOutput<Item>> {
    const { format, withAssetPublicUrl, editStrategies, pinEditingStrategiesAtMessage } = options;
    const body = await this.#api.sessions.listMessagesJson(
      {
        sessionId,
        ...pageFields({ ...options, timeDesc: options.timeDesc ?? true }),
        ...given({ format, withAssetPublicUrl, pinEditingStrategiesAtMessage }),
        ...(editStrategies ? { editStrategies: JSON.stringify(editStrategies) } : {}),
      },
      call,
    );
    return parsed(body);
  }

  /** Give all messages, oldest first, page by page. */
  listAllMessages<Item = unknown>(
    sessionId: string,
    options: Omit<ReadOptions, "timeDesc"> = {},
  ): AsyncGenerator<Item, void, undefined> {
    const list = (page: PageOptions) =>
      this.getMessages<Item>(sessionId, { ...options, ...page, timeDesc: false });
    return everything(list, { ...options, limit: options.limit ?? 100 });
  }

  /** Give what the next model call needs, within a budget of tokens. */
  async getContext<Item = unknown>(
    sessionId: string,
    options: { tokenBudget: number; format?: Format },
    call?: CallOptions,
  ): Promise<SessionContext<Item>> {
    const body = await this.#api.sessions.getSessionContextJson({ sessionId, ...options }, call);
    return parsed(body);
  }

  /**
   * Give every message after a sequence, then each new one as it is stored.
   *
   * It resumes by itself after a break, and ends when the loop is left or the signal aborts.
   */
  async *watch(
    sessionId: string,
    options: { afterSequence?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<Message, void, undefined> {
    const place = { sessionId, afterSequence: options.afterSequence ?? 0 };
    const open = (signal: AbortSignal) =>
      this.#api.sessions.watchSession(place, { signal, timeoutMs: 0 });
    for await (const { message } of resumed(open, options.signal)) {
      const told = plain<Message>(MessageSchema, message);
      place.afterSequence = told.sequence;
      yield told;
    }
  }

  /** Observe everything stored so far, and answer when that is done or 30 s are over. */
  async flush(sessionId: string, call?: CallOptions): Promise<FlushResult> {
    return plain(
      FlushSessionResponseSchema,
      await this.#api.tasks.flushSession({ sessionId }, call),
    );
  }

  /** List a page of the session's tasks by order. */
  async getTasks(
    sessionId: string,
    options: PageOptions = {},
    call?: CallOptions,
  ): Promise<Page<Task>> {
    const answer = await this.#api.tasks.listTasks({ sessionId, ...pageFields(options) }, call);
    return pageOf(answer, (task) => plainTask(task));
  }

  /** Give all tasks of the session, page by page. */
  listAllTasks(
    sessionId: string,
    options: PageOptions = {},
  ): AsyncGenerator<Task, void, undefined> {
    return everything((page) => this.getTasks(sessionId, page), options);
  }

  /** Tell the tasks of a session with their progress and preferences, as tagged text. */
  async getSessionSummary(
    sessionId: string,
    options: { limit?: number | null } = {},
    call?: CallOptions,
  ): Promise<string> {
    const { items } = await this.getTasks(sessionId, options, call);
    return items.map(summaryOf).join("\n");
  }

  /** Count the session's successful tasks by whether its space has dealt with them. */
  async getLearningStatus(sessionId: string, call?: CallOptions): Promise<LearningStatus> {
    return plain(
      GetLearningStatusResponseSchema,
      await this.#api.tasks.getLearningStatus({ sessionId }, call),
    );
  }

  /** Count the tokens (o200k_base) of the whole session. */
  async getTokenCounts(sessionId: string, call?: CallOptions): Promise<TokenCounts> {
    return plain(
      GetTokenCountsResponseSchema,
      await this.#api.sessions.getTokenCounts({ sessionId }, call),
    );
  }

  /** Count the session's messages by how far they are observed. */
  async messagesObservingStatus(
    sessionId: string,
    call?: CallOptions,
  ): Promise<MessageObservingStatus> {
    return plain(
      GetObservingStatusResponseSchema,
      await this.#api.tasks.getObservingStatus({ sessionId }, call),
    );
  }

  /** Let failed messages wait to be observed again, and say how many. */
  async retryFailedMessages(sessionId: string, call?: CallOptions): Promise<number> {
    return (await this.#api.tasks.retryFailedMessages({ sessionId }, call)).count;
  }

  /** Observe the whole session anew; with `dryRun` only tell what would change. */
  async reobserve(
    sessionId: string,
    options: { dryRun?: boolean } = {},
    call?: CallOptions,
  ): Promise<Reobservation> {
    const answer = await this.#api.tasks.reobserveSession({ sessionId, ...options }, call);
    const tasks = (found: typeof answer.items): Task[] => found.map((task) => plainTask(task));
    const { generation } = answer;
    return { items: tasks(answer.items), former: tasks(answer.former), generation };
  }
}

function filterFields(options: SessionFilter) {
  const { user, spaceId, notConnected, filterByConfigs, observing, search } = options;
  const storedAfter = momentOf(options.storedAfter);
  const storedBefore = momentOf(options.storedBefore);
  return {
    ...pageFields(options),
    ...given({ user, spaceId, notConnected, observing, search, storedAfter, storedBefore }),
    ...(filterByConfigs ? { filterByConfigs: JSON.stringify(filterByConfigs) } : {}),
  };
}

async function uploaded(field: string, file: FileUpload) {
  const { filename, blob } = await blobOf(file);
  return { field, filename, content: new Uint8Array(await blob.arrayBuffer()) };
}

function summaryOf({ order, data }: Task): string {
  const told = (tag: string, lines?: string[] | null) =>
    lines?.length
      ? [`<${tag}>`, ...lines.map((line, at) => `${at + 1}. ${line}`), `</${tag}>`]
      : [];
  return [
    `<task id="${order}" description="${data.task_description}">`,
    ...told("progress", data.progresses),
    ...told("user_preference", data.user_preferences),
    "</task>",
  ].join("\n");
}
