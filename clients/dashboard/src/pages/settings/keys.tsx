// The keys that open the project.

import type { ApiKey } from "@gen/acontext/session/v1/project_pb";
import { useState } from "react";

import { explain } from "../../api/errors";
import { useApiKeys, useCreateApiKey, useRevokeApiKey, useRotateApiKey } from "../../api/projects";
import { Button, CopyButton, Time } from "../../components/basics";
import { ActionItem, ActionMenu, FormSheet, Select, Sheet } from "../../components/fields";
import { Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";

export function Keys() {
  const keys = useApiKeys();
  const create = useCreateApiKey();
  const [secret, setSecret] = useState<string>();
  return (
    <div className="stack">
      <div className="row">
        <Button
          icon="plus"
          look="primary"
          isDisabled={create.isPending}
          onPress={() =>
            create.mutate(
              {},
              {
                onSuccess: (made) => setSecret(made.secret),
                onError: (error) => toast(explain(error).sentence, true),
              },
            )
          }
        >
          New key
        </Button>
      </div>
      <Loaded query={keys}>
        {(items) => (
          <Table
            label="Keys"
            rows={items}
            idOf={(key) => key.id}
            columns={[
              column<ApiKey>("prefix", "Begins with", (key) => <code>{`${key.prefix}…`}</code>),
              column<ApiKey>("created", "Made", (key) => <Time value={key.createdAt} />),
              column<ApiKey>("used", "Last used", (key) => <Time value={key.lastUsedAt} />),
              column<ApiKey>("expires", "Ends", (key) =>
                key.expiresAt ? (
                  <Time value={key.expiresAt} />
                ) : (
                  <span className="faint">when revoked</span>
                ),
              ),
              column<ApiKey>("actions", "Actions", (key) => (
                <KeyActions apiKey={key} onSecret={setSecret} />
              )),
            ]}
          />
        )}
      </Loaded>
      <Sheet title="The new key" isOpen={secret !== undefined} onClose={() => setSecret(undefined)}>
        <div className="form">
          <p>Copy it now: it is shown here once and kept nowhere.</p>
          <div className="row">
            <code className="user-text">{secret}</code>
            <CopyButton text={secret ?? ""} label="Copy the key" />
          </div>
        </div>
        <div className="row end">
          <Button look="primary" onPress={() => setSecret(undefined)}>
            I have it
          </Button>
        </div>
      </Sheet>
    </div>
  );
}

function KeyActions({ apiKey, onSecret }: { apiKey: ApiKey; onSecret: (secret: string) => void }) {
  const [sheet, setSheet] = useState<"rotate" | "revoke">();
  const close = () => setSheet(undefined);
  return (
    <>
      <ActionMenu label={`Actions of the key ${apiKey.prefix}`}>
        <ActionItem onAction={() => setSheet("rotate")}>Rotate</ActionItem>
        <ActionItem isDanger onAction={() => setSheet("revoke")}>
          Revoke
        </ActionItem>
      </ActionMenu>
      {sheet === "rotate" && <Rotate apiKey={apiKey} onClose={close} onSecret={onSecret} />}
      {sheet === "revoke" && <Revoke apiKey={apiKey} onClose={close} />}
    </>
  );
}

const OVERLAPS = [
  ["0", "at once"],
  ["3600", "in an hour"],
  ["86400", "in a day"],
  ["604800", "in 7 days"],
] as const;

function Rotate({
  apiKey,
  onClose,
  onSecret,
}: {
  apiKey: ApiKey;
  onClose: () => void;
  onSecret: (secret: string) => void;
}) {
  const rotate = useRotateApiKey();
  const [overlap, setOverlap] = useState<(typeof OVERLAPS)[number][0]>("3600");
  const submit = async () => {
    const made = await rotate.mutateAsync({ keyId: apiKey.id, overlapSeconds: Number(overlap) });
    onSecret(made.secret);
  };
  return (
    <FormSheet
      title={`Rotate the key ${apiKey.prefix}…`}
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Make a new one"
    >
      <Select
        label="The old one ends"
        showLabel
        value={overlap}
        options={OVERLAPS}
        onChange={setOverlap}
      />
    </FormSheet>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = useRevokeApiKey();
  return (
    <FormSheet
      title={`Revoke the key ${apiKey.prefix}…?`}
      isOpen
      onClose={onClose}
      submit={() => revoke.mutateAsync({ keyId: apiKey.id })}
      submitLabel="Revoke it"
      isDanger
    >
      <p>
        Programs with this key are refused everywhere within 5 seconds, and so is this page if it is
        the one it uses. This cannot be undone.
      </p>
    </FormSheet>
  );
}
