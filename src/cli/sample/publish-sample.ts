import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StaffTitle } from '../../contracts/index.ts'
import { describeError, Fault, type Logger } from '../../kernel/index.ts'
import { publishTitle } from '../publish/publish-title.ts'
import type { Staff } from '../staff.ts'
import { makeSampleFilm, type SampleFilm } from './make-film.ts'

const NAME = 'Tentpole sample'
const DESCRIPTION = 'Half a minute of colour, a tune and a time code, made on this machine by its first start.'

export type FirstStart = {
  /** Resolves when the sample can be watched, or is not needed after all; never rejects: a platform runs without it, too. */
  publish(staff: Staff): Promise<void>
  /** Resolves when nothing of the film is left lying about. */
  cancel(): Promise<void>
}

/**
 * On the first start of a home: begins to make the sample film at once, beside everything else that starts. Null when
 * this home has had its first start.
 */
export function beginFirstStart(home: string, logger: Logger): FirstStart | null {
  const marker = join(home, 'first-start.json')
  if (existsSync(marker)) return null
  const cancelling = new AbortController()
  const making = makeSampleFilm({ signal: cancelling.signal })
  making.catch(() => {})

  const publish = async (staff: Staff): Promise<void> => {
    try {
      if (await hasFilmsOfItsOwn(staff)) return await (await making).remove()
      logger.info('publishing the sample film')
      await publishUntilPlayable(staff, await making, logger)
    } catch (error) {
      if (cancelling.signal.aborted) return
      logger.error(`no sample film: ${describeError(error)}`)
      return
    }
    await writeFile(marker, `${JSON.stringify({ at: new Date().toISOString() })}\n`, { mode: 0o600 })
  }
  const cancel = async (): Promise<void> => {
    cancelling.abort()
    await making.then(
      (film) => film.remove(),
      () => {},
    )
  }
  return { publish, cancel }
}

/** A sample that an interrupted first start left behind does not count, and is taken away. */
async function hasFilmsOfItsOwn(staff: Staff): Promise<boolean> {
  const { titles } = await staff.call<{ titles: StaffTitle[] }>('GET', '/api/titles')
  const left = titles.filter((title) => title.name === NAME && title.state === 'uploading')
  for (const title of left)
    await staff.call('POST', `/api/titles/${title.id}/withdraw`, { reason: 'an interrupted first start' })
  return titles.some((title) => title.state !== 'withdrawn' && !left.includes(title))
}

/** Returns when the film is playable; what is left to do goes on by itself. */
async function publishUntilPlayable(
  staff: Staff,
  { film, captions, remove }: SampleFilm,
  logger: Logger,
): Promise<void> {
  const tracks = [{ file: captions, language: 'en', label: 'English' }]
  const request = { staff, file: film, name: NAME, description: DESCRIPTION, captions: tracks }
  try {
    for await (const event of publishTitle(request)) {
      if (event.type === 'failed') throw new Fault(event.code, event.reason)
      if (event.type !== 'playable') continue
      logger.info('the sample film can be watched', { url: event.url })
      return
    }
  } finally {
    await remove()
  }
}
