// What a skill says, as a form.

import { Button, IconButton } from "../../components/basics";
import { TextField } from "../../components/fields";

export interface SopText {
  useWhen: string;
  preferences: string;
  toolSops: readonly { toolName: string; action: string }[];
}

/** Make the message of what was written; steps that are empty are left out. */
export function sopOf(text: SopText) {
  return {
    useWhen: text.useWhen,
    preferences: text.preferences,
    toolSops: text.toolSops
      .filter((step) => step.toolName.trim() !== "" || step.action.trim() !== "")
      .map(({ toolName, action }) => ({ toolName, action })),
  };
}

export function SopForm({
  value,
  onChange,
}: {
  value: SopText;
  onChange: (value: SopText) => void;
}) {
  const { toolSops: steps } = value;
  const setSteps = (toolSops: SopText["toolSops"]) => onChange({ ...value, toolSops });
  const swap = (index: number, other: number) =>
    setSteps(
      steps.map((step, place) =>
        place === index ? (steps[other] ?? step) : place === other ? (steps[index] ?? step) : step,
      ),
    );
  return (
    <>
      <TextField
        label="Use when"
        value={value.useWhen}
        onChange={(useWhen) => onChange({ ...value, useWhen })}
        lines={2}
        {...(value.useWhen.trim() === "" ? { error: "Say when it is to be used." } : {})}
      />
      <TextField
        label="Preferences"
        value={value.preferences}
        onChange={(preferences) => onChange({ ...value, preferences })}
        lines={3}
      />
      {steps.map((step, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are told apart by their place
        <fieldset className="step-fields" key={index}>
          <legend>
            Step {index + 1}
            <IconButton
              icon="up"
              label={`Move step ${index + 1} up`}
              isDisabled={index === 0}
              onPress={() => swap(index, index - 1)}
            />
            <IconButton
              icon="trash"
              label={`Remove step ${index + 1}`}
              onPress={() => setSteps(steps.filter((_, place) => place !== index))}
            />
          </legend>
          <TextField
            label="Tool"
            value={step.toolName}
            onChange={(toolName) =>
              setSteps(steps.map((one, place) => (place === index ? { ...one, toolName } : one)))
            }
            code
            {...(step.toolName.trim() === "" && step.action.trim() !== ""
              ? { error: "Name the tool." }
              : {})}
          />
          <TextField
            label="What it does"
            value={step.action}
            onChange={(action) =>
              setSteps(steps.map((one, place) => (place === index ? { ...one, action } : one)))
            }
            lines={2}
          />
        </fieldset>
      ))}
      <Button icon="plus" onPress={() => setSteps([...steps, { toolName: "", action: "" }])}>
        Add a step
      </Button>
    </>
  );
}
