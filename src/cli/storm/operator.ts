import type { StaffTitle } from '../../contracts/index.ts'
import { Fault, faultCode, pause } from '../../kernel/index.ts'
import type { Operator } from '../../storm/index.ts'
import { publishTitle } from '../publish/publish-title.ts'
import type { Staff } from '../staff.ts'
import type { FilmMaker } from './films.ts'

const POLL_MS = 200

/** What an operator does while a storm blows. `staff.home` is where notes about uploads go. */
export function createOperator(options: { staff: Staff; films: FilmMaker }): Operator {
  const { staff, films } = options
  return {
    async publish(name, filmMs, signal) {
      const file = await films.make(filmMs, signal)
      const titleId = await untilAborted(upload(staff, { file, name }), signal)
      return await waitUntilPublished(staff, titleId, signal)
    },
    async withdraw(titleId) {
      const path = `/api/titles/${encodeURIComponent(titleId)}/withdraw`
      await staff.call<StaffTitle>('POST', path, { reason: 'withdrawn by a storm' })
    },
  }
}

/** Resolves with the title's id when the platform has all of the film; what is left to do goes on by itself. */
export async function upload(
  staff: Staff,
  film: { readonly file: string; readonly name: string; readonly onCreated?: () => void },
): Promise<string> {
  const request = { staff, file: film.file, name: film.name, description: 'Made for a storm.', captions: [] }
  for await (const event of publishTitle(request)) {
    if (event.type === 'created') film.onCreated?.()
    if (event.type === 'upload' && event.sentBytes >= event.totalBytes) return event.titleId
    if (event.type === 'failed') throw new Fault(event.code, `${film.name}: ${event.reason}`)
  }
  throw new Fault('upload-broken', `${film.name}: expected its upload to end, it did not`)
}

/** Goes on over restarts of control. Fault: why it was refused or given up. */
export async function waitUntilPublished(staff: Staff, titleId: string, signal: AbortSignal): Promise<StaffTitle> {
  for (;;) {
    const title = await untilAborted(staff.title(titleId), signal).catch((error: unknown) => {
      if (faultCode(error) === 'unreachable' || faultCode(error) === 'unavailable') return null
      throw error
    })
    if (title?.state === 'published') return title
    if (title?.state === 'failed' || title?.state === 'withdrawn')
      throw new Fault(title.code ?? title.state, `${title.name}: ${title.reason || `it was ${title.state}`}`)
    await pause(POLL_MS, signal)
    signal.throwIfAborted()
  }
}

/** Rejects with the signal's reason at once; what was under way ends unheard. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {})
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
