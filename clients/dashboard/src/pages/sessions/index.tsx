// The project's sessions.

import type { Session, SessionState } from "@gen/acontext/session/v1/session_pb";
import type { ListSessionsResponse } from "@gen/acontext/session/v1/session_service_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useFacts, useUserNames, useUsers } from "../../api/projects";
import { isId } from "../../api/queries";
import { useCreateSession, useSessionStates, useSessions } from "../../api/sessions";
import { useSpaces } from "../../api/spaces";
import { Button, PageHead, Status, Time } from "../../components/basics";
import { Chosen, ChosenDay } from "../../components/chosen";
import { ConfigsField, readConfigs } from "../../components/configs";
import { FormSheet, SearchField, Select, Switch, TextField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { count, shortId } from "../../components/words";
import { legible, UserText } from "../../content/legible";
import { createByCurl } from "../session/snippets";
import { SessionActions } from "./actions";

const route = getRouteApi("/sessions");

export function Sessions() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [adds, setAdds] = useState(false);
  const sessions = useSessions(search);
  const { apiUrl } = useFacts();
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, cursor: undefined, ...change }) });
  const find = (text: string) => {
    if (isId(text)) void navigate({ to: "/sessions/$sessionId", params: { sessionId: text } });
    // What the pages show of an id is its beginning and its end.
    else set({ begins: text.split("…")[0] || undefined, user: undefined });
  };
  const isFiltered = Boolean(
    search.user || search.begins || search.day || search.space || search.observing,
  );
  return (
    <>
      <PageHead title="Sessions">
        <Button icon="plus" look="primary" onPress={() => setAdds(true)}>
          New session
        </Button>
      </PageHead>
      <div className="toolbar">
        <SearchField
          label="Find sessions by what their id or user begins with"
          placeholder="Beginning of an id or a user"
          value={search.begins ?? ""}
          onSearch={find}
        />
        <SpaceFilter value={search.space} onChange={(space) => set({ space })} />
        <Select
          label="Observing"
          value={search.observing ?? "any"}
          options={[
            ["any", "Any state"],
            ["observed", "Observed"],
            ["pending", "Pending"],
            ["failed", "Failed"],
          ]}
          onChange={(value) => set({ observing: value === "any" ? undefined : value })}
        />
        <Select
          label="Order"
          value={search.order ?? "newest"}
          options={[
            ["newest", "Newest first"],
            ["oldest", "Oldest first"],
          ]}
          onChange={(value) => set({ order: value === "oldest" ? "oldest" : undefined })}
        />
        <ChosenDay of={search} onClear={() => set({ day: undefined, zone: undefined })} />
        {search.user && (
          <Chosen onClear={() => set({ user: undefined })}>{`User ${legible(search.user)}`}</Chosen>
        )}
      </div>
      <Loaded query={sessions} lines={10}>
        {(page) =>
          page.items.length === 0 ? (
            isFiltered ? (
              <Empty title="No session fits">
                <button
                  type="button"
                  className="link-button"
                  onClick={() => void navigate({ search: {} })}
                >
                  Show all sessions
                </button>
              </Empty>
            ) : (
              <Empty title="No sessions yet" snippet={createByCurl(apiUrl)}>
                A session is one conversation of an agent. Open one here or by a program:
              </Empty>
            )
          ) : (
            <>
              <SessionTable page={page} />
              <Pager
                cursor={search.cursor}
                next={page.hasMore ? page.nextCursor : undefined}
                onMove={(cursor) => void navigate({ search: (before) => ({ ...before, cursor }) })}
              />
            </>
          )
        }
      </Loaded>
      {adds && <NewSession onClose={() => setAdds(false)} />}
    </>
  );
}

function SpaceFilter({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (space: string | undefined) => void;
}) {
  const spaces = useSpaces();
  const known = (spaces.data?.items ?? []).map((space) => space.id);
  // A link may name a space that is not among the newest.
  const ids = value && value !== "none" && !known.includes(value) ? [value, ...known] : known;
  return (
    <Select
      label="Space"
      value={value ?? "any"}
      options={[
        ["any", "Any space"],
        ["none", "In no space"],
        ...ids.map((id) => [id, `Space ${shortId(id)}`] as const),
      ]}
      onChange={(key) => onChange(key === "any" ? undefined : key)}
    />
  );
}

