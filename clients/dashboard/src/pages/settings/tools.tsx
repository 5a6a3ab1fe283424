// The tools that steps of skills call, by name.

import type { ToolName } from "@gen/acontext/space/v1/skill_pb";
import { useState } from "react";

import { useRenameTools, useToolNames } from "../../api/skills";
import { Button } from "../../components/basics";
import { FormSheet, TextField } from "../../components/fields";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { count } from "../../components/words";
import { UserText } from "../../content/legible";

export function Tools() {
  const tools = useToolNames();
  const [renamed, setRenamed] = useState<ToolName>();
  return (
    <>
      <Loaded query={tools}>
        {(items) =>
          items.length > 0 ? (
            <Table
              label="Tool names"
              rows={items}
              idOf={(tool) => tool.name}
              columns={[
                column<ToolName>("name", "Tool", (tool) => <UserText>{tool.name}</UserText>),
                column<ToolName>("steps", "Steps that call it", (tool) => (
                  <span className="number">{count(tool.sopCount)}</span>
                )),
                column<ToolName>("actions", "Actions", (tool) => (
                  <Button look="quiet" onPress={() => setRenamed(tool)}>
                    Rename
                  </Button>
                )),
              ]}
            />
          ) : (
            <Empty title="No tools yet">They come with the first skill that has steps.</Empty>
          )
        }
      </Loaded>
      {renamed && <Rename tool={renamed} onClose={() => setRenamed(undefined)} />}
    </>
  );
}

function Rename({ tool, onClose }: { tool: ToolName; onClose: () => void }) {
  const rename = useRenameTools();
  const [name, setName] = useState(tool.name);
  const submit = async () => {
    await rename.mutateAsync({ rename: [{ oldName: tool.name, newName: name }] });
    toast("Renamed in every step");
  };
  return (
    <FormSheet
      title="Rename a tool"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Rename"
      isReady={name.trim() !== "" && name !== tool.name}
    >
      <p className="soft">
        In every step of every skill and version. Onto a name that is known, the two become one.
      </p>
      <TextField label="New name" value={name} onChange={setName} autoFocus code />
    </FormSheet>
  );
}
