// Tasks, and how far observing has come.

import { createClient } from "@connectrpc/connect";
import {
  callUnaryMethod,
  createConnectQueryKey,
  useMutation,
  useQuery,
  useTransport,
} from "@connectrpc/connect-query";
import type { Task } from "@gen/acontext/observer/v1/task_pb";
import { TaskService } from "@gen/acontext/observer/v1/task_service_pb";
import { keepPreviousData, useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { boundsOf, type Day } from "../components/days";
import { useInvalidate } from "./queries";
import { useStream } from "./streams";

const { method } = TaskService;
const PAGE = 200;

/** Read all tasks of a session; they change by themselves. */
export function useTasks(sessionId: string) {
  const transport = useTransport();
  return usePlainQuery({
    queryKey: tasksKey(sessionId),
    queryFn: async ({ signal }) => {
      const tasks: Task[] = [];
      let cursor = "";
      do {
        const page = await callUnaryMethod(
          transport,
          method.listTasks,
          { sessionId, limit: PAGE, ...(cursor ? { cursor } : {}) },
          { signal },
        );
        tasks.push(...page.items);
        cursor = page.hasMore ? (page.nextCursor ?? "") : "";
      } while (cursor);
      return tasks;
    },
  });
}

/** Which of the project's tasks a list shows. */
export interface TaskQuery extends Day {
  status?: string | undefined;
  cursor?: string | undefined;
}

const TASKS_ON_A_PAGE = 25;

export function useProjectTasks(which: TaskQuery) {
  const bounds = boundsOf(which);
  return useQuery(
    method.listProjectTasks,
    {
      ...(which.status ? { status: which.status } : {}),
      ...(bounds ? { seenAfter: bounds.from, seenBefore: bounds.to } : {}),
      ...(which.cursor ? { cursor: which.cursor } : {}),
      timeDesc: true,
      limit: TASKS_ON_A_PAGE,
    },
    { placeholderData: keepPreviousData },
  );
}

const tasksKey = (sessionId: string) => ["tasks", sessionId];

/** Follow a session's tasks as they change, and say each time that one did. */
export function useTaskChanges(sessionId: string, changed: () => void): void {
  const transport = useTransport();
  const queries = useQueryClient();
  const cursor = useRef<string | undefined>(undefined);
  useStream(
    sessionId,
    (signal) =>
      createClient(TaskService, transport).watchTasks(
        {
          sessionId,
          withStart: true,
          ...(cursor.current === undefined ? {} : { cursor: cursor.current }),
        },
        { signal },
      ),
    ({ change, start }) => {
      if (start !== undefined) cursor.current = start;
      if (!change?.task) return;
      cursor.current = change.cursor;
      const { task, removed } = change;
      queries.setQueryData<Task[]>(tasksKey(sessionId), (before) =>
        before ? withTask(before, task, removed) : before,
      );
      changed();
    },
  );
}

function withTask(tasks: readonly Task[], task: Task, removed: boolean): Task[] {
  const others = tasks.filter((one) => one.id !== task.id);
  return removed ? others : [...others, task].sort((a, b) => a.order - b.order);
}

export function useTask(taskId: string) {
  return useQuery(method.getTask, { taskId });
}

export function useObservingStatus(sessionId: string) {
  return useQuery(method.getObservingStatus, { sessionId }, { refetchInterval: 2_000 });
}

export function useLearningStatus(sessionId: string) {
  return useQuery(method.getLearningStatus, { sessionId }, { refetchInterval: 5_000 });
}

/** Have a whole session observed anew; with `dryRun` only what would change is told. */
export function useReobserveSession(sessionId: string) {
  const queries = useQueryClient();
  return useMutation(method.reobserveSession, {
    onSuccess: async (answer, request) => {
      if (!request.dryRun) queries.setQueryData(tasksKey(sessionId), answer.items);
    },
  });
}

export function useFlushSession() {
  return useMutation(method.flushSession, { onSuccess: useInvalidate(TaskService) });
}

export function useRetryFailedMessages() {
  return useMutation(method.retryFailedMessages, { onSuccess: useInvalidate(TaskService) });
}

export function useSetTaskOutcome(sessionId: string) {
  const queries = useQueryClient();
  return useMutation(method.setTaskOutcome, {
    onSuccess: ({ task }) => {
      if (!task) return;
      queries.setQueryData<Task[]>(tasksKey(sessionId), (before) =>
        before ? withTask(before, task, false) : before,
      );
      return queries.invalidateQueries({
        queryKey: createConnectQueryKey({ schema: method.getTask, cardinality: "finite" }),
      });
    },
  });
}
