// The project's disks.

import type { Disk } from "@gen/acontext/disk/v1/disk_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useCreateDisk, useDeleteDisk, useDisks } from "../../api/disks";
import { useFacts, useUserNames } from "../../api/projects";
import { isId } from "../../api/queries";
import { Button, PageHead, Time } from "../../components/basics";
import { ActionItem, ActionMenu, FormSheet, SearchField, TextField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { shortId } from "../../components/words";
import { UserText } from "../../content/legible";

const route = getRouteApi("/disks");

export function Disks() {
  const { user } = route.useSearch();
  const navigate = route.useNavigate();
  const { apiUrl } = useFacts();
  const [cursor, setCursor] = useState<string>();
  const disks = useDisks(user, cursor);
  const [adds, setAdds] = useState(false);
  const find = (text: string) => {
    setCursor(undefined);
    void (isId(text)
      ? navigate({ to: "/disks/$diskId", params: { diskId: text } })
      : navigate({ search: { user: text || undefined } }));
  };
  return (
    <>
      <PageHead title="Disks" about="The files that agents make and use.">
        <Button icon="plus" look="primary" onPress={() => setAdds(true)}>
          New disk
        </Button>
      </PageHead>
      <div className="toolbar">
        <SearchField
          label="Find disks by id or by user"
          placeholder="Id of a disk, or a user"
          value={user ?? ""}
          onSearch={find}
        />
      </div>
      <Loaded query={disks}>
        {({ items, hasMore, nextCursor }) =>
          items.length > 0 ? (
            <>
              <DiskTable disks={items} />
              <Pager cursor={cursor} next={hasMore ? nextCursor : undefined} onMove={setCursor} />
            </>
          ) : (
            <Empty
              title={user ? "This user has no disk" : "No disks yet"}
              snippet={`curl -s -X POST '${apiUrl}/api/v1/disk' \\
  -H "Authorization: Bearer $ACONTEXT_API_KEY"`}
            >
              A disk holds files under paths, such as an agent's workspace.
            </Empty>
          )
        }
      </Loaded>
      {adds && <NewDisk onClose={() => setAdds(false)} />}
    </>
  );
}

function DiskTable({ disks }: { disks: readonly Disk[] }) {
  const userName = useUserNames();
  const columns = useMemo(
    () => [
      column<Disk>("id", "Disk", (disk) => (
        <Link to="/disks/$diskId" params={{ diskId: disk.id }}>
          <code>{shortId(disk.id)}</code>
        </Link>
      )),
      column<Disk>("user", "User", (disk) =>
        disk.userId ? (
          <UserText>{userName(disk.userId) ?? shortId(disk.userId)}</UserText>
        ) : (
          <span className="faint">nobody's</span>
        ),
      ),
      column<Disk>("created", "Made", (disk) => <Time value={disk.createdAt} />),
      column<Disk>("actions", "Actions", (disk) => <DiskActions disk={disk} />),
    ],
    [userName],
  );
  return <Table label="Disks" columns={columns} rows={disks} idOf={(disk) => disk.id} />;
}

function DiskActions({ disk }: { disk: Disk }) {
  const remove = useDeleteDisk();
  const [asks, setAsks] = useState(false);
  const submit = async () => {
    await remove.mutateAsync({ diskId: disk.id });
    toast(`Disk ${shortId(disk.id)} is gone`);
  };
  return (
    <>
      <ActionMenu label={`Actions of disk ${shortId(disk.id)}`}>
        <ActionItem isDanger onAction={() => setAsks(true)}>
          Delete
        </ActionItem>
      </ActionMenu>
      {asks && (
        <FormSheet
          title={`Delete disk ${shortId(disk.id)}?`}
          isOpen
          onClose={() => setAsks(false)}
          submit={submit}
          submitLabel="Delete it"
          isDanger
        >
          <p>With it go all its files; their public URLs end. This cannot be undone.</p>
        </FormSheet>
      )}
    </>
  );
}

function NewDisk({ onClose }: { onClose: () => void }) {
  const create = useCreateDisk();
  const navigate = route.useNavigate();
  const [user, setUser] = useState("");
  const submit = async () => {
    const { disk } = await create.mutateAsync({ user, requestId: crypto.randomUUID() });
    toast("The disk is there");
    if (disk) await navigate({ to: "/disks/$diskId", params: { diskId: disk.id } });
  };
  return (
    <FormSheet title="New disk" isOpen onClose={onClose} submit={submit} submitLabel="Make it">
      <TextField
        label="User"
        value={user}
        onChange={setUser}
        help="Whose it is, if anybody's; made on first sight."
      />
    </FormSheet>
  );
}
