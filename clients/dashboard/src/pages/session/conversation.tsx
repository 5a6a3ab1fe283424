// The log of a session: only what is in sight is drawn and kept.

import type { Message, Part } from "@gen/acontext/session/v1/message_pb";
import type { ListMessagesResponse } from "@gen/acontext/session/v1/session_messages_pb";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import { type Log, type Stretch, useLog, useNewest } from "../../api/sessions";
import { Button, Status } from "../../components/basics";
import { Empty, Loaded } from "../../components/states";
import { dateOf, hour, moment, shortId } from "../../components/words";
import { Fold } from "../../content/fold";
import { type Json, JsonView } from "../../content/json";
import { UserText } from "../../content/legible";
import { type Around, callIdOf, isShownElsewhere, PartView } from "./parts";

const ROW = 92;
const OVERSCAN = 3;
const AT_THE_END = 40;

// The places of all rows are worked out anew for other functions, so these are the same always.
const sizeOf = () => ROW;
const keyOf = (index: number) => index + 1;

interface Props {
  sessionId: string;
  taskName: (taskId: string) => string;
  chosenTask: string | undefined;
  chosenMessage: string | undefined;
  onChooseTask: (taskId: string | undefined) => void;
  onChooseMessage: (messageId: string | undefined) => void;
  /** A sequence to bring into sight, each time that it is a new object. */
  goTo: { sequence: number } | undefined;
  snippet: string;
}

export function Conversation(props: Props) {
  const newest = useNewest(props.sessionId);
  return (
    <Loaded query={newest} lines={8} label="Loading the conversation">
      {(end) => <Scroller {...props} newest={end} />}
    </Loaded>
  );
}

