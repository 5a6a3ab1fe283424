// One file: its text or picture, what is known of it, and how others get it.

import type { JsonObject } from "@bufbuild/protobuf";
import type { GetArtifactResponse } from "@gen/acontext/disk/v1/disk_service_pb";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { useArtifact, useDeleteArtifact, useDownload, useUpdateArtifact } from "../../api/disks";
import { Button, Card, CopyButton, IconButton, Time } from "../../components/basics";
import { ConfigsField, readConfigs } from "../../components/configs";
import { FormSheet, Select } from "../../components/fields";
import { save } from "../../components/save";
import { Loaded } from "../../components/states";
import { toast } from "../../components/toasts";
import { size } from "../../components/words";
import { type Json, JsonView } from "../../content/json";
import { UserText } from "../../content/legible";
import { Preview } from "./preview";

const route = getRouteApi("/disks/$diskId");

const EXPIRIES = [
  ["3600", "1 hour"],
  ["86400", "1 day"],
  ["604800", "7 days"],
] as const;
type Expiry = (typeof EXPIRIES)[number][0];

export function FileView({ diskId, filePath }: { diskId: string; filePath: string }) {
  const navigate = route.useNavigate();
  const [seconds, setSeconds] = useState<Expiry>("3600");
  const artifact = useArtifact(diskId, filePath, Number(seconds));
  const download = useDownload(diskId);
  const [sheet, setSheet] = useState<"meta" | "delete">();
  const name = filePath.slice(filePath.lastIndexOf("/") + 1);
  const close = () => setSheet(undefined);
  const leave = () =>
    void navigate({ search: (before) => ({ ...before, file: undefined }), replace: true });
  const keep = async () => {
    try {
      save(await download(filePath), name);
    } catch (error) {
      toast(String(error), true);
    }
  };
  return (
    <Card
      title={<UserText>{name}</UserText>}
      actions={
        <>
          <Button icon="download" onPress={() => void keep()}>
            Download
          </Button>
          <Button onPress={() => setSheet("meta")}>Edit its metadata</Button>
          <IconButton icon="trash" label="Delete the file" onPress={() => setSheet("delete")} />
          <IconButton icon="cross" label="Close the file" onPress={leave} />
        </>
      }
    >
      <Loaded query={artifact}>
        {(found) => (
          <div className="stack">
            <Preview found={found} />
            <Facts found={found} />
            <div className="row">
              <Select
                label="Expiry of the public URL"
                value={seconds}
                options={EXPIRIES}
                onChange={setSeconds}
              />
              {found.publicUrl && (
                <>
                  <a
                    className="outside public-url"
                    href={found.publicUrl}
                    target="_blank"
                    rel="noopener noreferrer"
                  >
                    opens without a key
                  </a>
                  <CopyButton text={found.publicUrl} label="Copy the public URL" />
                </>
              )}
            </div>
            {sheet === "meta" && (
              <Meta diskId={diskId} filePath={filePath} found={found} onClose={close} />
            )}
          </div>
        )}
      </Loaded>
      {sheet === "delete" && (
        <Delete diskId={diskId} filePath={filePath} onClose={close} onGone={leave} />
      )}
    </Card>
  );
}

const OURS = "__artifact_info__";

function ownMeta(found: GetArtifactResponse): JsonObject {
  const { [OURS]: _, ...own } = found.artifact?.meta ?? {};
  return own;
}

function Facts({ found }: { found: GetArtifactResponse }) {
  const info = (found.artifact?.meta?.[OURS] ?? {}) as { mime?: string; size?: number };
  const own = ownMeta(found);
  return (
    <dl className="facts">
      <dt>Type</dt>
      <dd>
        <UserText>{info.mime ?? "unknown"}</UserText>
      </dd>
      <dt>Size</dt>
      <dd>{size(info.size ?? 0)}</dd>
      <dt>Changed</dt>
      <dd>
        <Time value={found.artifact?.updatedAt} />
      </dd>
      {Object.keys(own).length > 0 && (
        <>
          <dt>Metadata</dt>
          <dd>
            <JsonView value={own as Json} />
          </dd>
        </>
      )}
    </dl>
  );
}

function Meta({
  diskId,
  filePath,
  found,
  onClose,
}: {
  diskId: string;
  filePath: string;
  found: GetArtifactResponse;
  onClose: () => void;
}) {
  const update = useUpdateArtifact();
  const [text, setText] = useState(() => JSON.stringify(ownMeta(found), null, 2));
  return (
    <FormSheet
      title="Metadata"
      isOpen
      onClose={onClose}
      submit={() =>
        update.mutateAsync({ diskId, filePath, meta: JSON.stringify(readConfigs(text)) })
      }
      submitLabel="Save"
    >
      <ConfigsField label="Metadata" value={text} onChange={setText} />
    </FormSheet>
  );
}

function Delete({
  diskId,
  filePath,
  onClose,
  onGone,
}: {
  diskId: string;
  filePath: string;
  onClose: () => void;
  onGone: () => void;
}) {
  const remove = useDeleteArtifact();
  const submit = async () => {
    await remove.mutateAsync({ diskId, filePath });
    toast("The file is gone");
    onGone();
  };
  return (
    <FormSheet
      title="Delete this file?"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Delete it"
      isDanger
    >
      <p>
        <UserText>{filePath}</UserText>
      </p>
      <p>Its public URLs end. This cannot be undone.</p>
    </FormSheet>
  );
}