function SessionTable({ page }: { page: ListSessionsResponse }) {
  const { data: states } = useSessionStates(page);
  const userName = useUserNames();
  const columns = useMemo(
    () => [
      column<Session>("id", "Session", (session) => (
        <Link to="/sessions/$sessionId" params={{ sessionId: session.id }}>
          <code>{shortId(session.id)}</code>
        </Link>
      )),
      column<Session>("user", "User", (session) =>
        session.userId ? (
          <UserText>{userName(session.userId) ?? shortId(session.userId)}</UserText>
        ) : (
          <span className="faint">nobody's</span>
        ),
      ),
      column<Session>("state", "Observing", (session) => (
        <Observed session={session} state={states?.get(session.id)} />
      )),
      column<Session>("messages", "Messages", (session) => (
        <Figure value={states?.get(session.id)?.messages} />
      )),
      column<Session>("tokens", "Tokens", (session) => (
        <Figure value={states?.get(session.id)?.tokens} />
      )),
      column<Session>("last", "Last message", (session) =>
        states?.has(session.id) ? <Time value={states.get(session.id)?.lastStoredAt} /> : "…",
      ),
      column<Session>("space", "Space", (session) =>
        session.spaceId ? (
          <Link to="/skills/$spaceId" params={{ spaceId: session.spaceId }}>
            <code>{shortId(session.spaceId)}</code>
          </Link>
        ) : (
          <span className="faint">none</span>
        ),
      ),
      column<Session>("created", "Opened", (session) => <Time value={session.createdAt} />),
      column<Session>("actions", "Actions", (session) => <SessionActions session={session} />),
    ],
    [states, userName],
  );
  return (
    <Table label="Sessions" columns={columns} rows={page.items} idOf={(session) => session.id} />
  );
}

function Figure({ value }: { value: number | undefined }) {
  return <span className="number">{value === undefined ? "…" : count(value)}</span>;
}

function Observed({ session, state }: { session: Session; state: SessionState | undefined }) {
  if (session.disableTaskTracking) return <span className="tag">off</span>;
  if (!state) return <span className="faint">…</span>;
  if (state.failed > 0) return <Status value="failed">{`${count(state.failed)} failed`}</Status>;
  if (state.messages === 0) return <span className="faint">empty</span>;
  const waits = state.messages - state.observed;
  return waits > 0 ? (
    <Status value="pending">{`${count(waits)} pending`}</Status>
  ) : (
    <Status value="observed" />
  );
}

function NewSession({ onClose }: { onClose: () => void }) {
  const create = useCreateSession();
  const navigate = route.useNavigate();
  const users = useUsers();
  const spaces = useSpaces();
  const [user, setUser] = useState("");
  const [space, setSpace] = useState("none");
  const [tracks, setTracks] = useState(true);
  const [configs, setConfigs] = useState("{}");
  const submit = async () => {
    const { session } = await create.mutateAsync({
      user,
      ...(space === "none" ? {} : { spaceId: space }),
      disableTaskTracking: !tracks,
      configs: readConfigs(configs),
      requestId: crypto.randomUUID(),
    });
    if (!session) return;
    toast("The session is open");
    await navigate({ to: "/sessions/$sessionId", params: { sessionId: session.id } });
  };
  return (
    <FormSheet title="New session" isOpen onClose={onClose} submit={submit} submitLabel="Open it">
      <TextField
        label="User"
        value={user}
        onChange={setUser}
        help={`Free text, such as an address; made on first sight. ${users.data ? `${users.data.items.length} are known.` : ""}`}
      />
      <Select
        label="Space that learns from it"
        showLabel
        value={space}
        options={[
          ["none", "None"],
          ...(spaces.data?.items ?? []).map((one) => [one.id, `Space ${shortId(one.id)}`] as const),
        ]}
        onChange={setSpace}
      />
      <Switch label="Observe its tasks" value={tracks} onChange={setTracks} />
      <ConfigsField value={configs} onChange={setConfigs} />
    </FormSheet>
  );
}
