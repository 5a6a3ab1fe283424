// One session: what was said, and which tasks came of it.

import type { ReobserveSessionResponse } from "@gen/acontext/observer/v1/task_service_pb";
import type { Session } from "@gen/acontext/session/v1/session_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";

import { useFacts, useUserNames } from "../../api/projects";
import { useReadAsOpenAI, useRefreshLog, useSession, useSessionState } from "../../api/sessions";
import {
  useFlushSession,
  useLearningStatus,
  useObservingStatus,
  useReobserveSession,
  useRetryFailedMessages,
  useTask,
  useTaskChanges,
  useTasks,
} from "../../api/tasks";
import { Button, copy, Id, PageHead, Status, Time } from "../../components/basics";
import { ActionItem, ActionMenu, Sheet } from "../../components/fields";
import { ErrorLine, ErrorState, Loading } from "../../components/states";
import { toast } from "../../components/toasts";
import { count, plural, shortId } from "../../components/words";
import { UserText } from "../../content/legible";
import { SessionActions } from "../sessions/actions";
import { Conversation, useTaskNames } from "./conversation";
import { asCurl, asPython, storeByCurl } from "./snippets";
import { Tasks } from "./tasks";

const route = getRouteApi("/sessions/$sessionId");

export function SessionPage() {
  const { sessionId } = route.useParams();
  const session = useSession(sessionId);
  if (session.error)
    return <ErrorState error={session.error} retry={() => void session.refetch()} isPage />;
  if (!session.data) return <Loading />;
  return <Shown key={sessionId} session={session.data} />;
}

function Shown({ session }: { session: Session }) {
  const sessionId = session.id;
  const { task: chosenTask, message: chosenMessage } = route.useSearch();
  const navigate = route.useNavigate();
  const state = useSessionState(sessionId);
  const tasks = useTasks(sessionId);
  const refresh = useRefreshLog(sessionId);
  const observing = useObservingStatus(sessionId);
  const { apiUrl } = useFacts();
  useTaskChanges(sessionId, refresh);
  useWhenObserved(observing.data, refresh);
  const [goTo, setGoTo] = useState<{ sequence: number }>();

  const chooseTask = useCallback(
    (task: string | undefined) =>
      void navigate({
        search: (before) => ({ ...before, task, message: undefined }),
        replace: true,
      }),
    [navigate],
  );
  const chooseMessage = useCallback(
    (message: string | undefined) =>
      void navigate({ search: (before) => ({ ...before, message }), replace: true }),
    [navigate],
  );
  const taskName = useTaskNames(tasks.data);
  return (
    <>
      <Head session={session} tokens={state.data?.tokens} messages={state.data?.messages} />
      {chosenTask && <FindTask taskId={chosenTask} messageId={chosenMessage} onFound={setGoTo} />}
      <div className="session">
        <Conversation
          sessionId={sessionId}
          taskName={taskName}
          chosenTask={chosenTask}
          chosenMessage={chosenMessage}
          onChooseTask={chooseTask}
          onChooseMessage={chooseMessage}
          goTo={goTo}
          snippet={storeByCurl(apiUrl, sessionId)}
        />
        {tasks.error ? (
          <ErrorState error={tasks.error} retry={() => void tasks.refetch()} />
        ) : tasks.data ? (
          <Tasks
            sessionId={sessionId}
            tasks={tasks.data}
            chosen={chosenTask}
            onChoose={chooseTask}
          />
        ) : (
          <Loading lines={4} label="Loading the tasks" />
        )}
      </div>
    </>
  );
}

/** Bring the first message of a task into sight, or the one that a link names. */
function FindTask({
  taskId,
  messageId,
  onFound,
}: {
  taskId: string;
  messageId: string | undefined;
  onFound: (place: { sequence: number }) => void;
}) {
  const { data } = useTask(taskId);
  const found = data?.messages.find((one) => one.messageId === messageId) ?? data?.messages[0];
  const sequence = found?.sequence;
  useEffect(() => {
    if (sequence !== undefined) onFound({ sequence });
  }, [sequence, onFound]);
  return null;
}

function useWhenObserved(
  counts: { observed: number; failed: number } | undefined,
  refresh: () => void,
): void {
  const dealtWith = counts ? counts.observed + counts.failed : undefined;
  useEffect(() => {
    if (dealtWith !== undefined) refresh();
  }, [dealtWith, refresh]);
}

function Head({
  session,
  tokens,
  messages,
}: {
  session: Session;
  tokens: number | undefined;
  messages: number | undefined;
}) {
  const userName = useUserNames();
  return (
    <PageHead
      title={`Session ${shortId(session.id)}`}
      above={<Link to="/sessions">Sessions</Link>}
      about={
        <>
          <Id value={session.id} />
          {session.userId && (
            <span>
              of <UserText>{userName(session.userId) ?? shortId(session.userId)}</UserText>
            </span>
          )}
          {session.spaceId ? (
            <Link to="/skills/$spaceId" params={{ spaceId: session.spaceId }}>
              learned in space {shortId(session.spaceId)}
            </Link>
          ) : (
            <span>in no space</span>
          )}
          <span>
            opened <Time value={session.createdAt} />
          </span>
          {messages !== undefined && <span>{plural(messages, "message")}</span>}
          {tokens !== undefined && <span>{plural(tokens, "token")}</span>}
          <Learning session={session} />
        </>
      }
    >
      <Observing session={session} />
      <CopyMenu session={session} />
      <SessionActions session={session} isOnItsPage />
    </PageHead>
  );
}

