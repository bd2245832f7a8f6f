/** The page's language at run time: the server puts the texts a page's script needs into `#texts`. */
import type en from "../locales/en.json";

type Suffix = "_zero" | "_one" | "_two" | "_few" | "_many" | "_other";
type Stem<Key extends string> = Key extends `${infer Head}${Suffix}` ? Head : Key;
/** Every key of the source language; plural forms under their stem. */
export type TextKey = Stem<keyof typeof en & string>;
export type Placeables = Readonly<Record<string, string | number>>;
export type Texts = Readonly<Record<string, string>>;

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A placed text keeps its own direction (FSI … PDI) when it could disturb the sentence around it. */
function isolate(value: string, rtl: boolean): string {
  return rtl || RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;
}

export class Language {
  readonly #texts: Texts;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;
  readonly code: string;
  readonly rtl: boolean;

  constructor(code: string, rtl: boolean, texts: Texts) {
    this.code = code;
    this.rtl = rtl;
    this.#texts = texts;
    this.#plural = new Intl.PluralRules(code);
    this.#number = new Intl.NumberFormat(code);
  }

  /** The text under a key, with `{{name}}` replaced. `count` also chooses the plural form. */
  t(key: TextKey, placeables: Placeables = {}): string {
    const text = this.#find(key, placeables.count);
    return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
      const value = placeables[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? this.#number.format(value) : isolate(value, this.rtl);
    });
  }

  #find(key: string, count: string | number | undefined): string {
    if (typeof count === "number") {
      const form = this.#texts[`${key}_${this.#plural.select(count)}`] ?? this.#texts[`${key}_other`];
      if (form !== undefined) return form;
    }
    return this.#texts[key] ?? key;
  }
}

/** The language of this page, from `<html lang dir>` and the `#texts` element. */
export function pageLanguage(document: Document): Language {
  const root = document.documentElement;
  const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}") as Texts;
  let code = root.lang || "en";
  try {
    new Intl.PluralRules(code);
  } catch {
    code = "en";
  }
  return new Language(code, root.dir === "rtl", texts);
}
