/** The few requests of WebDriver (https://www.w3.org/TR/webdriver2/) that opening a page takes. */
const READY_TRIES = 100;
const READY_INTERVAL = 50;

interface Session {
  sessionId: string;
  capabilities: { browserVersion: string };
}

export class WebDriver {
  readonly #url: string;
  #session: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const options = body ? { method, body: JSON.stringify(body) } : { method };
    const response = await fetch(this.#url + path, options);
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  }

  /** Waits until the driver listens. */
  async ready(): Promise<void> {
    for (let i = 0; ; i++) {
      try {
        await this.#request("GET", "/status");
        return;
      } catch (error) {
        if (i === READY_TRIES) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, READY_INTERVAL));
    }
  }

  /** Starts a browser; returns its version. */
  async begin(): Promise<string> {
    const capabilities = { alwaysMatch: {} };
    const { sessionId, ...session } = (await this.#request("POST", "/session", { capabilities })) as Session;
    this.#session = sessionId;
    return session.capabilities.browserVersion;
  }

  /** Resolves when the page is loaded. */
  async open(url: string): Promise<void> {
    await this.#request("POST", `/session/${this.#session}/url`, { url });
  }

  /** Ends the browser. */
  async end(): Promise<void> {
    await this.#request("DELETE", `/session/${this.#session}`);
  }
}
