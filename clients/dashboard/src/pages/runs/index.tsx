// What agents of ours did: observing and learning, what it cost, and how it ended.

import type { Run } from "@gen/acontext/observer/v1/run_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { useLearningRuns, useObservingRuns, useRun, useTokenUse } from "../../api/runs";
import { Button, Card, Id, PageHead, Status, Time } from "../../components/basics";
import { Chosen } from "../../components/chosen";
import { Select, Sheet } from "../../components/fields";
import { Empty, ErrorState, Loading } from "../../components/states";
import { column, Table } from "../../components/table";
import { count, duration, plural, shortId } from "../../components/words";
import { PlainText } from "../../content/fold";
import { UserText } from "../../content/legible";

const route = getRouteApi("/runs");

export function Runs() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const learns = search.of === "learning";
  const observing = useObservingRuns(search, !learns);
  const learning = useLearningRuns(search, learns);
  const query = learns ? learning : observing;
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const open = (run: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, run }), replace: true });
  return (
    <>
      <PageHead title="Runs" about="What observing and learning did, and what it cost." />
      <Use />
      <div className="toolbar">
        <Select
          label="Of"
          value={learns ? "learning" : "observing"}
          options={[
            ["observing", "Observing"],
            ["learning", "Learning"],
          ]}
          onChange={(of) => void navigate({ search: of === "learning" ? { of } : {} })}
        />
        {learns && (
          <Select
            label="Role"
            value={search.role ?? "any"}
            options={[
              ["any", "Any role"],
              ["distiller", "Distiller"],
              ["librarian", "Librarian"],
              ["searcher", "Searcher"],
            ]}
            onChange={(role) =>
              void navigate({
                search: (before) => ({ ...before, role: role === "any" ? undefined : role }),
              })
            }
          />
        )}
        <Select
          label="Outcome"
          value={search.outcome ?? "any"}
          options={[
            ["any", "Any outcome"],
            ["success", "Success"],
            ["failed", "Failed"],
            ["refused", "Refused"],
          ]}
          onChange={(outcome) =>
            void navigate({
              search: (before) => ({ ...before, outcome: outcome === "any" ? undefined : outcome }),
            })
          }
        />
        {(search.session || search.space) && (
          <Chosen
            onClear={() =>
              void navigate({
                search: (before) => ({ ...before, session: undefined, space: undefined }),
              })
            }
          >
            {search.session
              ? `Session ${shortId(search.session)}`
              : `Space ${shortId(search.space ?? "")}`}
          </Chosen>
        )}
      </div>
      {query.error ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Loading lines={8} />
      ) : runs.length === 0 ? (
        <Empty title="No runs">
          {learns
            ? "A run appears here when a task has succeeded in a session with a space."
            : "A run appears here seconds after the first messages of a session."}
        </Empty>
      ) : (
        <>
          <RunTable runs={runs} onOpen={open} selected={search.run} />
          {query.hasNextPage && (
            <div className="pager">
              <Button
                isDisabled={query.isFetchingNextPage}
                onPress={() => void query.fetchNextPage()}
              >
                Show more
              </Button>
            </div>
          )}
        </>
      )}
      {search.run && (
        <Details
          runId={search.run}
          learns={learns}
          known={runs.find((run) => run.id === search.run)}
          onClose={() => open(undefined)}
        />
      )}
    </>
  );
}

function Use() {
  const { data: use } = useTokenUse();
  if (!use || use.tokens === 0) return null;
  return (
    <Card
      title={`Tokens of models in ${use.month}`}
      actions={use.paused && <Status value="failed">paused: the budget is used up</Status>}
    >
      <p className="soft">
        {`${count(use.tokens)} of ${use.budget === undefined ? "no limit" : count(use.budget)}`}
      </p>
    </Card>
  );
}

