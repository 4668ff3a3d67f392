// The card's script is large and rarely wanted: it is fetched when somebody wants a card, from the address that the page names.

/** Return the card's module. Some element of the page says where it is: `data-card-script="{% static 'web/dist/card.js' %}"`. */
export function loadCard(): Promise<typeof import("./card")> {
  const address = document.querySelector<HTMLElement>("[data-card-script]")?.dataset.cardScript;
  if (!address) return Promise.reject(new Error("the page does not say where the card's script is"));
  return import(address) as Promise<typeof import("./card")>;
}
