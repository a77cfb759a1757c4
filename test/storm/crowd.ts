import { createId } from '../../src/kernel/index.ts'
import type { ViewerNote } from '../../src/storm/viewer/protocol.ts'

const SIGNALS_PER_BATCH = 50

/** A handful of viewers who press play and send signals, and tell of it as the storm's own do. */
export async function playAndSignal(options: {
  watchUrl: string
  titleId: string
  viewers: number
  /** Of each viewer; at most what the platform lets one viewer ask at once. */
  playbacks: number
  batches: number
  note: (note: ViewerNote) => void
}): Promise<void> {
  const { watchUrl, titleId, viewers, playbacks, batches, note } = options
  const post = async (path: string, token: string | null, body: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, watchUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }
  for (let viewer = 0; viewer < viewers; viewer++) {
    // The viewer API's own answers: docs/viewer-api.md.
    const session = { country: 'DE', tier: 'free', platform: 'web' }
    const { viewerId, token } = (await post('/v1/session', null, session)) as { viewerId: string; token: string }
    let sessionId = ''
    for (let at = 0; at < playbacks; at++) {
      note({ type: 'playback-sent', viewerId })
      sessionId = ((await post('/v1/playback', token, { titleId })) as { sessionId: string }).sessionId
      note({ type: 'playback-acknowledged', viewerId, sessionId })
    }
    for (let at = 0; at < batches; at++) {
      const ids = Array.from({ length: SIGNALS_PER_BATCH }, () => createId())
      note({ type: 'signals-sent', ids })
      const signals = ids.map((id) => ({ id, sessionId, titleId, kind: 'progress', positionMs: 1 }))
      await post('/v1/signals', token, { signals })
      note({ type: 'signals-acknowledged', ids })
    }
  }
}
