// What every request of ours carries.

/** The CSRF token that the signed-in shell prints into the page. */
export function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  const field = document.querySelector<HTMLInputElement>('input[name="csrfmiddlewaretoken"]');
  return meta?.content || field?.value || "";
}

/** POST a JSON body to our own server. Rejects only if no answer came. */
export function postJson(url: string, body: unknown, options: { keepalive?: boolean; signal?: AbortSignal } = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      "X-CSRFToken": csrfToken(),
      "X-Requested-With": "XMLHttpRequest",
    },
    body: JSON.stringify(body),
    ...options,
  });
}
