// The project's spaces.

import type { Space } from "@gen/acontext/space/v1/space_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useFacts, useUserNames } from "../../api/projects";
import { isId } from "../../api/queries";
import { useCreateSpace, useDeleteSpace, useSpaces, useUpdateSpaceConfigs } from "../../api/spaces";
import { Button, PageHead, Time } from "../../components/basics";
import { ChosenDay } from "../../components/chosen";
import { ConfigsField, readConfigs } from "../../components/configs";
import { ActionItem, ActionMenu, FormSheet, SearchField, TextField } from "../../components/fields";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { shortId } from "../../components/words";
import { UserText } from "../../content/legible";
import { Uses } from "./uses";

const route = getRouteApi("/skills");

export function Spaces() {
  const { user, day, zone, kind } = route.useSearch();
  const navigate = route.useNavigate();
  const [adds, setAdds] = useState(false);
  const find = (text: string) =>
    void (isId(text)
      ? navigate({ to: "/skills/$spaceId", params: { spaceId: text } })
      : navigate({ search: { user: text || undefined } }));
  return (
    <>
      <PageHead
        title="Skills"
        about="Each space learns from the sessions that are connected to it."
      >
        <Button icon="plus" look="primary" onPress={() => setAdds(true)}>
          New space
        </Button>
      </PageHead>
      <div className="toolbar">
        <SearchField
          label="Find spaces by id or by user"
          placeholder="Id of a space, or a user"
          value={user ?? ""}
          onSearch={find}
        />
        <ChosenDay of={{ day, zone }} onClear={() => void navigate({ search: {} })} />
      </div>
      {day ? <Uses which={{ day, zone, kind }} /> : <SpaceList user={user} />}
      {adds && <NewSpace onClose={() => setAdds(false)} />}
    </>
  );
}

function SpaceList({ user }: { user: string | undefined }) {
  const { apiUrl } = useFacts();
  const spaces = useSpaces(user);
  return (
    <Loaded query={spaces}>
      {({ items, hasMore }) =>
        items.length > 0 ? (
          <>
            <SpaceTable spaces={items} />
            {hasMore && <p className="faint">The newest 100; find others by their id.</p>}
          </>
        ) : (
          <Empty
            title={user ? "This user has no space" : "No spaces yet"}
            snippet={`curl -s -X POST '${apiUrl}/api/v1/space' \\
    -H "Authorization: Bearer $ACONTEXT_API_KEY"`}
          >
            Skills are learned in a space from the tasks of the sessions that it is connected to.
          </Empty>
        )
      }
    </Loaded>
  );
}

function SpaceTable({ spaces }: { spaces: readonly Space[] }) {
  const userName = useUserNames();
  const columns = useMemo(
    () => [
      column<Space>("id", "Space", (space) => (
        <Link to="/skills/$spaceId" params={{ spaceId: space.id }}>
          <code>{shortId(space.id)}</code>
        </Link>
      )),
      column<Space>("user", "User", (space) =>
        space.userId ? (
          <UserText>{userName(space.userId) ?? shortId(space.userId)}</UserText>
        ) : (
          <span className="faint">nobody's</span>
        ),
      ),
      column<Space>("created", "Made", (space) => <Time value={space.createdAt} />),
      column<Space>("sessions", "Sessions", (space) => (
        <Link to="/sessions" search={{ space: space.id }}>
          its sessions
        </Link>
      )),
      column<Space>("runs", "Runs", (space) => (
        <Link to="/runs" search={{ of: "learning", space: space.id }}>
          its learning
        </Link>
      )),
      column<Space>("actions", "Actions", (space) => <SpaceActions space={space} />),
    ],
    [userName],
  );
  return <Table label="Spaces" columns={columns} rows={spaces} idOf={(space) => space.id} />;
}

function SpaceActions({ space }: { space: Space }) {
  const [sheet, setSheet] = useState<"configure" | "delete">();
  const close = () => setSheet(undefined);
  return (
    <>
      <ActionMenu label={`Actions of space ${shortId(space.id)}`}>
        <ActionItem onAction={() => setSheet("configure")}>Edit its configs</ActionItem>
        <ActionItem isDanger onAction={() => setSheet("delete")}>
          Delete
        </ActionItem>
      </ActionMenu>
      {sheet === "configure" && <Configure space={space} onClose={close} />}
      {sheet === "delete" && <Delete space={space} onClose={close} />}
    </>
  );
}

function Configure({ space, onClose }: { space: Space; onClose: () => void }) {
  const update = useUpdateSpaceConfigs();
  const [text, setText] = useState(() => JSON.stringify(space.configs ?? {}, null, 2));
  return (
    <FormSheet
      title="Configs of the space"
      isOpen
      onClose={onClose}
      submit={() => update.mutateAsync({ spaceId: space.id, configs: readConfigs(text) })}
      submitLabel="Save"
    >
      <p className="soft">
        <code>learning</code> in it overrides the project's settings.
      </p>
      <ConfigsField value={text} onChange={setText} />
    </FormSheet>
  );
}

function Delete({ space, onClose }: { space: Space; onClose: () => void }) {
  const remove = useDeleteSpace();
  const submit = async () => {
    await remove.mutateAsync({ spaceId: space.id });
    toast(`Space ${shortId(space.id)} is gone`);
  };
  return (
    <FormSheet
      title={`Delete space ${shortId(space.id)}?`}
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Delete it"
      isDanger
    >
      <p>
        With it go its folders, pages, skills with all their versions, and what waits for a person.
        Its sessions live on without a space. This cannot be undone.
      </p>
    </FormSheet>
  );
}

function NewSpace({ onClose }: { onClose: () => void }) {
  const create = useCreateSpace();
  const navigate = route.useNavigate();
  const [user, setUser] = useState("");
  const [configs, setConfigs] = useState("{}");
  const submit = async () => {
    const { space } = await create.mutateAsync({
      user,
      configs: readConfigs(configs),
      requestId: crypto.randomUUID(),
    });
    toast("The space is there");
    if (space) await navigate({ to: "/skills/$spaceId", params: { spaceId: space.id } });
  };
  return (
    <FormSheet title="New space" isOpen onClose={onClose} submit={submit} submitLabel="Make it">
      <TextField
        label="User"
        value={user}
        onChange={setUser}
        help="Whose it is, if anybody's; made on first sight."
      />
      <ConfigsField value={configs} onChange={setConfigs} />
    </FormSheet>
  );
}
