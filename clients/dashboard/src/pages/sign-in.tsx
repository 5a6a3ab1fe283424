// Asking for a project's key.

import { useEffect, useState } from "react";

import { signIn } from "../account";
import { projectOf, readFacts } from "../api/projects";
import { Button } from "../components/basics";
import { FormSheet, TextField } from "../components/fields";
import { ErrorLine } from "../components/states";
import { useTheme } from "../components/theme";

async function open(key: string): Promise<void> {
  const trimmed = key.trim();
  signIn({ key: trimmed, ...(await projectOf(trimmed)) });
}

export function SignIn() {
  useTheme();
  const offered = useDevelopmentKey();
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const enter = async (chosen: string) => {
    setBusy(true);
    try {
      await open(chosen);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(key);
        }}
      >
        <h1>
          <img src="/icon.svg" alt="" width="24" height="24" /> Acontext
        </h1>
        <TextField
          label="Key of a project"
          type="password"
          value={key}
          onChange={setKey}
          placeholder="sk-ac-…"
          help="It is kept in this tab only, until you close it."
          autoFocus
        />
        <ErrorLine error={error} />
        <Button type="submit" look="primary" isDisabled={isBusy || key.trim() === ""}>
          Open the project
        </Button>
        {offered && (
          <Button onPress={() => void enter(offered)} isDisabled={isBusy}>
            Use the development key of this machine
          </Button>
        )}
      </form>
    </main>
  );
}

function useDevelopmentKey(): string {
  const [offered, setOffered] = useState("");
  useEffect(() => {
    let isGone = false;
    // Without an answer there is nothing to offer, and the form says what else is wrong.
    readFacts().then(
      (facts) => !isGone && setOffered(facts.developmentKey),
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, []);
  return offered;
}

export function AddProject({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [key, setKey] = useState("");
  return (
    <FormSheet
      title="Open another project"
      isOpen={isOpen}
      onClose={() => {
        setKey("");
        onClose();
      }}
      submit={() => open(key)}
      submitLabel="Open"
      isReady={key.trim() !== ""}
    >
      <TextField
        label="Key of the project"
        type="password"
        value={key}
        onChange={setKey}
        placeholder="sk-ac-…"
        help="Kept in this tab beside the others."
        autoFocus
      />
    </FormSheet>
  );
}
