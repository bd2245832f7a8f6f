/** Small help on server-rendered pages: focus for error summaries, the print button, the keeper link. */

export function startForms(): void {
  document.querySelector<HTMLElement>("[data-error-summary]")?.focus();
  const print = document.querySelector<HTMLElement>("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  const enter = document.querySelector<HTMLFormElement>("[data-keeper-enter]");
  const code = location.hash.slice(1);
  const field = enter?.querySelector<HTMLInputElement>("[name=token]");
  if (enter && field && code) {
    history.replaceState(null, "", location.pathname + location.search);
    field.value = code;
    enter.requestSubmit();
  }
}
