// Skills that wait for a person: learned, learned otherwise, or discarded.

import type { Confirmation } from "@gen/acontext/space/v1/skill_pb";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../../api/errors";
import { useConfirmations, useResolveConfirmation } from "../../api/skills";
import { useTask } from "../../api/tasks";
import { Button, Time } from "../../components/basics";
import { FormSheet } from "../../components/fields";
import { Empty, Loaded } from "../../components/states";
import { toast } from "../../components/toasts";
import { UserText } from "../../content/legible";
import { SopForm, type SopText, sopOf } from "../skill/form";
import { SopBody } from "./cards";

export function Confirmations({ spaceId }: { spaceId: string }) {
  const waiting = useConfirmations(spaceId);
  return (
    <Loaded query={waiting}>
      {(items) =>
        items.length > 0 ? (
          <div className="cards">
            {items.map((one) => (
              <Waiting key={one.id} confirmation={one} />
            ))}
          </div>
        ) : (
          <Empty title="Nothing waits">
            With “confirmation” in the project's settings, a learned skill waits here for your word
            before it is kept.
          </Empty>
        )
      }
    </Loaded>
  );
}

function textOf(confirmation: Confirmation): SopText {
  const data = (confirmation.experienceData?.["data"] ?? {}) as Record<string, unknown>;
  const steps = Array.isArray(data["tool_sops"]) ? data["tool_sops"] : [];
  return {
    useWhen: String(data["use_when"] ?? ""),
    preferences: String(data["preferences"] ?? ""),
    toolSops: steps.map((step) => {
      const { tool_name: toolName, action } = (step ?? {}) as Record<string, unknown>;
      return { toolName: String(toolName ?? ""), action: String(action ?? "") };
    }),
  };
}

function Waiting({ confirmation }: { confirmation: Confirmation }) {
  const resolve = useResolveConfirmation();
  const [edits, setEdits] = useState(false);
  const said = textOf(confirmation);
  const { spaceId, id: confirmationId } = confirmation;
  const decide = (save: boolean) =>
    resolve.mutate(
      { spaceId, confirmationId, save },
      {
        onSuccess: () => toast(save ? "It is learned" : "It is discarded"),
        onError: (error) => toast(explain(error).sentence, true),
      },
    );
  return (
    <article className="card skill stack">
      <h2>
        <UserText>{said.useWhen}</UserText>
      </h2>
      <SopBody sop={said} />
      <p className="faint small row">
        <span>
          waits since <Time value={confirmation.createdAt} />
        </span>
        {confirmation.taskId && <From taskId={confirmation.taskId} />}
      </p>
      <div className="row">
        <Button look="primary" isDisabled={resolve.isPending} onPress={() => decide(true)}>
          Accept
        </Button>
        <Button onPress={() => setEdits(true)}>Edit and accept</Button>
        <Button look="danger" isDisabled={resolve.isPending} onPress={() => decide(false)}>
          Discard
        </Button>
      </div>
      {edits && (
        <EditAndAccept said={said} confirmation={confirmation} onClose={() => setEdits(false)} />
      )}
    </article>
  );
}

function From({ taskId }: { taskId: string }) {
  const { data } = useTask(taskId);
  if (!data?.task) return null;
  return (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: data.task.sessionId }}
      search={{ task: taskId }}
    >
      from task {data.task.order} of its session
    </Link>
  );
}

function EditAndAccept({
  said,
  confirmation,
  onClose,
}: {
  said: SopText;
  confirmation: Confirmation;
  onClose: () => void;
}) {
  const resolve = useResolveConfirmation();
  const [text, setText] = useState(said);
  const submit = async () => {
    await resolve.mutateAsync({
      spaceId: confirmation.spaceId,
      confirmationId: confirmation.id,
      save: true,
      edited: sopOf(text),
    });
    toast("It is learned as you wrote it");
  };
  return (
    <FormSheet
      title="Edit and accept"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Accept"
      isReady={text.useWhen.trim() !== ""}
    >
      <SopForm value={text} onChange={setText} />
    </FormSheet>
  );
}
