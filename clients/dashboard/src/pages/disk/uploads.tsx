// Files that are dropped here or chosen, and how far they are on their way.

import { useRef, useState } from "react";
import { DropZone, type FileDropItem, FileTrigger, isFileDropItem } from "react-aria-components";

import { useUpload } from "../../api/disks";
import { Button } from "../../components/basics";
import { UserText } from "../../content/legible";

interface Upload {
  id: number;
  name: string;
  part: number;
  state: "sending" | "done" | "failed";
  problem?: string;
}

export function Uploads({ diskId, path }: { diskId: string; path: string }) {
  const send = useUpload(diskId);
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const next = useRef(1);
  const change = (id: number, after: Partial<Upload>) =>
    setUploads((before) => before.map((one) => (one.id === id ? { ...one, ...after } : one)));
  const upload = async (file: File) => {
    const id = next.current++;
    setUploads((before) => [...before, { id, name: file.name, part: 0, state: "sending" }]);
    try {
      await send(path, file, (part) => change(id, { part }));
      change(id, { state: "done", part: 1 });
    } catch (error) {
      change(id, {
        state: "failed",
        problem: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const all = async (files: readonly File[]) => {
    for (const file of files) await upload(file);
  };
  return (
    <DropZone
      className="drop"
      aria-label="Drop files here"
      getDropOperation={() => "copy"}
      onDrop={({ items }) => {
        const files = items.filter((item): item is FileDropItem => isFileDropItem(item));
        void Promise.all(files.map((item) => item.getFile())).then(all);
      }}
    >
      <div className="stack">
        <div className="row centred">
          <span>
            Drop files here for <UserText>{path}</UserText>, or
          </span>
          <FileTrigger allowsMultiple onSelect={(list) => void all([...(list ?? [])])}>
            <Button icon="upload">Choose files</Button>
          </FileTrigger>
        </div>
        {uploads.map((one) => (
          <div key={one.id} className="stack small">
            <span>
              <UserText>{one.name}</UserText>
              {one.state === "done" ? " is stored" : ""}
              {one.state === "failed" ? `: ${one.problem}` : ""}
            </span>
            {one.state === "sending" && (
              <progress value={one.part} max={1} aria-label={`Sending ${one.name}`} />
            )}
          </div>
        ))}
      </div>
    </DropZone>
  );
}
