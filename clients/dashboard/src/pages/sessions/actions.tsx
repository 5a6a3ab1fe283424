// What can be done with one session.

import type { Session } from "@gen/acontext/session/v1/session_pb";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import {
  useConnectToSpace,
  useDeleteSession,
  useSessionState,
  useUpdateSessionConfigs,
} from "../../api/sessions";
import { useSpaces } from "../../api/spaces";
import { ConfigsField, readConfigs } from "../../components/configs";
import { ActionItem, ActionMenu, FormSheet, Select } from "../../components/fields";
import { toast } from "../../components/toasts";
import { plural, shortId } from "../../components/words";

type Sheet = "configure" | "connect" | "delete";

export function SessionActions({
  session,
  isOnItsPage = false,
}: {
  session: Session;
  isOnItsPage?: boolean;
}) {
  const [sheet, setSheet] = useState<Sheet>();
  const close = () => setSheet(undefined);
  return (
    <>
      <ActionMenu label={`Actions of session ${shortId(session.id)}`}>
        <ActionItem onAction={() => setSheet("configure")}>Edit its configs</ActionItem>
        <ActionItem onAction={() => setSheet("connect")}>Connect to a space</ActionItem>
        <ActionItem isDanger onAction={() => setSheet("delete")}>
          Delete
        </ActionItem>
      </ActionMenu>
      {sheet === "configure" && <Configure session={session} onClose={close} />}
      {sheet === "connect" && <Connect session={session} onClose={close} />}
      {sheet === "delete" && <Delete session={session} onClose={close} leaves={isOnItsPage} />}
    </>
  );
}

interface SheetProps {
  session: Session;
  onClose: () => void;
}

function Configure({ session, onClose }: SheetProps) {
  const update = useUpdateSessionConfigs();
  const [text, setText] = useState(() => JSON.stringify(session.configs ?? {}, null, 2));
  return (
    <FormSheet
      title="Configs of the session"
      isOpen
      onClose={onClose}
      submit={() => update.mutateAsync({ sessionId: session.id, configs: readConfigs(text) })}
      submitLabel="Save"
    >
      <ConfigsField value={text} onChange={setText} />
    </FormSheet>
  );
}

function Connect({ session, onClose }: SheetProps) {
  const connect = useConnectToSpace();
  const spaces = useSpaces();
  const [chosen, setChosen] = useState(session.spaceId ?? "");
  const options = (spaces.data?.items ?? []).map((space) => [space.id, shortId(space.id)] as const);
  return (
    <FormSheet
      title="Connect to a space"
      isOpen
      onClose={onClose}
      submit={() => connect.mutateAsync({ sessionId: session.id, spaceId: chosen })}
      submitLabel="Connect"
      isReady={chosen !== ""}
    >
      <p className="soft">
        Its completed tasks are learned there, in place of where they were learned before. Tasks
        that succeeded already are learned now.
      </p>
      {options.length > 0 ? (
        <Select label="Space" showLabel value={chosen} options={options} onChange={setChosen} />
      ) : (
        <p>There is no space yet; make one under Skills.</p>
      )}
    </FormSheet>
  );
}

function Delete({ session, onClose, leaves }: SheetProps & { leaves: boolean }) {
  const remove = useDeleteSession();
  const navigate = useNavigate();
  const state = useSessionState(session.id);
  const submit = async () => {
    await remove.mutateAsync({ sessionId: session.id });
    toast(`Session ${shortId(session.id)} is gone`);
    if (leaves) await navigate({ to: "/sessions" });
  };
  return (
    <FormSheet
      title={`Delete session ${shortId(session.id)}?`}
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Delete it"
      isDanger
    >
      <p>
        With it go {state.data ? plural(state.data.messages, "message") : "its messages"}, their
        files and the tasks that were observed. Skills that were learned from it stay, without the
        link to where they came from. This cannot be undone.
      </p>
    </FormSheet>
  );
}
