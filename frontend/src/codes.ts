// One-time codes: people type "1234 5678" as it was written; the spaces are not part of the code. Nothing else is touched.
export function withoutSpaces(value: string): string {
  return value.replace(/[\s\u00a0\u2007\u202f\u200b]+/g, "");
}

function watch(input: HTMLInputElement): void {
  input.addEventListener("input", () => {
    const clean = withoutSpaces(input.value);
    if (clean !== input.value) input.value = clean;
  });
}

if (typeof document !== "undefined") {
  const selector = 'input[autocomplete="one-time-code"], input[data-code]';
  for (const input of document.querySelectorAll<HTMLInputElement>(selector)) watch(input);
}
