// Form fields with their labels, and the menus and dialogs they stand in.

import { type ReactNode, useState } from "react";
import {
  Button as AriaButton,
  SearchField as AriaSearchField,
  Select as AriaSelect,
  Switch as AriaSwitch,
  TextField as AriaTextField,
  Dialog,
  FieldError,
  Heading,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Menu,
  MenuItem,
  type MenuItemProps,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
  SelectValue,
  Text,
  TextArea,
} from "react-aria-components";

import { Button } from "./basics";
import { Icon } from "./icon";
import { ErrorLine } from "./states";

interface TextFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: ReactNode;
  placeholder?: string;
  lines?: number;
  type?: "text" | "password" | "number";
  isRequired?: boolean;
  isHiddenLabel?: boolean;
  autoFocus?: boolean;
  error?: string | undefined;
  code?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { label, help, placeholder, lines, isHiddenLabel, error, code, type, ...field } = props;
  const className = code ? "input code" : "input";
  return (
    <AriaTextField
      {...field}
      className="field"
      type={type ?? "text"}
      isInvalid={error !== undefined}
      {...(isHiddenLabel ? { "aria-label": label } : {})}
    >
      {!isHiddenLabel && <Label>{label}</Label>}
      {lines ? (
        <TextArea className={className} rows={lines} placeholder={placeholder ?? ""} />
      ) : (
        <Input
          className={className}
          placeholder={placeholder ?? ""}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {help && (
        <Text slot="description" className="help">
          {help}
        </Text>
      )}
      <FieldError className="error-line">{error}</FieldError>
    </AriaTextField>
  );
}

/** A search box that answers when Enter is pressed or it is cleared. */
export function SearchField({
  label,
  placeholder,
  value,
  onSearch,
}: {
  label: string;
  placeholder: string;
  value: string;
  onSearch: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value);
  }
  return (
    <AriaSearchField
      className="search"
      aria-label={label}
      value={text}
      onChange={setText}
      onSubmit={(submitted) => onSearch(submitted.trim())}
      onClear={() => onSearch("")}
    >
      <Icon name="search" />
      <Input placeholder={placeholder} />
      <AriaButton className="button quiet square" aria-label="Clear">
        <Icon name="cross" />
      </AriaButton>
    </AriaSearchField>
  );
}

export function Select<Key extends string>({
  label,
  value,
  options,
  onChange,
  showLabel = false,
}: {
  label: string;
  value: Key;
  options: readonly (readonly [Key, string])[];
  onChange: (key: Key) => void;
  showLabel?: boolean;
}) {
  return (
    <AriaSelect
      className="select"
      value={value}
      onChange={(key) => onChange(key as Key)}
      {...(showLabel ? {} : { "aria-label": label })}
    >
      {showLabel && <Label>{label}</Label>}
      <AriaButton className="button plain">
        <SelectValue />
        <Icon name="down" />
      </AriaButton>
      <Popover className="popover">
        <ListBox className="menu">
          {options.map(([key, words]) => (
            <ListBoxItem className="menu-item" key={key} id={key} textValue={words}>
              {words}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export function Switch({
  label,
  value,
  onChange,
}: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}) {
  return (
    <AriaSwitch className="switch" isSelected={value} onChange={onChange}>
      <span className="switch-track" aria-hidden="true" />
      {label}
    </AriaSwitch>
  );
}

export function ActionMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <MenuTrigger>
      <AriaButton className="button quiet square" aria-label={label}>
        <Icon name="more" className="bold" />
      </AriaButton>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu">{children}</Menu>
      </Popover>
    </MenuTrigger>
  );
}

export function ActionItem(props: MenuItemProps & { isDanger?: boolean }) {
  const { isDanger, ...rest } = props;
  return <MenuItem {...rest} className={isDanger ? "menu-item danger" : "menu-item"} />;
}

export function Sheet({
  title,
  isOpen,
  onClose,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A form in a dialog that closes when it worked and says why when it did not. */
export function FormSheet({
  title,
  isOpen,
  onClose,
  submit,
  submitLabel,
  isDanger,
  isReady = true,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  submit: () => Promise<unknown>;
  submitLabel: string;
  isDanger?: boolean;
  isReady?: boolean;
  children: ReactNode;
}) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const close = () => {
    setError(undefined);
    onClose();
  };
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await submit();
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Sheet title={title} isOpen={isOpen} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <div className="form">{children}</div>
        <ErrorLine error={error} />
        <div className="row end">
          <Button onPress={close}>Cancel</Button>
          <Button
            type="submit"
            look={isDanger ? "danger" : "primary"}
            isDisabled={isBusy || !isReady}
          >
            {isBusy ? "Working…" : submitLabel}
          </Button>
        </div>
      </form>
    </Sheet>
  );
}