function RunTable({
  runs,
  onOpen,
  selected,
}: {
  runs: readonly Run[];
  onOpen: (runId: string) => void;
  selected: string | undefined;
}) {
  const columns = useMemo(
    () => [
      column<Run>("when", "When", (run) => (
        <button type="button" className="link-button" onClick={() => onOpen(run.id)}>
          <Time value={run.createdAt} />
        </button>
      )),
      column<Run>("role", "Role", (run) => run.role),
      column<Run>("outcome", "Outcome", (run) => <Status value={run.outcome} />),
      column<Run>("engine", "Engine", (run) => <UserText>{run.engine}</UserText>),
      column<Run>("summary", "What it decided", (run) => (
        <div className="wide clip">
          <UserText>{run.error ?? run.summary}</UserText>
        </div>
      )),
      column<Run>("work", "Work", (run) => (
        <span className="faint">
          {`${plural(run.rounds, "round")}, ${plural(run.toolCalls, "call")}`}
        </span>
      )),
      column<Run>("tokens", "Tokens", (run) => (
        <span className="number">{count(run.inputTokens + run.outputTokens)}</span>
      )),
      // Without prices nothing costs anything that we could tell.
      ...(runs.some((run) => run.cost !== undefined)
        ? [
            column<Run>("cost", "Cost", (run) => (
              <span className="number">{run.cost?.toFixed(4) ?? ""}</span>
            )),
          ]
        : []),
      column<Run>("time", "Took", (run) => (
        <span className="number">{duration(run.durationSeconds)}</span>
      )),
      column<Run>("session", "Session", (run) =>
        run.sessionId ? (
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: run.sessionId }}
            search={run.taskId ? { task: run.taskId } : {}}
          >
            <code>{shortId(run.sessionId)}</code>
          </Link>
        ) : (
          <span className="faint">none</span>
        ),
      ),
    ],
    [onOpen, runs],
  );
  return (
    <Table label="Runs" columns={columns} rows={runs} idOf={(run) => run.id} selected={selected} />
  );
}

function Details({
  runId,
  learns,
  known,
  onClose,
}: {
  runId: string;
  learns: boolean;
  known: Run | undefined;
  onClose: () => void;
}) {
  const found = useRun(known ? undefined : runId, learns);
  const run = known ?? found.data;
  return (
    <Sheet title="A run" isOpen onClose={onClose}>
      {run ? (
        <dl className="facts">
          <dt>Id</dt>
          <dd>
            <Id value={run.id} />
          </dd>
          <dt>Role</dt>
          <dd>{run.role}</dd>
          <dt>Outcome</dt>
          <dd>
            <Status value={run.outcome} />
          </dd>
          <dt>Engine</dt>
          <dd>
            <UserText>{`${run.engine}, instructions ${run.instructionVersion || "unnamed"}`}</UserText>
          </dd>
          <dt>Work</dt>
          <dd>
            {`${plural(run.rounds, "round")}, ${plural(run.toolCalls, "tool call")}, ${count(run.inputTokens)} tokens in, ${count(run.outputTokens)} out`}
          </dd>
          {run.cost !== undefined && (
            <>
              <dt>Cost</dt>
              <dd>{run.cost.toFixed(4)}</dd>
            </>
          )}
          <dt>Took</dt>
          <dd>
            {duration(run.durationSeconds)}, <Time value={run.createdAt} />
          </dd>
          <dt>Decided</dt>
          <dd>
            <PlainText text={run.summary || "nothing"} />
          </dd>
          {run.error && (
            <>
              <dt>Error</dt>
              <dd>
                <PlainText text={run.error} />
              </dd>
            </>
          )}
          {run.spaceId && (
            <>
              <dt>Space</dt>
              <dd>
                <Link to="/skills/$spaceId" params={{ spaceId: run.spaceId }}>
                  {shortId(run.spaceId)}
                </Link>
              </dd>
            </>
          )}
        </dl>
      ) : found.error ? (
        <ErrorState error={found.error} />
      ) : (
        <Loading lines={4} />
      )}
    </Sheet>
  );
}
