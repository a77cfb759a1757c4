import { parseMaster, parsePlaylist } from '../test/e2e/viewer.ts'

/** A viewer of the benchmark's own, signed in. */
export type Visitor = {
  readonly cell: string
  get(path: string): Promise<Response>
  post(path: string, body: unknown): Promise<Response>
}

export async function createVisitor(watchUrl: string, country: string): Promise<Visitor> {
  const send = (path: string, init: RequestInit): Promise<Response> =>
    fetch(new URL(path, watchUrl), { ...init, headers: { 'content-type': 'application/json', ...init.headers } })
  const post = (path: string, body: unknown, headers = {}): Promise<Response> =>
    send(path, { method: 'POST', body: JSON.stringify(body), headers })
  const answer = await post('/v1/session', { country, tier: 'standard', platform: 'web' })
  if (!answer.ok) throw new Error(`POST /v1/session: expected 200, got ${answer.status}: ${await answer.text()}`)
  const { token, cell } = (await answer.json()) as { token: string; cell: string } // the contract's words, read by a benchmark
  const authorization = `Bearer ${token}`
  return {
    cell,
    get: (path) => send(path, { headers: { authorization } }),
    post: (path, body) => post(path, body, { authorization }),
  }
}

/** Presses play and fetches of every track its init, first and last segment. Throws when one of them does not come. */
export async function playTitle(visitor: Visitor, watchUrl: string, titleId: string): Promise<void> {
  const read = async (what: string, asked: Promise<Response>): Promise<Response> => {
    const answer = await asked
    if (!answer.ok) throw new Error(`${titleId}, ${what}: expected 200, got ${answer.status}: ${await answer.text()}`)
    return answer
  }
  const playback = await read('playback', visitor.post('/v1/playback', { titleId }))
  const { manifestUrl } = (await playback.json()) as { manifestUrl: string }
  const main = new URL(manifestUrl, watchUrl)
  const { variants, audio } = parseMaster(await (await read('main playlist', fetch(main))).text(), main)
  for (const track of [...variants.map(({ url }) => url), ...audio]) {
    const { init, segments } = parsePlaylist(await (await read('playlist', fetch(track))).text(), track)
    const [first, last] = [segments.at(0)?.url, segments.at(-1)?.url]
    if (init === null || first === undefined || last === undefined)
      throw new Error(`${titleId}: expected a track with init and segments at ${track.pathname}`)
    for (const url of [init, first, last]) {
      const { byteLength } = await (await read('media', fetch(url))).arrayBuffer()
      if (byteLength === 0) throw new Error(`${titleId}: expected bytes, got none at ${url}`)
    }
  }
}
