/** Labels, hints and mistakes around controls, and the list of mistakes that takes the focus. */
import type { ComponentChildren, InputHTMLAttributes, LooseInputHTMLAttributes, TextareaHTMLAttributes } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../state/language.ts";

export interface Mistake {
  readonly field: string;
  readonly text: string;
}

interface Around {
  name: string;
  label: ComponentChildren;
  hint?: string | undefined;
  mistakes?: readonly Mistake[];
}

function mistakeOf({ name, mistakes = [] }: Around): string {
  return mistakes.find((each) => each.field === name)?.text ?? "";
}

function described(around: Around): { "aria-describedby"?: string; "aria-invalid"?: "true" } {
  const wrong = mistakeOf(around);
  const ids = [around.hint && `hint-${around.name}`, wrong && `error-${around.name}`].filter(Boolean).join(" ");
  return { ...(ids ? { "aria-describedby": ids } : {}), ...(wrong ? { "aria-invalid": "true" as const } : {}) };
}

function Field({ around, children }: { around: Around; children: ComponentChildren }) {
  const wrong = mistakeOf(around);
  return (
    <div class="field">
      <label for={`field-${around.name}`}>{around.label}</label>
      {around.hint && (
        <p class="hint" id={`hint-${around.name}`}>
          {around.hint}
        </p>
      )}
      {wrong && (
        <p class="field-error" id={`error-${around.name}`}>
          <span class="unseen">{t("app.form.wrong")} </span>
          {wrong}
        </p>
      )}
      {children}
    </div>
  );
}

type InputProps = Around & Omit<LooseInputHTMLAttributes<HTMLInputElement>, "name" | "label" | "id">;

export function TextField({ name, label, hint, mistakes, ...rest }: InputProps) {
  const around = { name, label, hint, mistakes: mistakes ?? [] };
  return (
    <Field around={around}>
      <input
        {...(rest as InputHTMLAttributes)}
        id={`field-${name}`}
        name={name}
        dir={rest.dir ?? "auto"}
        {...described(around)}
      />
    </Field>
  );
}

type AreaProps = Around & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "name" | "label" | "id">;

export function TextArea({ name, label, hint, mistakes, ...rest }: AreaProps) {
  const around = { name, label, hint, mistakes: mistakes ?? [] };
  return (
    <Field around={around}>
      <textarea {...rest} id={`field-${name}`} name={name} dir="auto" {...described(around)} />
    </Field>
  );
}

interface SelectProps extends Around {
  options: readonly (readonly [value: string, label: string])[];
  value: string;
  onChoose: (value: string) => void;
}

export function SelectField({ name, label, hint, mistakes, options, value, onChoose }: SelectProps) {
  const around = { name, label, hint, mistakes: mistakes ?? [] };
  return (
    <Field around={around}>
      <select
        id={`field-${name}`}
        name={name}
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
        {...described(around)}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface CheckProps {
  label: string;
  hint?: string;
  checked: boolean;
  onSet: (checked: boolean) => void;
}

export function Check({ label, hint, checked, onSet }: CheckProps) {
  return (
    <label class="choice">
      <input type="checkbox" checked={checked} onChange={(event) => onSet(event.currentTarget.checked)} />
      <span>
        {label}
        {hint && <span class="hint block">{hint}</span>}
      </span>
    </label>
  );
}

/** All mistakes of a form. It takes the focus each time there are new ones, and leads to each field. */
export function ErrorSummary({ mistakes }: { mistakes: readonly Mistake[] }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (mistakes.length > 0) box.current?.focus();
  }, [mistakes]);
  if (mistakes.length === 0) return null;
  const lead = (event: MouseEvent, field: string): void => {
    event.preventDefault(); // the address stays as it is
    document.getElementById(`field-${field}`)?.focus();
  };
  return (
    <div class="notice error" role="alert" tabIndex={-1} ref={box}>
      <h2>{t("app.form.mistakes")}</h2>
      <ul>
        {mistakes.map(({ field, text }) => (
          <li key={field + text}>
            <a href={`#field-${field}`} onClick={(event) => lead(event, field)}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
