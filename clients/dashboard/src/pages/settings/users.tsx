// The project's users and what is theirs.

import type { User } from "@gen/acontext/session/v1/project_pb";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useDeleteUser, useUserResources, useUsers } from "../../api/projects";
import { Time } from "../../components/basics";
import { ActionItem, ActionMenu, FormSheet } from "../../components/fields";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { plural } from "../../components/words";
import { legible, UserText } from "../../content/legible";

export function Users() {
  const users = useUsers();
  return (
    <Loaded query={users}>
      {({ items, hasMore }) =>
        items.length > 0 ? (
          <>
            <Table
              label="Users"
              rows={items}
              idOf={(user) => user.id}
              columns={[
                column<User>("identifier", "User", (user) => (
                  <UserText>{user.identifier}</UserText>
                )),
                column<User>("has", "Has", (user) => <Has identifier={user.identifier} />),
                column<User>("created", "First seen", (user) => <Time value={user.createdAt} />),
                column<User>("actions", "Actions", (user) => <UserActions user={user} />),
              ]}
            />
            {hasMore && <p className="faint">The newest 200.</p>}
          </>
        ) : (
          <Empty title="No users yet">
            A user is made when a session, disk or space first names it.
          </Empty>
        )
      }
    </Loaded>
  );
}

function Has({ identifier }: { identifier: string }) {
  const { data } = useUserResources(identifier);
  if (!data) return <span className="faint">…</span>;
  return (
    <span className="row">
      <Link to="/sessions" search={{ user: identifier }}>
        {plural(data.sessionsCount, "session")}
      </Link>
      <Link to="/skills" search={{ user: identifier }}>
        {plural(data.spacesCount, "space")}
      </Link>
      <Link to="/disks" search={{ user: identifier }}>
        {plural(data.disksCount, "disk")}
      </Link>
    </span>
  );
}

function UserActions({ user }: { user: User }) {
  const [asks, setAsks] = useState(false);
  return (
    <>
      <ActionMenu label={`Actions of the user ${legible(user.identifier)}`}>
        <ActionItem isDanger onAction={() => setAsks(true)}>
          Delete
        </ActionItem>
      </ActionMenu>
      {asks && <Delete user={user} onClose={() => setAsks(false)} />}
    </>
  );
}

function Delete({ user, onClose }: { user: User; onClose: () => void }) {
  const remove = useDeleteUser();
  const { data } = useUserResources(user.identifier);
  const submit = async () => {
    await remove.mutateAsync({ identifier: user.identifier });
    toast("The user is gone, with all that was theirs");
  };
  return (
    <FormSheet
      title="Delete this user?"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Delete it"
      isDanger
    >
      <p>
        <UserText>{user.identifier}</UserText>
      </p>
      <p>
        {data
          ? `With it go ${plural(data.sessionsCount, "session")}, ${plural(data.disksCount, "disk")} and ${plural(data.spacesCount, "space")} with all that is in them. `
          : "With it goes all that is its own. "}
        This cannot be undone.
      </p>
    </FormSheet>
  );
}
