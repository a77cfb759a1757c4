/** What every cache under measurement stands in front of: objects whose address says how large they are. */
export type Origin = {
  readonly port: number
  /** Requests for this path, or for all of them. */
  fetches(path?: string): number
  /** Answers what waits for this `cold` path, and whoever asks for it from now on. */
  release(path: string): void
  stop(): Promise<void>
}

/** Without `Accept-Ranges` nginx takes an object for one that has none, and answers a range with all of it. */
const HEADERS = { 'cache-control': 'public, max-age=3600', 'accept-ranges': 'bytes', 'content-type': 'video/mp4' }
const PATH = /^http:\/\/[^/]*(\/(films|cold)\/(\d{1,9})\/[\w-]*)$/

/** Of `sizeBytes`, stored for an hour; one of `cold` is held back until it is released. */
export function toOriginPath(kind: 'films' | 'cold', sizeBytes: number, name: string | number): string {
  return `/${kind}/${sizeBytes}/${name}`
}

export function startOrigin(): Origin {
  const counts = new Map<string, number>()
  const bodies = new Map<number, Uint8Array<ArrayBuffer>>()
  const gates = new Map<string, PromiseWithResolvers<void>>()
  let total = 0
  const gateOf = (path: string): PromiseWithResolvers<void> => {
    const gate = gates.get(path) ?? Promise.withResolvers<void>()
    gates.set(path, gate)
    return gate
  }
  const bodyOf = (sizeBytes: number): Uint8Array<ArrayBuffer> => {
    const body = bodies.get(sizeBytes) ?? new Uint8Array(sizeBytes)
    bodies.set(sizeBytes, body)
    return body
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    development: false,
    async fetch({ url }) {
      const [, path, kind, size] = PATH.exec(url) ?? []
      if (path === undefined) return new Response('no such path', { status: 404 })
      counts.set(path, (counts.get(path) ?? 0) + 1)
      total += 1
      if (kind === 'cold') await gateOf(path).promise
      return new Response(bodyOf(Number(size)), { headers: { ...HEADERS, etag: `"${path}"` } })
    },
  })
  return {
    port: server.port ?? 0,
    release: (path) => gateOf(path).resolve(),
    fetches: (path) => (path === undefined ? total : (counts.get(path) ?? 0)),
    stop: () => server.stop(true),
  }
}

/** One that nobody has at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}
