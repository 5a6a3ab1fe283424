// The tasks of a session, beside its conversation.

import type { Task } from "@gen/acontext/observer/v1/task_pb";
import { useState } from "react";

import { useSetTaskOutcome } from "../../api/tasks";
import { Button, Status } from "../../components/basics";
import { FormSheet, Select, TextField } from "../../components/fields";
import { Empty } from "../../components/states";
import { UserText } from "../../content/legible";

interface Props {
  sessionId: string;
  tasks: readonly Task[];
  chosen: string | undefined;
  onChoose: (taskId: string | undefined) => void;
}

export function Tasks({ sessionId, tasks, chosen, onChoose }: Props) {
  const [corrected, setCorrected] = useState<Task>();
  if (tasks.length === 0) {
    return (
      <Empty title="No tasks yet">
        They appear by themselves, seconds after the messages that they come from.
      </Empty>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
    <section className="tasks" aria-label="Tasks" tabIndex={0}>
      {tasks.map((task) => (
        <article className={task.id === chosen ? "task chosen" : "task"} key={task.id}>
          <button
            type="button"
            className="task-head"
            aria-pressed={task.id === chosen}
            onClick={() => onChoose(task.id === chosen ? undefined : task.id)}
          >
            <span className="row">
              <span className="faint small">Task {task.order}</span>
              <Status value={task.status} />
              {task.outcomeBy === "set" && <span className="tag">set by a person</span>}
              {task.spaceDigested && <span className="tag">learned from</span>}
            </span>
            <UserText>{task.data?.taskDescription ?? ""}</UserText>
          </button>
          <More task={task} onCorrect={() => setCorrected(task)} />
        </article>
      ))}
      {corrected && (
        <Outcome sessionId={sessionId} task={corrected} onClose={() => setCorrected(undefined)} />
      )}
    </section>
  );
}

function More({ task, onCorrect }: { task: Task; onCorrect: () => void }) {
  return (
    <div className="task-more">
      <Lines title="Progress" lines={task.data?.progresses ?? []} />
      <Lines title="Preferences" lines={task.data?.userPreferences ?? []} />
      <div>
        <Button look="quiet" onPress={onCorrect}>
          Set how it ended
        </Button>
      </div>
    </div>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <div>
      <div className="side-name">{title}</div>
      <ul>
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
          <li key={index}>
            <UserText>{line}</UserText>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Outcome({
  sessionId,
  task,
  onClose,
}: {
  sessionId: string;
  task: Task;
  onClose: () => void;
}) {
  const set = useSetTaskOutcome(sessionId);
  const [status, setStatus] = useState<"success" | "failed">(
    task.status === "failed" ? "success" : "failed",
  );
  const [reason, setReason] = useState("");
  return (
    <FormSheet
      title={`How task ${task.order} ended`}
      isOpen
      onClose={onClose}
      submit={() => set.mutateAsync({ taskId: task.id, status, ...(reason ? { reason } : {}) })}
      submitLabel="Set"
    >
      <p className="soft">It wins over what is observed later.</p>
      <Select
        label="Outcome"
        showLabel
        value={status}
        options={[
          ["success", "It succeeded"],
          ["failed", "It failed"],
        ]}
        onChange={setStatus}
      />
      <TextField
        label="Why"
        value={reason}
        onChange={setReason}
        lines={3}
        help="Added to its progress."
      />
    </FormSheet>
  );
}
