import type { StaffTitle } from '../../contracts/index.ts'
import { Fault, faultCode, pause } from '../../kernel/index.ts'
import { type Operator, untilAborted } from '../../storm/index.ts'
import { publishTitle } from '../publish/publish-title.ts'
import type { Staff } from '../staff.ts'
import type { FilmMaker } from './films.ts'

const POLL_MS = 200

export type StormOperator = Operator & {
  /**
   * Withdraws every title of its own that is on the platform still, also one that is only being made: it would be published when the
   * storm is long over; and waits for uploads that were given up to end. Resolves with the ids of those that could not be withdrawn
   * before `signal` was aborted.
   */
  withdrawAll(signal: AbortSignal): Promise<readonly string[]>
}

/** What an operator does while a storm blows. `staff.home` is where notes about uploads go. */
export function createOperator(options: { staff: Staff; films: FilmMaker }): StormOperator {
  const { staff, films } = options
  const own = new Set<string>()
  const uploads = new Set<Promise<unknown>>()
  const withdraw = async (titleId: string): Promise<void> => {
    const path = `/api/titles/${encodeURIComponent(titleId)}/withdraw`
    await staff.call<StaffTitle>('POST', path, { reason: 'withdrawn by a storm' })
    own.delete(titleId)
  }
  return {
    async publish(name, filmMs, signal) {
      const file = await films.make(filmMs, signal)
      const uploading = upload(staff, { file, name, onCreated: (titleId) => own.add(titleId) })
      const ended: Promise<unknown> = uploading.catch(() => {}).then(() => uploads.delete(ended))
      uploads.add(ended)
      const titleId = await untilAborted(uploading, signal)
      return await waitUntilPublished(staff, titleId, signal)
    },
    withdraw,
    async withdrawAll(signal) {
      await Promise.allSettled([...own].map((titleId) => untilAborted(withdraw(titleId), signal)))
      // An upload that was given up still reads its file, which is about to be removed.
      await untilAborted(Promise.all(uploads), signal).catch(() => {})
      return [...own]
    },
  }
}

/** Resolves with the title's id when the platform has all of the film; what is left to do goes on by itself. */
export async function upload(
  staff: Staff,
  film: { readonly file: string; readonly name: string; readonly onCreated?: (titleId: string) => void },
): Promise<string> {
  const request = { staff, file: film.file, name: film.name, description: 'Made for a storm.', captions: [] }
  for await (const event of publishTitle(request)) {
    if (event.type === 'created') film.onCreated?.(event.titleId)
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
