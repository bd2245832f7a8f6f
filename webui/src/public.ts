/** What every public page loads. Each part stands alone, and every page works without any of them. */
import { startExit } from "./exit.ts";
import { startForms } from "./forms.ts";
import { pageLanguage } from "./texts.ts";
import { startTimes } from "./times.ts";

const language = pageLanguage(document);
startExit(language);
startTimes(language);
startForms();
const search = document.querySelector<HTMLFormElement>("#search");
if (search) {
  const { startDirectory } = await import("./directory/start.tsx");
  startDirectory(search, language);
}
