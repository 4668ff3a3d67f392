// Runs in <head> before the first paint: the theme follows the system unless this browser chose otherwise.
type Theme = "light" | "dark";

const KEY = "stafeta-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // storage forbidden: the system decides
  }
}

function remember(theme: Theme): void {
  try {
    if (theme === systemTheme()) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // storage forbidden: the choice lasts until the page is left
  }
}

function systemTheme(): Theme {
  return system.matches ? "dark" : "light";
}

function show(theme: Theme): void {
  document.documentElement.setAttribute("data-bs-theme", theme);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    const label = theme === "dark" ? button.dataset.labelLight : button.dataset.labelDark;
    if (label !== undefined) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
    button.hidden = false;
  }
}

function current(): Theme {
  return document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
}

show(chosen() ?? systemTheme());
system.addEventListener("change", () => show(chosen() ?? systemTheme()));
document.addEventListener("DOMContentLoaded", () => {
  show(current());
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const next: Theme = current() === "dark" ? "light" : "dark";
      remember(next);
      show(next);
    });
  }
});