function Learning({ session }: { session: Session }) {
  const { data } = useLearningStatus(session.id);
  if (!session.spaceId || !data) return null;
  const all = data.spaceDigestedCount + data.notSpaceDigestedCount;
  if (all === 0) return null;
  return <span>{`${data.spaceDigestedCount} of ${plural(all, "task")} learned from`}</span>;
}

function Observing({ session }: { session: Session }) {
  const { data: counts } = useObservingStatus(session.id);
  const flush = useFlushSession();
  const retry = useRetryFailedMessages();
  const [asks, setAsks] = useState(false);
  if (session.disableTaskTracking) return <Status value="off">not observed</Status>;
  if (!counts) return null;
  const waits = counts.pending + counts.inProcess;
  return (
    <>
      {waits === 0 && counts.failed === 0 && (
        <Status value="observed">{`${count(counts.observed)} observed`}</Status>
      )}
      {counts.inProcess > 0 && (
        <Status value="running">{`${count(counts.inProcess)} running`}</Status>
      )}
      {counts.pending > 0 && <Status value="pending">{`${count(counts.pending)} pending`}</Status>}
      {counts.failed > 0 && <Status value="failed">{`${count(counts.failed)} failed`}</Status>}
      {waits > 0 && (
        <Button
          isDisabled={flush.isPending}
          onPress={() => flush.mutate({ sessionId: session.id })}
        >
          {flush.isPending ? "Observing…" : "Observe now"}
        </Button>
      )}
      {counts.failed > 0 && (
        <Button onPress={() => retry.mutate({ sessionId: session.id })}>
          Try the failed again
        </Button>
      )}
      <Button onPress={() => setAsks(true)}>Observe again</Button>
      {asks && <Reobserve sessionId={session.id} onClose={() => setAsks(false)} />}
    </>
  );
}

/** First tell what would change, then do it. */
function Reobserve({ sessionId, onClose }: { sessionId: string; onClose: () => void }) {
  const trial = useReobserveSession(sessionId);
  const real = useReobserveSession(sessionId);
  const { mutate } = trial;
  useEffect(() => mutate({ sessionId, dryRun: true }), [mutate, sessionId]);
  const run = async () => {
    const answer = await real.mutateAsync({ sessionId });
    toast(`Observed anew: ${plural(answer.items.length, "task")}, generation ${answer.generation}`);
    onClose();
  };
  return (
    <Sheet title="Observe again" isOpen onClose={onClose}>
      <div className="form">
        <p className="soft">
          The whole session is read again with today's engine and settings. Tasks that are
          recognisably the same keep their ids; the former ones stay readable.
        </p>
        {trial.data ? <Differences answer={trial.data} /> : <TrialState error={trial.error} />}
        <ErrorLine error={real.error} />
      </div>
      <div className="row end">
        <Button onPress={onClose}>Cancel</Button>
        <Button
          look="primary"
          isDisabled={!trial.data || real.isPending}
          onPress={() => void run()}
        >
          {real.isPending ? "Observing…" : "Observe again"}
        </Button>
      </div>
    </Sheet>
  );
}

function TrialState({ error }: { error: unknown }) {
  return error ? <ErrorLine error={error} /> : <p className="faint">Looking what would change…</p>;
}

function Differences({ answer }: { answer: ReobserveSessionResponse }) {
  const former = new Map(answer.former.map((task) => [task.id, task]));
  const now = new Map(answer.items.map((task) => [task.id, task]));
  const gone = answer.former.filter((task) => !now.has(task.id));
  if (answer.items.length === 0 && gone.length === 0) {
    return <p>Nothing would change.</p>;
  }
  return (
    <ul>
      {answer.items.map((task) => (
        <li key={task.id}>
          {former.has(task.id) ? "Changed: " : "New: "}
          <UserText>{task.data?.taskDescription ?? ""}</UserText>{" "}
          {former.get(task.id) && former.get(task.id)?.status !== task.status && (
            <span className="faint">{`${former.get(task.id)?.status} → ${task.status}`}</span>
          )}
        </li>
      ))}
      {gone.map((task) => (
        <li key={task.id}>
          Gone: <UserText>{task.data?.taskDescription ?? ""}</UserText>
        </li>
      ))}
    </ul>
  );
}

function CopyMenu({ session }: { session: Session }) {
  const { apiUrl } = useFacts();
  const readAll = useReadAsOpenAI(session.id);
  const copyAs = async (form: string) => {
    try {
      if (form === "json") await copy(JSON.stringify(await readAll(), null, 2), "Copied as JSON");
      if (form === "curl") await copy(asCurl(apiUrl, session.id), "Copied as curl");
      if (form === "python") await copy(asPython(apiUrl, session.id), "Copied as Python");
    } catch (error) {
      toast(`Could not be copied: ${String(error)}`, true);
    }
  };
  return (
    <ActionMenu label="Copy the session" icon="copy">
      <ActionItem onAction={() => void copyAs("json")}>Copy as JSON</ActionItem>
      <ActionItem onAction={() => void copyAs("curl")}>Copy as curl</ActionItem>
      <ActionItem onAction={() => void copyAs("python")}>Copy as Python</ActionItem>
    </ActionMenu>
  );
}