function Scroller(props: Props & { newest: ListMessagesResponse }) {
  const { sessionId, newest, goTo } = props;
  const scroller = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState<Stretch>();
  const log = useLog(sessionId, newest, seen);
  const [follows, setFollows] = useState(true);

  const rows = useVirtualizer({
    count: log.total,
    getScrollElement: () => scroller.current,
    estimateSize: sizeOf,
    initialOffset: () => log.total * ROW,
    overscan: OVERSCAN,
    getItemKey: keyOf,
    onChange: (instance) => {
      const element = scroller.current;
      if (!element || !instance.isScrolling) return;
      setFollows(element.scrollHeight - element.scrollTop - element.clientHeight < AT_THE_END);
    },
  });
  const items = rows.getVirtualItems();
  const first = (items[0]?.index ?? 0) + 1;
  const last = (items.at(-1)?.index ?? 0) + 1;
  useEffect(() => setSeen({ first, last }), [first, last]);

  // What is stored while the newest message is in sight comes into sight.
  const isLoaded = log.at(log.total) !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new length, or its content, is the reason
  useLayoutEffect(() => {
    if (follows && log.total > 0 && !goTo) rows.scrollToIndex(log.total - 1, { align: "end" });
  }, [log.total, isLoaded]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new wish moves it
  useEffect(() => {
    if (!goTo || log.total === 0) return;
    setFollows(false);
    rows.scrollToIndex(goTo.sequence - 1, { align: "center" });
  }, [goTo, log.total > 0]);

  const around = useAround(
    log,
    items.map((item) => item.index + 1),
  );
  if (log.total === 0) {
    return (
      <Empty title="Nothing has been said yet" snippet={props.snippet}>
        Store the first message, and it appears here by itself.
      </Empty>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
    <section className="conversation" ref={scroller} tabIndex={0} aria-label="Conversation">
      <div className="conversation-sizer" style={{ height: rows.getTotalSize() }}>
        <div
          className="conversation-shift"
          role="feed"
          aria-busy={!isLoaded}
          style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
        >
          {items.map((item) => (
            <div key={item.key} ref={rows.measureElement} data-index={item.index}>
              <Row
                {...props}
                message={log.at(item.index + 1)}
                around={around}
                total={log.total}
                sequence={item.index + 1}
              />
            </div>
          ))}
        </div>
      </div>
      {!follows && (
        <div className="to-end">
          <Button
            icon="down"
            onPress={() => {
              setFollows(true);
              rows.scrollToIndex(log.total - 1, { align: "end" });
            }}
          >
            Newest
          </Button>
        </div>
      )}
    </section>
  );
}

/** Results and calls of the messages in sight, by the id of the call. */
function useAround(log: Log, sequences: number[]): Around {
  const results = new Map<string, Part>();
  const calls = new Set<string>();
  const from = (sequences[0] ?? 1) - NEAR;
  const to = (sequences.at(-1) ?? 0) + NEAR;
  for (let sequence = from; sequence <= to; sequence += 1) {
    for (const part of log.at(sequence)?.parts ?? []) {
      const id = callIdOf(part);
      if (id === "") continue;
      if (part.type === "tool-result") results.set(id, part);
      if (part.type === "tool-call") calls.add(id);
    }
  }
  return {
    urlOf: log.urlOf,
    resultOf: (id) => results.get(id),
    hasCall: (id) => calls.has(id),
  };
}

/** How far from its call a result is looked for. */
const NEAR = 40;

interface RowProps extends Props {
  message: Message | undefined;
  around: Around;
  sequence: number;
  total: number;
}

const Row = memo(function Row(props: RowProps) {
  const { message, around, sequence, total } = props;
  if (!message) {
    return (
      <article
        className="message absent"
        aria-label={`Message ${sequence}, loading`}
        aria-busy="true"
      />
    );
  }
  const isLit = message.taskId !== undefined && message.taskId === props.chosenTask;
  const isChosen = message.id === props.chosenMessage;
  const light = isLit || isChosen ? "lit" : props.chosenTask ? "dim" : "";
  const label = `Message ${sequence} of ${total}`;
  if (isShownElsewhere(message, around)) {
    return (
      <article className={`message slim ${light}`} aria-label={label}>
        <span className="who faint small">#{sequence}</span>
        <span className="faint small">↳ its result stands beside the call above</span>
      </article>
    );
  }
  const date = dateOf(message.createdAt);
  return (
    <article className={`message ${light}`} aria-label={label} aria-current={isChosen || undefined}>
      <div className="who">
        {message.role}
        <span className="faint" title={date ? moment(date) : ""}>
          #{sequence} {date ? hour(date) : ""}
        </span>
      </div>
      <div className="message-body">
        {message.parts.map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts never change their order
          <PartView part={part} around={around} key={index} />
        ))}
        <Foot {...props} message={message} />
      </div>
    </article>
  );
});

function Foot({ message, taskName, chosenTask, onChooseTask }: RowProps & { message: Message }) {
  const { source_format: form, ...meta } = message.meta ?? {};
  const state = message.sessionTaskProcessStatus;
  const { taskId } = message;
  return (
    <div className="message-foot">
      {state !== "success" && <Status value={state} />}
      {message.failure && <UserText>{message.failure}</UserText>}
      {taskId && (
        <button
          type="button"
          className="chip"
          aria-pressed={taskId === chosenTask}
          onClick={() => onChooseTask(taskId === chosenTask ? undefined : taskId)}
        >
          {taskName(taskId)}
        </button>
      )}
      <Fold
        title={<span className="small">{`${shortId(message.id)}, ${String(form ?? "")}`}</span>}
      >
        {() => <JsonView value={{ id: message.id, role: message.role, ...meta } as Json} />}
      </Fold>
    </div>
  );
}

export function useTaskNames(tasks: readonly { id: string; order: number }[] | undefined) {
  return useMemo(() => {
    const names = new Map((tasks ?? []).map((task) => [task.id, `Task ${task.order}`]));
    return (taskId: string) => names.get(taskId) ?? "A task";
  }, [tasks]);
}
