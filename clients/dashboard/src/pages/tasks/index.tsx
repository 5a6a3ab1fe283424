// The tasks of all sessions.

import type { Task } from "@gen/acontext/observer/v1/task_pb";
import { getRouteApi, Link } from "@tanstack/react-router";

import { useProjectTasks } from "../../api/tasks";
import { PageHead, Status, Time } from "../../components/basics";
import { ChosenDay } from "../../components/chosen";
import { Select } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { shortId } from "../../components/words";
import { UserText } from "../../content/legible";

const route = getRouteApi("/tasks");

export function ProjectTasks() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tasks = useProjectTasks(search);
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, cursor: undefined, ...change }) });
  const isFiltered = Boolean(search.status || search.day);
  return (
    <>
      <PageHead title="Tasks" about="What agents worked on, in all sessions, the newest first." />
      <div className="toolbar">
        <Select
          label="Status"
          value={search.status ?? "any"}
          options={[
            ["any", "Any status"],
            ["success", "Success"],
            ["failed", "Failed"],
            ["running", "Running"],
            ["pending", "Pending"],
          ]}
          onChange={(status) => set({ status: status === "any" ? undefined : status })}
        />
        <ChosenDay of={search} onClear={() => set({ day: undefined, zone: undefined })} />
      </div>
      <Loaded query={tasks} lines={10}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={isFiltered ? "No task fits" : "No tasks yet"}>
              {isFiltered ? (
                <Link to="/tasks">Show all tasks</Link>
              ) : (
                "They appear by themselves, seconds after the messages that they come from."
              )}
            </Empty>
          ) : (
            <>
              <Table label="Tasks" columns={COLUMNS} rows={page.items} idOf={(task) => task.id} />
              <Pager
                cursor={search.cursor}
                next={page.hasMore ? page.nextCursor : undefined}
                onMove={(cursor) => void navigate({ search: (before) => ({ ...before, cursor }) })}
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

const COLUMNS = [
  column<Task>("task", "Task", (task) => (
    <div className="wide clip">
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: task.sessionId }}
        search={{ task: task.id }}
      >
        <UserText>{task.data?.taskDescription || `Task ${task.order}`}</UserText>
      </Link>
    </div>
  )),
  column<Task>("status", "Status", (task) => (
    <span className="row">
      <Status value={task.status} />
      {task.spaceDigested && <span className="tag">learned from</span>}
    </span>
  )),
  column<Task>("session", "Session", (task) => (
    <Link to="/sessions/$sessionId" params={{ sessionId: task.sessionId }}>
      <code>{shortId(task.sessionId)}</code>
    </Link>
  )),
  column<Task>("seen", "First seen", (task) => <Time value={task.createdAt} />),
];
