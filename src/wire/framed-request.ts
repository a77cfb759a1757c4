/**
 * A standard `Request` that is built only when someone asks for more of it than a JSON handler does: building the
 * runtime's own costs more than parsing the frame it came in. The method, the address, single headers and the text are
 * answered from the frame; everything else is asked of the real one, made then. (Hono's Node adapter does the same.)
 */
export type FramedParts = {
  readonly method: string
  readonly url: string
  /** Names in lower case; none repeats. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer> | null
  readonly signal: AbortSignal | undefined
}

const decoder = new TextDecoder()

class FramedRequest {
  readonly #parts: FramedParts
  #real: Request | null = null
  #headers: FramedHeaders | null = null
  #read = false

  constructor(parts: FramedParts) {
    this.#parts = parts
  }

  get method(): string {
    return this.#parts.method
  }

  get url(): string {
    return this.#parts.url
  }

  get headers(): Headers {
    this.#headers ??= new FramedHeaders(this.#parts.headers)
    return this.#headers as unknown as Headers
  }

  text(): Promise<string> {
    const { body } = this.#parts
    if (this.#real || this.#read || !body) return this.toReal().text()
    this.#read = true
    return Promise.resolve(decoder.decode(body))
  }

  toReal(): Request {
    if (this.#real) return this.#real
    const { method, url, headers, body, signal } = this.#parts
    const init: RequestInit = { method, headers }
    if (body) init.body = body
    if (signal) init.signal = signal
    this.#real = new Request(url, init)
    // A body that was read from the frame is as used up as if it had been read here.
    if (this.#read) this.#real.text().catch(() => {})
    return this.#real
  }
}

class FramedHeaders {
  readonly #plain: Readonly<Record<string, string>>
  #real: Headers | null = null

  constructor(plain: Readonly<Record<string, string>>) {
    this.#plain = plain
  }

  get(name: string): string | null {
    if (this.#real) return this.#real.get(name)
    const plain = this.#plain
    if (Object.hasOwn(plain, name)) return plain[name] ?? null
    const lower = name.toLowerCase()
    return Object.hasOwn(plain, lower) ? (plain[lower] ?? null) : null
  }

  toReal(): Headers {
    this.#real ??= new Headers(this.#plain)
    return this.#real
  }
}

delegate(FramedRequest.prototype, Request.prototype)
delegate(FramedHeaders.prototype, Headers.prototype)

export function createFramedRequest(parts: FramedParts): Request {
  return new FramedRequest(parts) as unknown as Request
}

/** Gives a lazy class what it does not have of the real one, and makes `instanceof` true. */
function delegate<Real extends object>(lazy: { toReal(): Real }, real: Real): void {
  for (const name of Reflect.ownKeys(real)) {
    if (name === 'constructor' || Object.hasOwn(lazy, name)) continue
    const isMethod = typeof Object.getOwnPropertyDescriptor(real, name)?.value === 'function'
    Object.defineProperty(lazy, name, {
      configurable: true,
      get(this: { toReal(): Real }) {
        const target = this.toReal()
        const value: unknown = Reflect.get(target, name, target)
        return isMethod ? (value as (...args: unknown[]) => unknown).bind(target) : value
      },
    })
  }
  Object.setPrototypeOf(lazy, real)
}
