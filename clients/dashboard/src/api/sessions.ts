// Sessions and their messages.

import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  callUnaryMethod,
  createConnectQueryKey,
  createQueryOptions,
  useMutation,
  useQuery,
  useTransport,
} from "@connectrpc/connect-query";
import type { Message } from "@gen/acontext/session/v1/message_pb";
import type { ListMessagesResponse, PublicUrl } from "@gen/acontext/session/v1/session_messages_pb";
import {
  ListSessionStatesResponseSchema,
  type ListSessionsResponse,
  SessionService,
} from "@gen/acontext/session/v1/session_service_pb";
import { keepPreviousData, useQueries, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { boundsOf, type Day } from "../components/days";
import { type Asking, expectAnswer, useInvalidate } from "./queries";
import { useStream } from "./streams";

const { method } = SessionService;

/** Which sessions a table shows. */
export interface SessionQuery extends Day {
  user?: string | undefined;
  /** What the id, or the user's identifier, begins with. */
  begins?: string | undefined;
  /** `none` are those without a space. */
  space?: string | undefined;
  observing?: string | undefined;
  order?: string | undefined;
  cursor?: string | undefined;
}

export const SESSIONS_ON_A_PAGE = 25;

const sessionsOf = (which: SessionQuery) => ({
  user: which.user ?? "",
  ...(which.begins ? { search: which.begins } : {}),
  ...storedOn(which),
  ...(which.space === "none" ? { notConnected: true } : {}),
  ...(which.space && which.space !== "none" ? { spaceId: which.space } : {}),
  ...(which.observing ? { observing: which.observing } : {}),
  ...(which.cursor ? { cursor: which.cursor } : {}),
  timeDesc: which.order !== "oldest",
  limit: SESSIONS_ON_A_PAGE,
  withStates: true,
});

function storedOn(day: Day) {
  const bounds = boundsOf(day);
  return bounds ? { storedAfter: bounds.from, storedBefore: bounds.to } : {};
}

export function useSessions(which: SessionQuery) {
  return useQuery(method.listSessions, sessionsOf(which), { placeholderData: keepPreviousData });
}

/** Ask for a list before its page is there. */
export function expectSessions(asking: Asking, which: SessionQuery): void {
  expectAnswer(asking, method.listSessions, sessionsOf(which));
}

/** Follow how sessions are doing that came in a list with their states. */
export function useSessionStates({ items, states }: ListSessionsResponse) {
  return useQuery(
    method.listSessionStates,
    { sessionIds: items.map((session) => session.id) },
    {
      initialData: states ?? create(ListSessionStatesResponseSchema),
      refetchInterval: 5_000,
      select: (answer) => new Map(answer.items.map((state) => [state.sessionId, state])),
    },
  );
}

export function useSession(sessionId: string) {
  return useQuery(method.getSession, { sessionId }, { select: ({ session }) => session });
}

export function useSessionState(sessionId: string) {
  return useQuery(
    method.listSessionStates,
    { sessionIds: [sessionId] },
    { select: ({ items }) => items[0], refetchInterval: 3_000 },
  );
}

/** As many messages as fill a screen. */
const NEWEST = 20;
const newestOf = (sessionId: string) => ({ sessionId, timeDesc: true, limit: NEWEST });

/** Read the end of a log, whatever its length. */
export function useNewest(sessionId: string) {
  return useQuery(method.listMessages, newestOf(sessionId));
}

/** Ask for all that a session's page begins with, before the page is there. */
export function expectSession(asking: Asking, sessionId: string): void {
  expectAnswer(asking, method.listMessages, newestOf(sessionId));
  expectAnswer(asking, method.getSession, { sessionId });
  expectAnswer(asking, method.listSessionStates, { sessionIds: [sessionId] });
}

export function useCreateSession() {
  return useMutation(method.createSession, { onSuccess: useInvalidate(SessionService) });
}

export function useDeleteSession() {
  return useMutation(method.deleteSession, { onSuccess: useInvalidate(SessionService) });
}

export function useUpdateSessionConfigs() {
  return useMutation(method.updateSessionConfigs, { onSuccess: useInvalidate(SessionService) });
}

export function useConnectToSpace() {
  return useMutation(method.connectToSpace, { onSuccess: useInvalidate(SessionService) });
}

/** Give a function that reads a whole session in OpenAI's form. */
export function useReadAsOpenAI(sessionId: string): () => Promise<unknown[]> {
  const transport = useTransport();
  return useCallback(async () => {
    const page = await callUnaryMethod(transport, method.listMessages, {
      sessionId,
      format: "openai",
    });
    return page.itemsJson.map((item) => JSON.parse(new TextDecoder().decode(item)) as unknown);
  }, [transport, sessionId]);
}

/** Messages of one page of the log; page 0 has the sequences 1 to 100. */
export const MESSAGES_ON_A_PAGE = 100;
const KEPT_MS = 15_000;
const ARRIVED_KEPT = 3 * MESSAGES_ON_A_PAGE;

/** A session's log, of which only what is looked at is fetched. */
export interface Log {
  total: number;
  at(sequence: number): Message | undefined;
  urlOf(sha256: string): PublicUrl | undefined;
  error: Error | null;
}

/** Some sequences of a log, both ends included. */
export interface Stretch {
  first: number;
  last: number;
}

/**
 * Read the pages of a log that cover some sequences, and whatever is stored from now on.
 *
 * `newest` is its end as it was read first; new messages come by themselves.
 */
export function useLog(
  sessionId: string,
  newest: ListMessagesResponse,
  seen: Stretch | undefined,
): Log {
  const transport = useTransport();
  const [arrived, setArrived] = useState<ReadonlyMap<number, Message>>(new Map());
  const last = useRef(0);
  last.current = Math.max(last.current, newest.items.at(-1)?.sequence ?? 0);

  useStream(
    sessionId,
    (signal) =>
      createClient(SessionService, transport).watchSession(
        { sessionId, afterSequence: last.current },
        { signal },
      ),
    ({ message }) => {
      if (!message) return;
      last.current = Math.max(last.current, message.sequence);
      setArrived((before) => {
        const after = new Map(before).set(message.sequence, message);
        // Older ones are in the pages that are fetched when they are looked at again.
        after.delete(message.sequence - ARRIVED_KEPT);
        return after;
      });
    },
  );

  const total = last.current;
  const pages = useMemo(() => pagesOf(seen, total), [seen, total]);
  const results = useQueries({
    queries: pages.map((page) => ({
      ...createQueryOptions(
        method.listMessages,
        { sessionId, afterSequence: page * MESSAGES_ON_A_PAGE, limit: MESSAGES_ON_A_PAGE },
        { transport },
      ),
      gcTime: KEPT_MS,
    })),
  });

  const fetched = new Map<number, ListMessagesResponse>();
  pages.forEach((page, index) => {
    const data = results[index]?.data;
    if (data) fetched.set(page, data);
  });
  const began = newest.items[0]?.sequence ?? 1;
  return {
    total,
    at: (sequence) => {
      const page = fetched.get(Math.floor((sequence - 1) / MESSAGES_ON_A_PAGE));
      return (
        page?.items[(sequence - 1) % MESSAGES_ON_A_PAGE] ??
        arrived.get(sequence) ??
        newest.items[sequence - began]
      );
    },
    urlOf: (sha256) => {
      for (const page of [...fetched.values(), newest]) {
        const url = page.publicUrls[sha256];
        if (url) return url;
      }
      return undefined;
    },
    error: results.find((result) => result.error)?.error ?? null,
  };
}

function pagesOf(seen: Stretch | undefined, total: number): number[] {
  if (total === 0 || !seen) return [];
  const pageOf = (sequence: number) =>
    Math.floor((Math.min(Math.max(sequence, 1), total) - 1) / MESSAGES_ON_A_PAGE);
  const from = pageOf(seen.first);
  return Array.from({ length: pageOf(seen.last) - from + 1 }, (_, index) => from + index);
}

/** Give a function that has the shown messages of a session read again. */
export function useRefreshLog(sessionId: string): () => void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      void queries.invalidateQueries({
        queryKey: createConnectQueryKey({ schema: method.listMessages, cardinality: "finite" }),
        refetchType: "active",
      });
      void queries.invalidateQueries({
        queryKey: createConnectQueryKey({
          schema: method.listSessionStates,
          input: { sessionIds: [sessionId] },
          cardinality: "finite",
        }),
      });
    }, 100);
  }, [queries, sessionId]);
}
