import type { PlatformStatus, StaffTitle } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { followLog } from './log-tail.ts'
import { toProblem } from './problem.ts'
import { createSseClient, type SseClient, toSseMessage } from './sse-client.ts'

const BEAT_MS = 10_000
/** Changes of one title within this time are one message. */
const GATHER_MS = 100

/**
 * `GET /api/events`: server-sent events. First `titles` (all) and `status`; then `title` and `status` at each change, and
 * every event of the log as a message without a name whose `id` is the event's.
 */
export type Live = {
  open(): Promise<Response>
  titleChanged(titleId: string): void
  statusChanged(): void
  close(): Promise<void>
}

type Follower = SseClient & { held: string[] | null }

export function createLive(options: {
  log: LogPort
  listTitles(): Promise<readonly StaffTitle[]>
  getTitle(titleId: string): Promise<StaffTitle | null>
  status(): PlatformStatus | null
  limits: Pick<Limits, 'tailClientsMax' | 'tailBufferBytesMax' | 'tailEventsPerSecondMax'>
  logger: Logger
}): Live {
  const { log, listTitles, getTitle, status, limits, logger } = options
  const followers = new Set<Follower>()
  const changed = new Set<string>()
  let tail: { close(): Promise<void> } | null = null
  let gathering: ReturnType<typeof setTimeout> | null = null

  const send = (text: string): void => {
    for (const follower of [...followers]) {
      if (follower.held) follower.held.push(text)
      else follower.send(text)
    }
  }
  const statusMessage = (): string => toSseMessage({ event: 'status', data: JSON.stringify(status()) })
  const leave = (follower: Follower): void => {
    followers.delete(follower)
    if (followers.size > 0) return
    const stopping = tail?.close()
    tail = null
    stopping?.catch((error: unknown) => logger.debug('the tail ended badly', { error: describeError(error) }))
  }
  const join = (): Follower => {
    const client = createSseClient({ bufferBytesMax: limits.tailBufferBytesMax, onClose: () => leave(follower) })
    const follower: Follower = { ...client, held: [] }
    followers.add(follower)
    tail ??= followLog({ log, eventsPerSecondMax: limits.tailEventsPerSecondMax, logger, onMessage: send })
    return follower
  }
  const sendChanged = async (): Promise<void> => {
    gathering = null
    const ids = [...changed]
    changed.clear()
    for (const id of ids) {
      try {
        const title = await getTitle(id)
        if (title) send(toSseMessage({ event: 'title', data: JSON.stringify(title) }))
      } catch (error) {
        logger.debug('a changed title could not be read; it is read again', { title: id, error: describeError(error) })
        titleChanged(id)
      }
    }
  }
  const titleChanged = (titleId: string): void => {
    if (followers.size === 0) return
    changed.add(titleId)
    gathering ??= setTimeout(() => void sendChanged(), GATHER_MS)
  }
  const beat = setInterval(() => send(': beat\n\n'), BEAT_MS)

  return {
    titleChanged,
    statusChanged: () => send(statusMessage()),
    async open() {
      if (followers.size >= limits.tailClientsMax) {
        const detail = `${followers.size} are following already, the limit is ${limits.tailClientsMax}; close one first.`
        return toProblem({ status: 429, code: 'too-many-tails', detail })
      }
      // Joined before the titles are read, and told of what happens meanwhile afterwards: nothing falls in between.
      const follower = join()
      try {
        const titles = await listTitles()
        follower.send(toSseMessage({ event: 'titles', data: JSON.stringify(titles) }))
        follower.send(statusMessage())
      } catch (error) {
        follower.close()
        throw error
      }
      for (const text of follower.held ?? []) follower.send(text)
      follower.held = null
      return new Response(follower.stream, {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
      })
    },
    async close() {
      clearInterval(beat)
      if (gathering) clearTimeout(gathering)
      const stopping = tail
      for (const follower of [...followers]) follower.close()
      await stopping?.close()
    },
  }
}
