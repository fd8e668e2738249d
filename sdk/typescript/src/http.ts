// Requests over the network, by fetch.

/** What came back: an answer, or nothing. */
export type Reply = { readonly status: number; readonly body: string } | 'timeout' | 'network';

/** What sends a request: POST of a JSON body, or GET when it is null. Never rejects: that nothing came back is a reply too. */
export interface Transport {
  send(url: string, body: object | null, language: string): Promise<Reply>;
}

const LONGEST_ANSWER_BYTES = 256 * 1024;

/** Sends requests itself, and waits this many milliseconds for an answer. */
export class Http implements Transport {
  constructor(readonly patienceMs: number = 10_000) {}

  async send(url: string, body: object | null, language: string): Promise<Reply> {
    const headers: Record<string, string> = { 'accept-language': language };
    if (body !== null) headers['content-type'] = 'application/json';
    try {
      const answer = await fetch(url, {
        method: body === null ? 'GET' : 'POST',
        headers,
        body: body === null ? null : JSON.stringify(body),
        // A redirect is somebody else's answer: it is handed on, and means that nobody can tell.
        redirect: 'manual',
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(this.patienceMs),
      });
      return { status: answer.status, body: await read(answer) };
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'network';
    }
  }
}

async function read(answer: Response): Promise<string> {
  if (answer.body === null) return '';
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let length = 0; length < LONGEST_ANSWER_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
