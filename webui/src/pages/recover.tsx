/** Coming back with the sheet: type, paste, scan or open the file. Slips are caught while one types. */
import { useEffect, useState } from "preact/hooks";
import { ActionButton, useAction } from "../parts/action.tsx";
import { ErrorSummary, type Mistake, TextArea } from "../parts/field.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Scanner } from "../parts/scan.tsx";
import { call, codeOf, sentenceFor } from "../state/client.ts";
import { t } from "../state/language.ts";
import {
  type ReadWords,
  readWords,
  replaceWord,
  SHEET_WORDS,
  splitWords,
  suggestWords,
} from "../state/recovery-words.ts";
import { go } from "../state/route.ts";

const FILE_BYTES_MAX = 20_000;

/** The list of words, fetched when the page opens: it is only needed here. */
function useWordList(): readonly string[] {
  const [list, setList] = useState<readonly string[]>([]);
  useEffect(() => {
    import("@scure/bip39/wordlists/english.js").then(
      ({ wordlist }) => setList(wordlist),
      () => undefined,
    );
  }, []);
  return list;
}

/** The sheet's words in a saved file: the numbered lines, whatever else stands there. */
export function wordsOfFile(text: string): string {
  const numbered = [...text.matchAll(/^\s*\d{1,2}[.)]\s*([a-z]+)\s*$/gim)].map((found) => found[1] ?? "");
  return numbered.length === SHEET_WORDS ? numbered.join(" ") : text;
}

export function RecoverPage() {
  const list = useWordList();
  const [text, setText] = useState("");
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [failure, setFailure] = useState("");
  const action = useAction();
  const read = readWords(text, list);

  const recover = (words: string): Promise<boolean> =>
    action.run(async () => {
      setFailure("");
      setMistakes([]);
      try {
        await call("recover", { words });
        go({ page: "home" });
      } catch (error) {
        if (codeOf(error) === "wrong-words") setMistakes([{ field: "words", text: sentenceFor(error) }]);
        else setFailure(sentenceFor(error));
      }
    });
  const submit = (): void => {
    if (read.complete || list.length === 0) recover(read.words.join(" "));
    else if (read.unknown.length > 0)
      setMistakes([{ field: "words", text: t("app.recover.unknown", { count: read.unknown.length }) }]);
    else setMistakes([{ field: "words", text: t("app.recover.count", { count: read.words.length }) }]);
  };
  const take = (found: string): void => {
    setText(wordsOfFile(found));
    if (readWords(wordsOfFile(found), list).complete) return;
    // The code on a sheet need not be plain words: then it is for the client to read.
    if (splitWords(found).length < SHEET_WORDS) recover(found);
  };

  return (
    <PageFrame
      title={t("app.recover.title")}
      heading={t("app.recover.title")}
      back={{ to: { page: "home" }, label: t("app.start.back") }}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      {failure && (
        <Notice kind="error">
          <p>{failure}</p>
        </Notice>
      )}
      <p class="lead">{t("app.recover.lead")}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextArea
          name="words"
          label={t("app.recover.words")}
          hint={t("app.recover.hint")}
          mistakes={mistakes}
          rows={5}
          lang="en"
          value={text}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          onInput={(event) => {
            setText(event.currentTarget.value);
            if (mistakes.length > 0 && readWords(event.currentTarget.value, list).complete) setMistakes([]);
          }}
        />
        <Reading read={read} text={text} list={list} onText={setText} />
        <ActionButton action={action}>{t("app.recover.go")}</ActionButton>
        {action.busy && <p role="status">{t("app.recover.working")}</p>}
      </form>
      <OtherWays onRead={take} />
      <h2>{t("app.recover.then")}</h2>
      <ul>
        <li>{t("app.recover.then_1")}</li>
        <li>{t("app.recover.then_2")}</li>
        <li>{t("app.recover.then_3")}</li>
      </ul>
    </PageFrame>
  );
}

function OtherWays({ onRead }: { onRead: (found: string) => void }) {
  return (
    <>
      <h2>{t("app.recover.other")}</h2>
      <Scanner onRead={onRead} />
      <label class="button quiet file-button">
        {t("app.recover.file")}
        <input
          class="unseen"
          type="file"
          accept=".txt,text/plain"
          onChange={async (event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = "";
            if (file && file.size < FILE_BYTES_MAX) onRead(await file.text());
          }}
        />
      </label>
    </>
  );
}

interface ReadingProps {
  read: ReadWords;
  text: string;
  list: readonly string[];
  onText: (text: string) => void;
}

/** How far it is, and what may be meant by words that are not in the list. */
function Reading({ read, text, list, onText }: ReadingProps) {
  const count = read.words.length;
  // The word that is just being typed is not wrong yet.
  const writing = /[\p{L}\p{M}]$/u.test(text) && count < SHEET_WORDS ? count - 1 : -1;
  const wrong = list.length > 0 ? read.unknown.filter((place) => place !== writing) : [];
  const typing = read.unknown.includes(writing) ? suggestWords(read.words[writing] ?? "", list) : [];
  const use = (place: number, word: string, last: boolean): void => {
    onText(`${replaceWord(text, place, word)}${last ? " " : ""}`);
    document.getElementById("field-words")?.focus();
  };
  return (
    <div class="reading">
      <p class="hint" role="status">
        {read.complete ? t("app.recover.complete") : t("app.recover.so_far", { number: count, all: SHEET_WORDS })}
      </p>
      {typing.length > 0 && (
        <Choices label={t("app.recover.go_on")} words={typing} onUse={(word) => use(writing, word, true)} />
      )}
      {wrong.slice(0, 4).map((place) => {
        const word = read.words[place] ?? "";
        const near = suggestWords(word, list);
        const label = t(near.length > 0 ? "app.recover.near" : "app.recover.strange", { number: place + 1, word });
        return <Choices key={place} label={label} words={near} onUse={(chosen) => use(place, chosen, false)} />;
      })}
    </div>
  );
}

function Choices({ label, words, onUse }: { label: string; words: readonly string[]; onUse: (word: string) => void }) {
  return (
    <fieldset class="word-choices" aria-label={label}>
      <span>{label}</span>
      {words.map((word) => (
        <button class="button quiet small" type="button" lang="en" key={word} onClick={() => onUse(word)}>
          {word}
        </button>
      ))}
    </fieldset>
  );
}
